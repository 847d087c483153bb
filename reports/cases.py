"""A conformance run on a terminal: what is worth reading first, each with what repeats it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports import units
from reports.document import CaseResult, ConformanceResult
from reports.safe import inert
from reports.under_load import UnderLoad
from reports.verdict import Verdict

# In the order in which a person wants them, and how each looks on a terminal.
STYLES: Final = {
    "fail": "bold red",
    "error": "bold red",
    "divergence": "yellow",
    "weak": "yellow",
    "inconclusive": "bold yellow",
    "latitude": "cyan",
    "observed": "dim",
    "not-applicable": "dim",
    "pass": "green",
}
TOLD: Final = ("fail", "error", "divergence", "weak", "inconclusive", "latitude")     # one by one, with evidence
_OUTSIDE_SHOWN: Final = 10
MEANINGS: Final = {
    "fail": "a MUST was broken",
    "error": "the case itself broke: mailproof's own fault",
    "divergence": "a MUST was broken in the way in which nearly every server breaks it",
    "weak": "lawful, and bad for the server's users",
    "inconclusive": "the case did not come to its question",
    "latitude": "lawful: a SHOULD not followed, or a choice that the RFC leaves",
    "observed": "a fact; nothing was asked",
    "not-applicable": "no occasion: something is not offered, or was not declared",
    "pass": "the requirement was kept",
}


@dataclass(frozen=True, slots=True)
class Told:
    """The variants of one requirement that came to the same verdict."""

    requirement: str
    verdict: str
    cases: tuple[CaseResult, ...]

    @property
    def first(self) -> CaseResult:
        """Return the case that stands for all."""
        return self.cases[0]


def told(result: ConformanceResult) -> list[Told]:
    """Return what must be told one by one, gravest first."""
    found = []
    for verdict in TOLD:
        of_verdict = (case for case in result.cases if case.verdict == verdict)
        for (requirement, _), same in groupby(of_verdict, key=lambda case: (_requirement(case), case.known)):
            found.append(Told(requirement, verdict, tuple(same)))
    return found


def by_area(result: ConformanceResult) -> dict[str, list[CaseResult]]:
    """Return all cases by area, the first two words of their ids."""
    areas: dict[str, list[CaseResult]] = {}
    for case in result.cases:
        areas.setdefault(".".join(case.id.split(".")[:2]), []).append(case)
    return areas


def number_of(cases: Iterable[CaseResult]) -> dict[str, int]:
    """Count cases by verdict, those that there are, in the order in which a person wants them."""
    number = Counter[str](case.verdict for case in cases)
    return {verdict: number[verdict] for verdict in STYLES if number[verdict]}


def _requirement(case: CaseResult) -> str:
    return case.id.partition("#")[0]


def summary_of_cases(result: ConformanceResult) -> Iterator[RenderableType]:
    """Give the counts, the notes, and every case that is neither passed, observed nor without occasion.

    The variants of one requirement that came to the same verdict are told together, by the first of them.
    """
    yield _counts(result)
    if result.under_load is not None:
        yield _load(result.under_load)
    for note in result.notes:
        yield Text.assemble(("note  ", "dim"), inert(note))
    for each in told(result):
        yield _case(each.first, [case.id.partition("#")[2] for case in each.cases[1:]])


def in_words(case: CaseResult) -> str:
    """Return a case's verdict, in capitals where something must be done."""
    word = case.verdict.upper() if case.verdict in {"fail", "error"} else case.verdict
    return f"known {case.verdict}" if case.known is not None else word


def _counts(result: ConformanceResult) -> Text:
    of = " ".join(filter(None, [result.requirement_set and f"set {result.requirement_set}", result.profile]))
    line = Text(f"cases  {units.count(result.executed)} of {units.count(result.planned)} put to the server")
    if of:
        line.append(f" ({inert(of)})", style="dim")
    line.append("\n      ")
    for verdict, number in number_of(result.cases).items():
        line.append(f" {verdict} {units.count(number)}", style=STYLES[verdict])
    return line


def _load(load: UnderLoad) -> Table:
    """Tell of the load that went on meanwhile."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for heading, sentence in lines_on_load(load):
        table.add_row(Text(heading, style="dim"), Text(inert(sentence)))
    return table


def lines_on_load(load: UnderLoad) -> Iterator[tuple[str, str]]:
    """Give what is to be told of the load that went on while cases were put, each line with its heading."""
    ended = ", and then it was ended" if load.ended_by_us else ""
    steady = f"for {_seconds(load.steady_s)} of its steady part"
    yield "load", f"{load.scenario}: cases were put to the server {steady}{ended}"
    rates = ""
    if load.sessions_per_s is not None and load.messages_accepted_per_s is not None:
        rates = (
            f"; {units.rate(load.sessions_per_s)} ended and {units.rate(load.messages_accepted_per_s)} messages "
            "accepted when it was steady"
        )
    n = load.sessions
    yield "", (
        f"{units.count(n.arrived)} sessions arrived, {units.count(n.accepted)} accepted, {units.count(n.refused)} "
        f"refused, {units.count(n.failed + n.timed_out)} failed or timed out{rates}"
    )
    for pace in load.paces:
        away = f"; {units.count(pace.turned_away)} sessions turned away" if pace.turned_away else ""
        yield "", (
            f"{pace.url} answered in {_seconds(pace.before_s)} before it; under it in {_seconds(pace.median_s)}, at "
            f"most {_seconds(pace.slowest_s)} ({units.count(pace.asked)} answers){away}"
        )
    for question, label in (("correct", "correct"), ("fast_enough", "fast enough"), ("valid", "believable")):
        verdict = getattr(load.verdicts, question)
        word = "not asked" if verdict is Verdict.NOT_APPLICABLE else verdict.value
        yield "", f"{label}: {word}; {'; '.join(each.sentence for each in load.reasons if each.verdict == question)}"
    if load.outside:
        more = f" and {len(load.outside) - _OUTSIDE_SHOWN} more" if len(load.outside) > _OUTSIDE_SHOWN else ""
        yield "outside", f"{', '.join(load.outside[:_OUTSIDE_SHOWN])}{more}"
    yield "", f"its report: {load.report}"


def _seconds(seconds: float) -> str:
    return units.duration(seconds * units.NS_PER_S)


def _case(case: CaseResult, others: Sequence[str] = ()) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    head = Text.assemble((inert(case.id), "bold"), f"  {inert(case.level)}", (f"  {_sources(case)}", "dim"))
    table.add_row(Text(in_words(case), style=STYLES[case.verdict]), head)
    if case.title:
        table.add_row("", Text(inert(case.title)))
    if case.expected:
        table.add_row(Text("expected", style="dim"), Text(inert(case.expected)))
    table.add_row(Text("got", style="dim"), Text(inert(case.got)))
    if others:
        table.add_row(Text("also", style="dim"), Text(inert(", ".join(others))))
    if case.verdicts_seen:
        table.add_row(Text("flaky", style="bold yellow"), Text(", ".join(case.verdicts_seen)))
    if case.without_load is not None:
        table.add_row(Text("no load", style="dim"), Text(without_load(case)))
    if case.known is not None:
        table.add_row(Text("known", style="dim"), Text(inert(case.known)))
    if case.verdict in {"fail", "error"} and case.again:
        table.add_row(Text("again", style="dim"), Text(inert(case.again)))
    return table


def without_load(case: CaseResult) -> str:
    """Say what a case came to when it was put again without the load."""
    if case.without_load == case.verdict:
        return f"{case.without_load}, too, when the load was over"
    return f"{case.without_load} when the load was over"


def _sources(case: CaseResult) -> str:
    return ", ".join(inert(source) for source in case.sources)
