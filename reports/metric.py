"""What a gate can look at: each metric's name, its unit, and how it is read from a document.

Counts and shares are of the whole run; times and rates are of the steady phase only.
"""

from collections.abc import Iterator
from typing import Final

from reports.document import Document
from reports.ledger_result import COUNTS
from reports.measure import Metric, Question, Read, Unit, at, errors_share, load_of, number
from reports.named_metric import (
    NOTHING_NAMED,
    REPLY_METRIC,
    SESSION_KINDS,
    SESSION_METRIC,
    Named,
    named_metric,
    phase_metric,
)
from reports.phases import PHASES
from reports.retry_metric import retry_metrics

__all__ = ["Metric", "Question", "Unit", "known_metrics", "metric_named"]

MESSAGE_KINDS: Final = ("offered", "accepted", "refused", "retrieved")
LEDGER_COUNTS: Final = COUNTS


def metric_named(name: str, named: Named = NOTHING_NAMED) -> Metric | None:
    """Return the metric of this name, or None when there is no such in a scenario with these names."""
    return _FIXED.get(name) or named_metric(name, named)


def known_metrics() -> tuple[str, ...]:
    """Return every metric's name; those in angle brackets stand for families, `replies.<phase>.<code>`."""
    return (*_FIXED, REPLY_METRIC, SESSION_METRIC)


def _phase_metrics() -> Iterator[Metric]:
    for phase in PHASES:
        yield phase_metric(phase, "response")
        yield phase_metric(phase, "service")


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


def _session_reader(kind: str, *, shared: bool = False) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = load_of(document)
        if load is None:
            return None
        return number(load.sessions, kind) / (load.sessions.arrived if shared else 1)

    return read


def _errors_share(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return errors_share(load.sessions) if load is not None else None


def _rate_reader(field: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = load_of(document)
        return number(load.throughput, field) if load is not None and load.throughput is not None else None

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
        load = load_of(document)
        if load is None or (kind != "retrieved" and not load.messages.offered):
            return None
        return number(load.messages, kind)

    return read


def _ledger_metrics() -> Iterator[Metric]:
    absent = "no delivery was verified"
    for name in LEDGER_COUNTS:
        yield Metric(f"ledger.{name}", "count", _ledger_reader(name), absent, question="correct")


def _ledger_reader(name: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        ledger = document.ledger
        if ledger is None or not any(number(ledger, each) for each in LEDGER_COUNTS):
            return None
        return number(ledger, name)

    return read


def _health_metrics() -> Iterator[Metric]:
    absent = "no session was started in the steady phase"
    yield Metric("health.schedule_lag", "ns", _schedule_lag, absent, takes_percentile=True)
    yield Metric("health.cpu_share", "share", _cpu_share, "no session arrived")
    yield Metric("health.longest_pause", "ns", _longest_pause, "no session arrived")
    yield Metric("in_flight_peak", "count", _in_flight_peak, "no session arrived")


def _schedule_lag(document: Document, percentile: float | None) -> float | None:
    load = load_of(document)
    if load is None or percentile is None:
        return None
    return at(percentile, load.health.schedule_lag_hdr, load.health.schedule_lag_ns)


def _cpu_share(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return load.health.cpu_share if load is not None else None


def _longest_pause(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return load.health.longest_pause_ns if load is not None else None


def _in_flight_peak(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return load.in_flight_peak if load is not None else None


_FIXED: Final[dict[str, Metric]] = {
    metric.name: metric
    for family in (
        _phase_metrics, _session_metrics, _message_metrics, retry_metrics, _ledger_metrics, _health_metrics
    )
    for metric in family()
}
