"""A load's replies held against the RFCs, on a terminal: how many, and what they broke."""

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports import units
from reports.cases import STYLES
from reports.monitors import Departure, MonitorsResult
from reports.safe import inert

LINES_SHOWN: Final = 8               # of a transcript, on a terminal


def summary_of_monitors(result: MonitorsResult) -> Iterator[RenderableType]:
    """Give how much was judged, and every departure with the end of its transcript."""
    yield Text(f"replies   {in_brief(result)}")
    for departure in result.departures:
        yield _departure(departure)


def in_brief(result: MonitorsResult) -> str:
    """Say how many replies were judged of how many connections, and that nothing was amiss if so."""
    odd = ""
    if result.odd:
        odd = f", {units.count(result.odd_judged)} of the {units.count(result.odd)} odd ones among them"
    amiss = "" if result.departures or not result.replies else "; nothing amiss"
    return (
        f"{units.count(result.replies)} were held against {result.requirements} requirements: those of "
        f"{units.count(result.judged)} of {units.count(result.connections)} connections{odd}{amiss}"
    )


def times(departure: Departure) -> str:
    """Say how often a departure was seen."""
    return f"{units.count(departure.broken)} of {units.count(departure.looked)} times"


def _departure(departure: Departure) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    word = departure.verdict.upper() if departure.verdict == "fail" else departure.verdict
    sources = ", ".join(map(inert, departure.sources))
    head = Text.assemble(
        (inert(departure.id), "bold"), f"  {inert(departure.level)}  {inert(departure.protocol)}",
        (f"  {sources}", "dim"),
    )
    table.add_row(Text(word, style=STYLES.get(departure.verdict, "")), head)
    table.add_row("", Text(inert(departure.title)))
    table.add_row(Text("expected", style="dim"), Text(inert(departure.expected)))
    table.add_row(Text("got", style="dim"), Text(f"{inert(departure.got)}; {times(departure)}"))
    for line in departure.transcript[-LINES_SHOWN:]:
        table.add_row("", Text(inert(line), style="dim"))
    return table
