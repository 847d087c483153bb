"""`mailproof ci`: the whole of what a CI job asks of a server, in one command whose options may be variables."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from reports.annotations import github
from reports.child import Child
from reports.ci import COMPARED_RUNS, JUNIT, SUMMARY, Order, Outcome, StepName, carry_out, check
from reports.ci_markdown import ci_markdown
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.junit import junit
from reports.safe import inert
from reports.text import exit_meaning
from reports.write import check_writable, write_text

OUT: Final = Path("out")
MAILPROOF: Final = (sys.executable, "-m", "mailproof")


def ci_command(  # noqa: PLR0913, PLR0917  each is an option
    targets: Annotated[
        list[str], typer.Argument(metavar="URL", envvar="MAILPROOF_TARGET", help="smtp://host:port, pop3://…")
    ],
    options: Annotated[
        str | None, typer.Option(metavar="FILE", envvar="MAILPROOF_OPTIONS", help="What is declared about the server.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(envvar="MAILPROOF_PROFILE", help="Conformance: a kind of server, smtp-mx …")
    ] = None,
    requirement_set: Annotated[
        str | None, typer.Option("--requirements", envvar="MAILPROOF_REQUIREMENTS", help="A frozen set: 2026.2.")
    ] = None,
    known: Annotated[
        str | None, typer.Option(metavar="FILE", envvar="MAILPROOF_KNOWN", help="Conformance: known failures.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Conformance: only these cases; or lines of MAILPROOF_ONLY."),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(envvar="MAILPROOF_SCENARIO", help="A load: a file or a shipped name. Default: none.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the scenario; or lines of MAILPROOF_SET."),
    ] = None,
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", metavar="GATE", help="One more gate on the load; or lines of MAILPROOF_GATES."),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(min=1, max=100, envvar="MAILPROOF_REPEAT", help="Runs of the load; 6 with a baseline, else 1."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="DIR", envvar="MAILPROOF_BASELINE", help="Loads of before; one not there yet is told."),
    ] = None,
    worse_than: Annotated[
        list[str] | None,
        typer.Option(metavar="[METRIC=]AMOUNT", help="As of compare; or lines of MAILPROOF_WORSE_THAN. Default: 10%."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", envvar="MAILPROOF_OUT", help="Where the results go: a fresh one.")
    ] = None,
) -> None:
    """Judge a server in a CI job: conformance, a load, and the load against a baseline."""
    named = (
        ("--options", options), ("--profile", profile), ("--set", requirement_set), ("--baseline", known),
        *(("--only", glob) for glob in only or _lines("MAILPROOF_ONLY")),
    )  # fmt: skip
    order = Order(
        targets=tuple(targets),
        conform=tuple(f"{option}={value}" for option, value in named if value),
        scenario=scenario or None,
        settings=tuple(settings or _lines("MAILPROOF_SET")),
        gates=tuple(gates or _lines("MAILPROOF_GATES")),
        repeat=repeat if repeat is not None else (1 if baseline is None else COMPARED_RUNS),
        baseline=baseline,
        worse_than=tuple(worse_than or _lines("MAILPROOF_WORSE_THAN") or ["10%"]),
        directory=out if out is not None else OUT / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-ci",
    )
    raise typer.Exit(_judged(order).exit_code)


def _judged(order: Order) -> Outcome:
    """Carry the order out, leave what it came to, and tell it. UserError."""
    check(order)
    check_writable(order.directory)
    child = Child(MAILPROOF, quiet=False)
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    with child.signals_passed_on():
        outcome = carry_out(order, lambda name, arguments: _started(child, name, arguments, on_github=on_github))
    _write(order.directory, outcome)
    _tell(order.directory, outcome, on_github=on_github)
    return outcome


def _lines(variable: str) -> list[str]:
    """Return the lines of an environment variable that are not empty."""
    return [line.strip() for line in os.environ.get(variable, "").splitlines() if line.strip()]


def _started(child: Child, name: StepName, arguments: Sequence[str], *, on_github: bool) -> int:
    """Run one command. On GitHub its lines fold away, and none of them is obeyed: they may be a server's words."""
    if not on_github:
        _say(f"== {name}")
        return child.start(arguments)
    token = secrets.token_hex(16)
    _say(f"::group::mailproof {name}\n::stop-commands::{token}")
    try:
        return child.start([*arguments[:1], "--annotations=none", *arguments[1:]])
    finally:
        _say(f"::{token}::\n::endgroup::")


def _write(directory: Path, outcome: Outcome) -> None:
    """Write the summary and JUnit of every result. UserError."""
    text = ci_markdown(outcome)
    write_text(directory / SUMMARY, text)
    for step in outcome.steps:
        for number, document in enumerate(step.documents, start=1):
            name = step.name if len(step.documents) == 1 else f"{step.name}-{number:02}"
            write_text(directory / JUNIT / f"{name}.xml", junit(document))
    _append("GITHUB_STEP_SUMMARY", text)
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in _outputs(directory, outcome).items()))


def _outputs(directory: Path, outcome: Outcome) -> Mapping[str, str]:
    verdicts = outcome.verdicts
    return {
        "exit-code": f"{outcome.exit_code:d}",
        "correct": verdicts.correct.value,
        "fast-enough": verdicts.fast_enough.value,
        "valid": verdicts.valid.value,
        "results": str(directory),
        "summary": str(directory / SUMMARY),
    }


def _append(variable: str, text: str) -> None:
    """Add to the file that an environment variable names, if it does. UserError."""
    path = os.environ.get(variable)
    if path:
        try:
            with Path(path).open("a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise UserError(f"cannot write {path}, which {variable} names: {error.strerror}") from None


def _tell(directory: Path, outcome: Outcome, *, on_github: bool) -> None:
    """Print what it came to, and on GitHub mark what failed."""
    verdicts = outcome.verdicts
    _say("== all")
    for step in outcome.steps:
        left = "" if step.documents else ", without a result"
        _say(f"{step.name:12} exit {step.code}{left}")
    for note in outcome.notes:
        _say(f"note         {inert(note)}")
    answers = (("correct", verdicts.correct), ("fast enough", verdicts.fast_enough), ("believable", verdicts.valid))
    _say(", ".join(f"{question}: {verdict.value.replace('-', ' ')}" for question, verdict in answers))
    _say(f"exit {outcome.exit_code:d}: {exit_meaning(outcome.exit_code)}; all of it lies in {directory}")
    if on_github:
        for note in outcome.notes:
            _say(f"::notice title=mailproof::{inert(note).replace('%', '%25')}")
        for step in outcome.steps:
            if not step.documents and step.code != ExitCode.INTERRUPTED:
                _say(f"::error title=mailproof%3A {step.name}::it left no result (exit {step.code}): see the log")
        typer.echo(github(*(document for step in outcome.steps for document in step.documents)), nl=False)


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()
