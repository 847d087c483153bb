"""A conformance run on a terminal: what is worth reading first, each with what repeats it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports import units
from reports.document import CaseResult, ConformanceResult
from reports.safe import inert

# In the order in which a person wants them; what is told of one by one, and how it looks.
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
_TOLD: Final = ("fail", "error", "divergence", "weak", "inconclusive", "latitude")


def summary_of_cases(result: ConformanceResult) -> Iterator[RenderableType]:
    """Give the counts, the notes, and every case that is neither passed, observed nor without occasion.

    The variants of one requirement that came to the same verdict are told together, by the first of them.
    """
    yield _counts(result)
    for note in result.notes:
        yield Text.assemble(("note  ", "dim"), inert(note))
    for verdict in _TOLD:
        of_verdict = (case for case in result.cases if case.verdict == verdict)
        for _, same in groupby(of_verdict, key=lambda case: (case.id.partition("#")[0], case.known)):
            first, *others = same
            yield _case(first, [case.id.partition("#")[2] for case in others])


def in_words(case: CaseResult) -> str:
    """Return a case's verdict, in capitals where something must be done."""
    word = case.verdict.upper() if case.verdict in {"fail", "error"} else case.verdict
    return f"known {case.verdict}" if case.known is not None else word


def _counts(result: ConformanceResult) -> Text:
    number = Counter[str](case.verdict for case in result.cases)
    of = " ".join(filter(None, [result.requirement_set and f"set {result.requirement_set}", result.profile]))
    line = Text(f"cases  {units.count(result.executed)} of {units.count(result.planned)} put to the server")
    if of:
        line.append(f" ({inert(of)})", style="dim")
    line.append("\n      ")
    for verdict, style in STYLES.items():
        if number[verdict]:
            line.append(f" {verdict} {units.count(number[verdict])}", style=style)
    return line


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
    if case.known is not None:
        table.add_row(Text("known", style="dim"), Text(inert(case.known)))
    if case.verdict in {"fail", "error"} and case.again:
        table.add_row(Text("again", style="dim"), Text(inert(case.again)))
    return table


def _sources(case: CaseResult) -> str:
    return ", ".join(inert(source) for source in case.sources)
