"""What a gate can look at: each metric's name, its unit, and how it is read from a document.

Counts and shares are of the whole run; times and rates are of the steady phase only. Gates, `compare` and `trend` speak
of the same metrics by the same names.
"""

from collections.abc import Iterator
from typing import Final

from reports.capacity_metric import capacity_metrics
from reports.case_metric import case_metrics
from reports.crash_metric import crash_metrics
from reports.document import Document
from reports.health_metric import health_metrics
from reports.histogram import Histogram
from reports.ledger_metric import ledger_metrics
from reports.ledger_result import COUNTS
from reports.measure import Metric, Question, Read, Unit, errors, errors_share, load_of, number
from reports.named_metric import (
    FAMILIES,
    NOTHING_NAMED,
    SESSION_KINDS,
    Named,
    named_metric,
    phase_metric,
)
from reports.phases import PHASES, PROTOCOLS
from reports.retry_metric import retry_metrics

__all__ = ["Metric", "Question", "Unit", "fixed_metrics", "known_metrics", "metric_named"]

MESSAGE_KINDS: Final = ("offered", "accepted", "refused", "retrieved")
LEDGER_COUNTS: Final = COUNTS


def metric_named(name: str, named: Named = NOTHING_NAMED) -> Metric | None:
    """Return the metric of this name, or None when there is no such in a scenario with these names."""
    return _FIXED.get(name) or named_metric(name, named)


def known_metrics() -> tuple[str, ...]:
    """Return every metric's name; those in angle brackets stand for families, `replies.<phase>.<code>`."""
    return (*_FIXED, *FAMILIES)


def fixed_metrics() -> Iterator[Metric]:
    """Yield every metric that is of no family, in order; those of the phases apart."""
    return (metric for name, metric in _FIXED.items() if name.rpartition(".")[0] not in PHASES)


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
        yield _rate(f"sessions.{kind}.per_s", f"sessions_{kind}_per_s")
    yield _rate("sessions.per_s", "sessions_per_s", what="ended, however they did; dropped arrivals apart")
    for which in ("response", "service"):
        yield Metric(
            f"sessions.{which}", "ns", _whole_sessions(response=which == "response"),
            "no whole session was timed in the steady phase", takes_percentile=True, steady=True,
            what="whole sessions of all protocols together",
        )   # fmt: skip
    what = "sessions that got no answer: failed, timed out, dropped"
    yield Metric("errors", "count", _errors, absent, what=what)
    yield Metric("errors.share", "share", _errors_share, absent, what="the same of the arrivals")
    yield Metric(
        "errors.per_s", "per_s", _errors_rate, _NO_STEADY, steady=True, least=_errors_rate_least, what="the same"
    )
    yield Metric("in_flight_peak", "count", _in_flight_peak, absent, under_way=False)


_NO_STEADY: Final = "the run had no steady phase, or no session arrived"


def _rate(name: str, field: str, what: str = "") -> Metric:
    def read(document: Document, _: float | None) -> float | None:
        load = load_of(document)
        return number(load.throughput, field) if load is not None and load.throughput is not None else None

    return Metric(name, "per_s", read, _NO_STEADY, steady=True, what=what)


def _session_reader(kind: str, *, shared: bool = False) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = load_of(document)
        if load is None:
            return None
        return number(load.sessions, kind) / (load.sessions.arrived if shared else 1)

    return read


def _whole_sessions(*, response: bool) -> Read:
    """Read a percentile over the merged histograms of every protocol."""
    def read(document: Document, percentile: float | None) -> float | None:
        load, whole = load_of(document), Histogram()
        if load is None or percentile is None:
            return None
        for protocol in PROTOCOLS:
            if (part := load.phases.get(f"{protocol}.session")) is not None:
                hdr, brief = (
                    (part.response_hdr, part.response_ns) if response else (part.service_hdr, part.service_ns)
                )
                try:
                    whole.merge_encoded(hdr, brief.max)
                except ValueError:  # damaged: a gate that could not look has not looked
                    return None
        return whole.value_at(percentile)

    return read


def _errors(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return errors(load.sessions) if load is not None else None


def _errors_share(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return errors_share(load.sessions) if load is not None else None


def _errors_rate(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    if load is None or load.throughput is None:
        return None
    of = load.throughput
    return of.sessions_failed_per_s + of.sessions_timed_out_per_s + of.sessions_dropped_per_s


def _errors_rate_least(document: Document, _: float | None) -> float | None:
    """Leave out an outage that was asked for: when its sessions ended, in the steady phase or not, is not kept."""
    load, most = load_of(document), _errors_rate(document, None)
    if load is None or most is None or not load.sessions.outage:
        return most
    return max(0.0, most - load.sessions.outage / load.steady_s)


def _in_flight_peak(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return load.in_flight_peak if load is not None else None


def _message_metrics() -> Iterator[Metric]:
    for kind in MESSAGE_KINDS:
        yield Metric(f"messages.{kind}", "count", _message_reader(kind), _no_message(kind))
    for kind in MESSAGE_KINDS:
        yield _rate(f"messages.{kind}.per_s", f"messages_{kind}_per_s")


def _no_message(kind: str) -> str:
    return "no session arrived" if kind == "retrieved" else "no message was offered"


def _message_reader(kind: str) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        load = load_of(document)
        if load is None or (kind != "retrieved" and not load.messages.offered):
            return None
        return number(load.messages, kind)

    return read


_FIXED: Final[dict[str, Metric]] = {
    metric.name: metric
    for family in (
        _phase_metrics, _session_metrics, _message_metrics, retry_metrics, ledger_metrics, health_metrics, case_metrics,
        capacity_metrics, crash_metrics,
    )
    for metric in family()
}
