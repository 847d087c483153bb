"""A result as Markdown, for the summary of a CI job: what a person must know, and no more than such a page holds."""

from collections.abc import Iterator, Sequence
from typing import Final

from reports import units
from reports.capacity_markdown import capacity_markdown
from reports.cases import Told, in_words, number_of, told
from reports.compare_markdown import comparison_markdown
from reports.document import ConformanceResult, Document, LedgerResult, LoadResult
from reports.markdown_parts import bad_reasons, escaped, gates, heading, row
from reports.overheard import times
from reports.phases import in_order

ROWS_MAX: Final = 50             # of one table: the whole of it is in the report
CELL_MAX: Final = 300            # characters
_GRAVE: Final = ("fail", "error")


def markdown(document: Document) -> str:
    """Return a result of any kind as Markdown."""
    if document.comparison is not None:
        return comparison_markdown(document)
    return "\n".join([*_head(document), *gates(document, "no data"), *_body(document)]) + "\n"


def _head(document: Document) -> Iterator[str]:
    yield heading(document.kind.capitalize(), document)
    yield ""
    servers = " ".join(escaped(endpoint.url) for endpoint in document.target)
    took = units.duration(document.duration_s * units.NS_PER_S)
    yield f"- **{escaped(document.run_id)}** {servers} in {took}, mailproof {escaped(document.mailproof)}"
    for endpoint in document.target:
        if endpoint.tls is not None and not endpoint.tls.verified:
            yield f"- **certificate not verified: {escaped(endpoint.url)}**"
    if document.conformance is not None:
        yield f"- {_counts(document.conformance)}"
    if document.ledger is not None:
        yield f"- ledger: {_ledger(document.ledger)}"
    yield from bad_reasons(document)
    yield ""


def _body(document: Document) -> Iterator[str]:
    if document.capacity is not None:
        yield from capacity_markdown(document.capacity)
    if document.load is not None:
        yield from _load(document.load)
    if document.conformance is not None:
        yield from _cases(told(document.conformance))


def _counts(result: ConformanceResult) -> str:
    of = "".join(f", {escaped(name)}" for name in (result.requirement_set, result.profile) if name)
    numbers = ", ".join(f"{verdict} {units.count(number)}" for verdict, number in number_of(result.cases).items())
    return f"{units.count(result.executed)} of {units.count(result.planned)} cases put to the server{of}: {numbers}"


def _ledger(ledger: LedgerResult) -> str:
    if ledger.not_made is not None:
        return f"none: {escaped(ledger.not_made)}"
    named = ((name.replace("_", " "), getattr(ledger, name)) for name in ledger.__struct_fields__)
    counts = ((name, number) for name, number in named if isinstance(number, int))
    return ", ".join(f"{units.count(number)} {name}" for name, number in counts if number or name == "accepted")


def _load(load: LoadResult) -> Iterator[str]:
    yield row("sessions", "arrived", "accepted", "refused", "failed", "timed out", "dropped", "interrupted")
    yield f"|---|{'--:|' * 7}"
    for name, n in {**(load.kinds if len(load.kinds) > 1 else {}), "all": load.sessions}.items():
        numbers = (n.arrived, n.accepted, n.refused, n.failed, n.timed_out, n.dropped, n.interrupted)
        yield row(escaped(name), *map(units.count, numbers))
    yield ""
    timed = [(name, load.phases[name]) for name in in_order(load.phases) if load.phases[name].count]
    if timed:
        yield f"<details><summary>Response times of {len(timed)} phases, in ms</summary>"
        yield ""
        yield row("phase", "count", "p50", "p99", "max")
        yield f"|---|{'--:|' * 4}"
        for name, phase in timed:
            found = phase.response_ns
            percentiles = (units.milliseconds(ns) for ns in (found.p50, found.p99, found.max))
            yield row(escaped(name), units.count(phase.count), *percentiles)
        yield from ("", "</details>", "")
    by_count = sorted(load.failures, key=lambda failure: -failure.count)
    yield from _table(
        ("sessions", "phase", "failure", "first seen as"),
        [(units.count(each.count), each.phase, each.cause, each.example) for each in by_count],
    )
    departures = load.monitors.departures if load.monitors is not None else ()
    yield from _table(
        ("requirement", "level", "", "seen", "expected", "got"),
        [(each.id, each.level, each.verdict, times(each), each.expected, each.got) for each in departures],
    )


def _cases(found: Sequence[Told]) -> Iterator[str]:
    """Show what failed, and fold away what is only worth knowing."""
    grave = [each for each in found if each.verdict in _GRAVE and each.first.known is None]
    yield from _table(_HEADINGS, [_cells(each) for each in grave])
    others = [each for each in found if each not in grave]
    if others:
        yield f"<details><summary>{len(others)} other{'' if len(others) == 1 else 's'} worth knowing</summary>"
        yield ""
        yield from _table(_HEADINGS, [_cells(each) for each in others])
        yield "</details>"


_HEADINGS: Final = ("", "requirement", "level", "source", "expected", "got")


def _cells(each: Told) -> tuple[str, ...]:
    case = each.first
    more = f" and {len(each.cases) - 1} more variants" if len(each.cases) > 1 else ""
    return in_words(case), case.id + more, case.level, ", ".join(case.sources), case.expected, case.known or case.got


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give a table of words that came from outside, if it has rows; past ROWS_MAX it says how many more there are."""
    if not rows:
        return
    yield row(*headings)
    yield f"|{'---|' * len(headings)}"
    for cells in rows[:ROWS_MAX]:
        yield row(*(escaped(cell if len(cell) <= CELL_MAX else f"{cell[:CELL_MAX]} …") for cell in cells))
    if len(rows) > ROWS_MAX:
        yield from ("", f"… and {units.count(len(rows) - ROWS_MAX)} more: see the report")
    yield ""
