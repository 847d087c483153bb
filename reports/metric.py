"""What a gate can look at: each metric's name, its unit, and how it is read from a document.

Counts and shares are of the whole run; times and rates are of the steady phase only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from reports.document import (
    Document,
    LedgerResult,
    LoadResult,
    MessageCounts,
    Quantiles,
    SessionCounts,
    Throughput,
)
from reports.histogram import Histogram
from reports.phases import PHASES

Unit = Literal["ns", "count", "share", "per_s"]
Question = Literal["correct", "fast_enough"]
Read = Callable[[Document, float | None], float | None]

SESSION_KINDS: Final = ("arrived", "accepted", "refused", "failed", "timed_out", "dropped", "interrupted")
MESSAGE_KINDS: Final = ("offered", "accepted", "refused", "retrieved")
LEDGER_CLASSES: Final = LedgerResult.__struct_fields__
REPLY_METRIC: Final = "replies.<phase>.<code>"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurable thing. `read` returns None when there is no data, which is never the same as zero."""

    name: str
    unit: Unit
    read: Read
    absent: str  # why there may be no data: the end of a sentence
    takes_percentile: bool = False
    question: Question = "fast_enough"


def metric_named(name: str) -> Metric | None:
    """Return the metric of this name, or None when there is no such."""
    return _FIXED.get(name) or _reply_metric(name)


def known_metrics() -> tuple[str, ...]:
    """Return every metric's name; the last one stands for a family, `replies.<phase>.<code>`."""
    return (*_FIXED, REPLY_METRIC)


def _phase_metrics() -> Iterator[Metric]:
    for phase in PHASES:
        absent = f"no {phase} was completed in the steady phase"
        yield Metric(
            f"{phase}.response", "ns", _time_reader(phase, response=True), absent, takes_percentile=True
        )
        yield Metric(
            f"{phase}.service", "ns", _time_reader(phase, response=False), absent, takes_percentile=True
        )


def _time_reader(phase: str, *, response: bool) -> Read:
    def read(document: Document, percentile: float | None) -> float | None:
        result = document.load and document.load.phases.get(phase)
        if not result or not result.count or percentile is None:
            return None
        if response:
            return _at(percentile, result.response_hdr, result.response_ns)
        return _at(percentile, result.service_hdr, result.service_ns)

    return read


def _at(percentile: float, encoded: str, quantiles: Quantiles) -> float | None:
    """Read a percentile (ns) from an encoded histogram; the greatest time is known exactly beside it."""
    try:
        value = Histogram.decode(encoded).value_at(percentile)
    except ValueError:  # damaged: a gate that could not look has not looked
        return None
    if value is None:
        return None
    return quantiles.max if percentile == 100 else min(value, quantiles.max)


def _session_metrics() -> Iterator[Metric]:
    absent = "no session arrived"
    for kind in SESSION_KINDS:
        yield Metric(f"sessions.{kind}", "count", _session_reader(kind), absent)
    for kind in SESSION_KINDS[1:]:
        yield Metric(f"sessions.{kind}.share", "share", _session_reader(kind, shared=True), absent)
    for kind in SESSION_KINDS[:-1]:
        yield Metric(f"sessions.{kind}.per_s", "per_s", _rate_reader(f"sessions_{kind}_per_s"), _NO_STEADY)
    yield Metric("sessions.per_s", "per_s", _rate_reader("sessions_per_s"), _NO_STEADY)
    yield Metric("errors.share", "share", _errors_share, absent)


_NO_STEADY: Final = "the run had no steady phase, or no session arrived"


def _load_of(document: Document) -> LoadResult | None:
    """Return the load section if anything happened in it."""
    return document.load if document.load is not None and document.load.sessions.arrived else None


def _number(of: SessionCounts | MessageCounts | LedgerResult | Throughput, field: str) -> float:
    value: float = getattr(of, field)
    return value


def _session_reader(kind: str, *, shared: bool = False) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = _load_of(document)
        if load is None:
            return None
        return _number(load.sessions, kind) / (load.sessions.arrived if shared else 1)

    return read


def _errors_share(document: Document, _: float | None) -> float | None:
    """Read the share of arrivals that got no answer: a refusal is an answer, and no error."""
    load = _load_of(document)
    if load is None:
        return None
    return (load.sessions.failed + load.sessions.timed_out + load.sessions.dropped) / load.sessions.arrived


def _rate_reader(field: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = _load_of(document)
        return _number(load.throughput, field) if load is not None and load.throughput is not None else None

    return read


def _message_metrics() -> Iterator[Metric]:
    for kind in MESSAGE_KINDS:
        yield Metric(f"messages.{kind}", "count", _message_reader(kind), _no_message(kind))
    for kind in MESSAGE_KINDS:
        yield Metric(f"messages.{kind}.per_s", "per_s", _rate_reader(f"messages_{kind}_per_s"), _NO_STEADY)


def _no_message(kind: str) -> str:
    return "no session arrived" if kind == "retrieved" else "no message was offered"


def _message_reader(kind: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = _load_of(document)
        if load is None or (kind != "retrieved" and not load.messages.offered):
            return None
        return _number(load.messages, kind)

    return read


def _ledger_metrics() -> Iterator[Metric]:
    absent = "no delivery was verified"
    for name in LEDGER_CLASSES:
        yield Metric(f"ledger.{name}", "count", _ledger_reader(name), absent, question="correct")


def _ledger_reader(name: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        ledger = document.ledger
        if ledger is None or not any(_number(ledger, each) for each in LEDGER_CLASSES):
            return None
        return _number(ledger, name)

    return read


def _health_metrics() -> Iterator[Metric]:
    absent = "no session was started in the steady phase"
    yield Metric("health.schedule_lag", "ns", _schedule_lag, absent, takes_percentile=True)
    yield Metric("health.cpu_share", "share", _cpu_share, "no session arrived")
    yield Metric("in_flight_peak", "count", _in_flight_peak, "no session arrived")


def _schedule_lag(document: Document, percentile: float | None) -> float | None:
    load = _load_of(document)
    if load is None or percentile is None:
        return None
    return _at(percentile, load.health.schedule_lag_hdr, load.health.schedule_lag_ns)


def _cpu_share(document: Document, _: float | None) -> float | None:
    load = _load_of(document)
    return load.health.cpu_share if load is not None else None


def _in_flight_peak(document: Document, _: float | None) -> float | None:
    load = _load_of(document)
    return load.in_flight_peak if load is not None else None


def _reply_metric(name: str) -> Metric | None:
    """Read `replies.<phase>.<code>`; the code may be a class as RFC 5321 §4.2.1 writes it, "4yz"."""
    family, _, rest = name.partition(".")
    phase, _, code = rest.rpartition(".")
    if family != "replies" or phase not in PHASES or not _is_code(code, phase):
        return None

    def read(document: Document, _: float | None) -> float | None:
        seen = (
            [] if document.load is None else [each for each in document.load.replies if each.phase == phase]
        )
        if not seen:
            return None
        return sum(
            each.count
            for each in seen
            if each.code == code or (code[1:] == "yz" and each.code[:1] == code[0])
        )

    return Metric(name, "count", read, f"no reply to {phase} was seen")


def _is_code(code: str, phase: str) -> bool:
    if phase.startswith("pop3."):
        return code in ("+OK", "-ERR")
    return len(code) == 3 and code[0] in "12345" and (code[1:] == "yz" or (code.isascii() and code.isdigit()))


_FIXED: Final[dict[str, Metric]] = {
    metric.name: metric
    for family in (_phase_metrics, _session_metrics, _message_metrics, _ledger_metrics, _health_metrics)
    for metric in family()
}
