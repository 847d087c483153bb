"""What a metric is: a name, a unit, and how it is read from a document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from reports.document import Document, LedgerResult, LoadResult, MessageCounts, Quantiles, SessionCounts, Throughput
from reports.histogram import Histogram
from reports.load_result import PhaseResult

Unit = Literal["ns", "count", "share", "per_s"]
Question = Literal["correct", "fast_enough", "valid"]
Section = Literal["load", "ledger", "conformance", "comparison", "capacity"]
Read = Callable[[Document, float | None], float | None]

# percentile -> its field of Quantiles
IN_BRIEF: Final = {50.0: "p50", 90.0: "p90", 95.0: "p95", 99.0: "p99", 99.9: "p999", 100.0: "max"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurable thing. `read` returns None when there is no data, which is never the same as zero."""

    name: str
    unit: Unit
    read: Read
    absent: str                         # why there may be no data: the end of a sentence
    takes_percentile: bool = False
    question: Question = "fast_enough"
    steady: bool = False                # of the steady phase only; else of the whole run
    section: Section = "load"           # of the document it is read from
    least: Read | None = None           # of what is not known exactly: at least this; `read` is then at most
    most: Read | None = None            # of what was counted and may be more: at most this; `read` is then at least
    under_way: bool = True              # known while the load goes on, too
    kept: tuple[float, ...] = ()        # the only percentiles that are known; empty: any
    what: str = ""                      # for the list of all metrics


def load_of(document: Document) -> LoadResult | None:
    """Return the load section if anything happened in it."""
    return document.load if document.load is not None and document.load.sessions.arrived else None


def number(of: SessionCounts | MessageCounts | LedgerResult | Throughput, field: str) -> float:
    """Return one of the numbers a section has."""
    value: float = getattr(of, field)
    return value


def time_of(result: PhaseResult | None, percentile: float | None, *, response: bool) -> float | None:
    """Read a percentile (ns) of the times of one phase, or of one kind of session."""
    if not result or not result.count or percentile is None:
        return None
    if response:
        return at(percentile, result.response_hdr, result.response_ns)
    return at(percentile, result.service_hdr, result.service_ns)


def at(percentile: float, encoded: str, quantiles: Quantiles) -> float | None:
    """Read a percentile (ns) from an encoded histogram; the greatest time is known exactly beside it."""
    try:
        value = Histogram.decode(encoded).value_at(percentile)
    except ValueError:  # damaged: a gate that could not look has not looked
        return None
    if value is None:
        return None
    return quantiles.max if percentile == 100 else min(value, quantiles.max)


def errors_share(n: SessionCounts) -> float:
    """Return the share of arrivals that got no answer: a refusal is an answer, and no error. Some arrived."""
    return errors(n) / n.arrived


def errors(n: SessionCounts) -> int:
    """Return how many arrivals got no answer, though the server was not to be away (`outage`)."""
    return n.failed + n.timed_out + n.dropped - n.outage
