"""What a CI job asks of a server, as one thing: conformance, a load, and the load held against a baseline.

Each step is a mailproof command of its own, and what it came to is read from its result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from reports.compare_files import runs_at
from reports.document import Document, Verdict, Verdicts
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.verdict import worst_of
from reports.write import RESULT

StepName = Literal["conformance", "load", "comparison"]
Start = Callable[[StepName, Sequence[str]], int]       # runs a command of that step; returns its exit status

# What needs a person first. A failure is a fact; one thing left open makes the whole inconclusive, never a pass.
_WORST_FIRST: Final = (
    ExitCode.INTERRUPTED, ExitCode.OUR_BUG, ExitCode.OPERATOR_ERROR, ExitCode.FAILED, ExitCode.INCONCLUSIVE,
)  # fmt: skip
_PROTOCOLS: Final = {
    "smtp": "--smtp", "smtps": "--smtp", "smtp+unix": "--smtp", "lmtp": "--lmtp", "lmtp+unix": "--lmtp",
    "pop3": "--pop3", "pop3s": "--pop3",
}  # fmt: skip
JUNIT: Final = "junit"
SUMMARY: Final = "summary.md"
COMPARED_RUNS: Final = 6        # a side: with fewer no rank test can show anything
_NOTHING: Final = Verdicts(Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked."""

    targets: tuple[str, ...]
    conform: tuple[str, ...] = ()               # further arguments of `conform`
    scenario: str | None = None                 # None: no load
    settings: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()                 # beside those of the scenario
    repeat: int = 1
    baseline: Path | None = None                # None: no comparison is wanted
    worse_than: tuple[str, ...] = ()
    directory: Path

    def at(self, step: StepName) -> Path:
        """Return where a step's results go."""
        return self.directory / step


@dataclass(frozen=True, slots=True)
class Step:
    """What one command came to. Without a result nothing is known, whatever the exit status."""

    name: StepName
    code: int
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all of it came to, with what a reader must know beside it."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Return the gravest exit status; one that nobody knows is our bug."""
        codes = {code if code in set(ExitCode) else ExitCode.OUR_BUG for code in (step.code for step in self.steps)}
        return next((code for code in _WORST_FIRST if code in codes), ExitCode.HELD)

    @property
    def verdicts(self) -> Verdicts:
        """Return the worst answer to each question; a step that left no result has answered none."""
        found = [document.verdicts for step in self.steps for document in step.documents]
        found += [_NOTHING for step in self.steps if not step.documents]
        return Verdicts(**{
            question: worst_of(getattr(verdicts, question) for verdicts in found)
            for question in Verdicts.__struct_fields__
        })


def check(order: Order) -> None:
    """Raise UserError if it cannot be done as it was asked, or results of an earlier one are in the way."""
    stale = [name for name in (*get_args(StepName), JUNIT, SUMMARY) if (order.directory / name).exists()]
    if stale:
        raise UserError(f"{order.directory} has results in it already ({', '.join(stale)}): name a fresh directory")
    if order.scenario is None:
        for given, option in ((order.baseline, "--baseline"), (order.settings, "--set"), (order.gates, "--gate")):
            if given:
                raise UserError(f"{option} is about a load, and none is asked for: add --scenario")
        return
    options = [_protocol_option(url) for url in order.targets]
    twice = sorted({option for option in options if options.count(option) > 1})
    if twice:
        raise UserError(f"a load is put to one server of each protocol; there are several for {', '.join(twice)}")


def carry_out(order: Order, start: Start) -> Outcome:
    """Run the steps one after the other, and return what they came to. One that fails does not end the others."""
    notes: list[str] = []
    steps = [_done(order, "conformance", start("conformance", _conform(order)))]
    if order.scenario is not None and steps[-1].code != ExitCode.INTERRUPTED:
        steps.append(_done(order, "load", start("load", _load(order))))
        if order.baseline is not None and steps[-1].code != ExitCode.INTERRUPTED:
            if why := _cannot_compare(order.baseline, steps[-1]):
                notes.append(why)
            else:
                steps.append(_done(order, "comparison", start("comparison", _compare(order, order.baseline))))
    return Outcome(tuple(steps), tuple(notes))


def _done(order: Order, name: StepName, code: int) -> Step:
    results = runs_at(order.at(name)) if _has_results(order.at(name)) else []
    return Step(name, code, tuple(run.document for run in results))


def _has_results(path: Path) -> bool:
    return path.is_file() or (path / RESULT).is_file() or any(path.glob(f"*/{RESULT}"))


def _cannot_compare(baseline: Path, load: Step) -> str | None:
    """Say why there is nothing to compare; None: there is."""
    if not load.documents:
        return "nothing was compared: the load left no result"
    if not _has_results(baseline):
        return f"nothing was compared: there is no baseline at {baseline} yet; this load can be the first"
    return None


def _conform(order: Order) -> list[str]:
    return ["conform", *order.targets, *order.conform, f"--out={order.at('conformance')}"]


def _load(order: Order) -> list[str]:
    return [
        "run", str(order.scenario), *(f"{_protocol_option(url)}={url}" for url in order.targets),
        *(f"--set={setting}" for setting in order.settings), *(f"--gate={gate}" for gate in order.gates),
        *([f"--repeat={order.repeat}"] if order.repeat > 1 else []), f"--out={order.at('load')}",
    ]   # fmt: skip


def _compare(order: Order, baseline: Path) -> list[str]:
    gates = (f"--worse-than={each}" for each in order.worse_than)
    return ["compare", str(baseline), "--", str(order.at("load")), *gates, f"--out={order.at('comparison')}"]


def _protocol_option(url: str) -> str:
    """Return the option of `mailproof run` that a URL belongs to. UserError."""
    scheme, found, _ = url.partition("://")
    if not found or scheme not in _PROTOCOLS:
        raise UserError(f"{url!r} is no URL of a mail server, such as smtp://127.0.0.1:2525 or pop3://127.0.0.1:2110")
    return _PROTOCOLS[scheme]
