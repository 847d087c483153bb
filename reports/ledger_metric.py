"""Metrics of what became of the mail: the ledger's counts, the time to the maildrop, and goodput."""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from reports.document import Document, LedgerResult
from reports.histogram import Histogram
from reports.ledger_result import COUNTS, EndToEnd
from reports.measure import Metric, Read, load_of, number
from reports.units import NS_PER_S

_ABSENT: Final = "no delivery was verified"
# What was never accepted is a share of all that was sent; the rest of what was accepted.
_OF_WHAT: Final = {"ambiguous": "sent", "ambiguous_arrived": "sent", "rejected": "sent"}
_UNTIMED: Final = "no delivery was seen as it came: nobody looked into the maildrops while the load went on"


def ledger_metrics() -> Iterator[Metric]:
    """Yield every metric that is read from the ledger, and goodput, which is where there is none too."""
    for name in COUNTS:
        yield Metric(
            f"ledger.{name}", "count", _count_reader(name), _ABSENT, question="correct", section="ledger",
            under_way=False, most=_most_reader(name),
        )   # fmt: skip
    for name in COUNTS[2:]:
        of = _OF_WHAT.get(name, "accepted")
        yield Metric(
            f"ledger.{name}.share", "share", _count_reader(name, of=of), f"no delivery was {of}",
            question="correct", section="ledger", under_way=False, what=f"of the deliveries {of}",
            most=_most_reader(name, of=of),
        )   # fmt: skip
    yield Metric(
        "ledger.backlog", "count", _backlog, _UNTIMED, section="ledger", under_way=False,
        what="deliveries accepted and not seen yet, at the worst second",
    )   # fmt: skip
    yield Metric(
        "ledger.drain", "ns", _drain, "no end of the drain is known, because not every delivery was seen",
        section="ledger", under_way=False, what="from the last acceptance to the last delivery seen",
    )   # fmt: skip
    yield Metric(
        "end_to_end", "ns", _end_to_end, _UNTIMED, takes_percentile=True, section="ledger", least=_end_to_end_least,
        under_way=False, what="from the acceptance of a delivery until it could be retrieved",
    )   # fmt: skip
    yield Metric(
        "goodput", "per_s", _goodput, "the run had no steady phase, or no message was offered", steady=True,
        least=_goodput_least, what="messages accepted, less those that a ledger did not find delivered once",
    )   # fmt: skip


def goodput(document: Document) -> tuple[float, float] | None:
    """Return between which two rates the messages per second lie that did their sender good; None: no data.

    What was accepted, and where deliveries are verified, the share of it that came to the right maildrop once and
    unchanged: mail that is lost or there twice is no good to anybody (RFC 2647 §3.17). What was not looked for to the
    end may be either. The rate is of the steady phase, the share of the whole run.
    """
    load, ledger = load_of(document), document.ledger
    if load is None or load.throughput is None or not load.messages.offered:
        return None
    accepted = load.throughput.messages_accepted_per_s
    if ledger is not None and ledger.not_made is not None:
        return 0.0, accepted
    if ledger is None or not ledger.accepted:
        return accepted, accepted
    found, perhaps = ledger.delivered_once, ledger.pending
    return accepted * found / ledger.accepted, accepted * min(1.0, (found + perhaps) / ledger.accepted)


def _goodput(document: Document, _: float | None) -> float | None:
    bounds = goodput(document)
    return bounds and bounds[1]


def _goodput_least(document: Document, _: float | None) -> float | None:
    bounds = goodput(document)
    return bounds and bounds[0]


def _count_reader(name: str, *, of: str | None = None) -> Read:
    return _reader(lambda ledger: number(ledger, name), of)


def _most_reader(name: str, *, of: str | None = None) -> Read:
    return _reader(lambda ledger: _at_most(ledger, name), of)


def _reader(count: Callable[[LedgerResult], float], of: str | None) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        ledger = document.ledger
        if ledger is None or not any(number(ledger, each) for each in COUNTS):
            return None
        whole = 1 if of is None else number(ledger, of)
        return count(ledger) / whole if whole else None

    return read


def _at_most(ledger: LedgerResult, name: str) -> float:
    """Return how many there may be: what is pending turns out to be one or another when its maildrop is read."""
    counted = number(ledger, name)
    if not ledger.pending:
        return counted
    match name:
        case "delivered_once" | "lost" | "duplicate" | "duplicate_lawful" | "corrupt":
            return counted + ledger.pending
        case "misdelivered":
            return math.inf          # nobody's delivery: how many of them an unread maildrop has, no count bounds
        case "ambiguous_arrived":
            return ledger.ambiguous
        case "reordered":
            return ledger.accepted
        case _:
            return counted


def _backlog(document: Document, _: float | None) -> float | None:
    return max(document.ledger.backlog) if document.ledger is not None and document.ledger.backlog else None


def _drain(document: Document, _: float | None) -> float | None:
    drained = document.ledger.drain_s if document.ledger is not None else None
    return None if drained is None else drained * NS_PER_S


def _end_to_end(document: Document, percentile: float | None) -> float | None:
    timed = _timed(document.ledger)
    if timed is None or percentile is None:
        return None
    # Those not timed may have been the slowest. They were found before the run was over: that bounds them.
    rank = _rank(timed, percentile)
    if rank > timed.count:
        return max(timed.latency_ns.max, document.duration_s * NS_PER_S)
    return _at(rank, timed.count, timed.latency_hdr, timed.latency_ns.max)


def _end_to_end_least(document: Document, percentile: float | None) -> float | None:
    timed = _timed(document.ledger)
    if timed is None or percentile is None:
        return None
    rank = _rank(timed, percentile) - timed.untimed      # or the quickest
    return 0.0 if rank <= 0 else _at(rank, timed.count, timed.least_hdr, timed.least_ns.max)


def _timed(ledger: LedgerResult | None) -> EndToEnd | None:
    return ledger.end_to_end if ledger is not None and ledger.end_to_end and ledger.end_to_end.count else None


def _rank(timed: EndToEnd, percentile: float) -> int:
    """Return the percentile's place among all deliveries found, from 1: nearest rank."""
    return max(1, math.ceil(Decimal(str(percentile)) * (timed.count + timed.untimed) / 100))


def _at(rank: int, count: int, encoded: str, greatest_ns: int) -> float | None:
    """Return the time at a place among those timed; of the last the exact one."""
    try:
        value = Histogram.decode(encoded).value_at(100 * (rank - 0.5) / count)
    except ValueError:  # damaged: a gate that could not look has not looked
        return None
    return None if value is None else greatest_ns if rank == count else min(value, greatest_ns)
