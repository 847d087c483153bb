"""What became of the mail, in the summary on the terminal."""

from collections.abc import Iterator
from typing import Final

from rich.table import Table
from rich.text import Text

from reports import units
from reports.ledger_result import COUNTS, IRREGULAR, EndToEnd, LedgerResult
from reports.safe import inert

SHOWN: Final = 5           # irregularities; all of them stand in ledger.jsonl
_NAME_WIDTH: Final = 8


def summary_of_ledger(ledger: LedgerResult) -> Table:
    """Return the counts, how long the mail took, and the first deliveries that were not as they should be."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column(min_width=_NAME_WIDTH)
    if ledger.not_made is not None:
        shown.add_row("ledger", Text(f"none: {inert(ledger.not_made)}"))
        return shown
    counted = ", ".join(
        f"{units.count(getattr(ledger, name))} {name.replace('_', ' ')}"
        for name in COUNTS
        if name == "accepted" or getattr(ledger, name)
    )
    shown.add_row("ledger", Text(counted))
    for line in _lines(ledger):
        shown.add_row("", Text(line))
    return shown


def _lines(ledger: LedgerResult) -> Iterator[str]:
    if ledger.end_to_end is not None:
        yield times_in_brief(ledger.end_to_end)
    if ledger.drain_s is not None and ledger.end_to_end is not None and ledger.end_to_end.count:
        yield f"the last was seen {units.duration(ledger.drain_s * 1e9)} after the last acceptance"
    for one in ledger.irregularities[:SHOWN]:
        yield inert(f"{one.kind}: {one.message_id} for {one.recipient}: {one.sentence}")
    more = sum(getattr(ledger, kind) for kind in IRREGULAR) - SHOWN
    if ledger.irregularities and more > 0:
        yield f"and {units.count(more)} more: ledger.jsonl names each"


def times_in_brief(times: EndToEnd) -> str:
    """Return how long mail took to its maildrop, and how far that is from being known."""
    untimed = f"{units.count(times.untimed)} not timed, for nobody had looked before they were found"
    if not times.count:
        return f"to the maildrop: {untimed}"
    most = times.latency_ns
    known = f"p50 {units.duration(most.p50)}, p99 {units.duration(most.p99)}, max {units.duration(most.max)}"
    bound = f" at the most, of which up to {units.duration(times.poll_ns.p99)} (p99) may be our looking so seldom"
    if not times.poll_ns.max:
        bound = ""
    return f"to the maildrop: {known}{bound}" + (f"; {untimed}" if times.untimed else "")
