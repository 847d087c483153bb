"""The two sets of a comparison: which runs are counted, whether they can be compared, and in what they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports.compare_result import ComparedRun, ComparedSide
from reports.document import Document
from reports.errors import UserError
from reports.load_result import LoadResult
from reports.verdict import Verdict

_KEYS_SHOWN: Final = 6
_ADDRESSES: Final = ("target", "target.smtp", "target.lmtp", "target.pop3")      # told as targets
_OF_EACH_RUN: Final = ("scenario.seed",)     # repetitions differ in it, and are meant to


@dataclass(frozen=True, slots=True)
class Run:
    """A result, and where it was read from."""

    result: str
    document: Document

    @property
    def load(self) -> LoadResult:
        """Return what was measured; runs without are refused before anybody asks."""
        assert self.document.load is not None
        return self.document.load


def counted(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that can be believed and are whole."""
    return [run for run in runs if why_left_out(run.document) is None]


def why_left_out(document: Document) -> str | None:
    """Return why a run is not counted; None when it is."""
    if document.interrupted is not None:
        return f"interrupted: its {document.interrupted} is not whole"
    if document.verdicts.valid is not Verdict.PASS:
        reasons = [reason.sentence for reason in document.reasons if reason.verdict == "valid"]
        return f"it cannot be believed: {'; '.join(reasons) or document.verdicts.valid.value}"
    return None


def check_comparable(base: Sequence[Run], new: Sequence[Run]) -> None:
    """Raise UserError where a comparison would mean nothing."""
    seen: dict[str, str] = {}
    for run in (*base, *new):
        if run.document.load is None:
            raise UserError(f"{run.result} is no load run: a {run.document.kind} result has no times to compare")
        if (before := seen.setdefault(_identity(run.document), run.result)) != run.result:
            raise UserError(f"{before} and {run.result} are the same run ({run.document.run_id}): it counts once")
        if [before for before in (*base, *new) if before is not run and before.result == run.result]:
            raise UserError(f"{run.result} is given twice: a run counts once")
    for name, side in (("base", base), ("new", new)):
        if not side:
            raise UserError(f"there is no {name} run: mailproof compare BASE... -- NEW...")
        for run in side[1:]:
            if unlike := list(_unlike(side[0].document.scenario, run.document.scenario)):
                raise UserError(
                    f"the {name} runs are not of one scenario: {side[0].result} and {run.result} differ in "
                    f"{_listed(unlike)}"
                )
    if (ours := base[0].load.model) != (theirs := new[0].load.model):
        raise UserError(f"base is of the {ours} model and new of the {theirs} model: their times mean different things")


def side_of(runs: Sequence[Run]) -> ComparedSide:
    """Return what the head of a report says of one side."""
    documents = [run.document for run in runs]
    return ComparedSide(
        runs=tuple(
            ComparedRun(
                result=run.result,
                run_id=run.document.run_id,
                started=run.document.started,
                seed=run.document.seed,
                left_out=why_left_out(run.document),
            )
            for run in runs
        ),
        scenario=_name(documents[0]),
        targets=_each(_target(document) for document in documents),
        machines=_each(_machine(document) for document in documents),
        versions=_each(document.mailproof for document in documents),
    )


def notes_on(base: Sequence[Run], new: Sequence[Run]) -> Iterator[str]:
    """Yield in what the sets differ beside what was to be compared, and what that means."""
    sides = side_of(base), side_of(new)
    differing = _unlike(base[0].document.scenario, new[0].document.scenario)
    if unlike := [key for key in differing if key not in _ADDRESSES]:
        load = [key for key in unlike if key.startswith(("load.", "session"))]
        yield f"the scenarios differ in {_listed(unlike)}" + (
            ": a difference may come of another load, and not of the server" if load else ""
        )
    for what, ours, theirs in (
        ("targets", sides[0].targets, sides[1].targets),
        ("machines", sides[0].machines, sides[1].machines),
        ("versions of mailproof", sides[0].versions, sides[1].versions),
    ):
        if set(ours) != set(theirs):
            yield f"different {what}: base {', '.join(ours)}; new {', '.join(theirs)}"
    seeds = [sorted({run.document.seed or 0 for run in side}) for side in (base, new)]
    if seeds[0] != seeds[1]:
        said = [", ".join(map(str, each)) for each in seeds]
        yield f"different seeds, so other arrivals: base {said[0]}; new {said[1]}"
    elif len(seeds[0]) == 1:
        yield f"all runs have seed {seeds[0][0]}: what is found holds for this one draw of arrivals"
    yield from _one_after_the_other(base, new)


def _one_after_the_other(base: Sequence[Run], new: Sequence[Run]) -> Iterator[str]:
    """Say so when time could be the difference: a machine that grew slower in between looks like a slower server."""
    times = [[run.document.started for run in side] for side in (base, new)]
    if max(times[0]) < min(times[1]) or max(times[1]) < min(times[0]):
        first, then = ("base", "new") if max(times[0]) < min(times[1]) else ("new", "base")
        yield (
            f"all {first} runs came before all {then} runs, so whatever else changed in between is in the difference: "
            "mailproof run --against takes them in turn"
        )


def _unlike(ours: Mapping[str, object], theirs: Mapping[str, object]) -> Iterator[str]:
    """Yield the keys in which two resolved scenarios differ, gates and words aside."""
    left, right = dict(_flat(ours)), dict(_flat(theirs))
    for key in dict.fromkeys([*left, *right]):
        told_apart = key in _OF_EACH_RUN or key.startswith(("gate", "scenario.name", "scenario.description"))
        if left.get(key) != right.get(key) and not told_apart:
            yield key


def _flat(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _flat(each, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):        # as a scenario's paths count: session[0]
            yield from _flat(each, f"{key}[{number}]")
    else:
        yield key, value


def _listed(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""
    return ", ".join(keys[:_KEYS_SHOWN]) + more


def _each(said: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said))


def _identity(document: Document) -> str:
    return f"{document.run_id} {document.started} {document.seed} {document.duration_s}"


def _name(document: Document) -> str:
    about = document.scenario.get("scenario")
    return str(about.get("name", "")) if isinstance(about, Mapping) else ""


def _target(document: Document) -> str:
    target = document.scenario.get("target")
    if target == "embedded" or (isinstance(target, Mapping) and "embedded" in target.values()):
        return "the embedded reference server"       # at a port of its own each time
    return " ".join(endpoint.url for endpoint in document.target) or "unknown"


def _machine(document: Document) -> str:
    host = document.host
    if host is None:
        return "unknown"
    return f"{host.hostname or 'a machine'} ({host.platform}, {host.cpus} processors)"
