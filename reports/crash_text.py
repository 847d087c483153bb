"""A crash in the summary on a terminal: when, what was seen of it, and when the server was back."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports import units
from reports.crash_result import CrashMoment, CrashResult, Outage
from reports.safe import inert


def crash_in_text(crash: CrashResult) -> Iterator[RenderableType]:
    """Show every crash, a line for each protocol that was away."""
    table = Table.grid(padding=(0, 2))
    for moment in crash.moments:
        for number, line in enumerate(_lines(moment)):
            table.add_row("" if number else f"crash at {units.duration(moment.at_ns)}", Text(inert(line)))
    if not crash.moments:
        table.add_row("crash", "none: the load ended before its time")
    yield table


def _lines(moment: CrashMoment) -> Iterator[str]:
    took = f"took {units.duration(moment.took_ns)}"
    if moment.trouble is not None:
        yield f"{moment.trouble} ({took})"
    else:
        yield f"the command {took}" if moment.exit_code is not None else f"killed and started again, {took}"
    for outage in moment.outages:
        yield told(outage)
    if not moment.outages:
        yield "no connection was refused or cut"


def told(outage: Outage) -> str:
    """Return what was seen of an outage, in words."""
    back = outage.recovery_ns
    end = "not back since" if back is None else f"accepted again {units.duration(back)} later"
    counts = f"{units.count(outage.refused)} refused, {units.count(outage.cut)} cut"
    return f"{outage.protocol.upper()} away from {units.duration(outage.began_ns)}: {counts}, {end}"
