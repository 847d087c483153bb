"""Metrics of the generator itself: what a gate on them is about is whether the run can be believed."""

from collections.abc import Iterator

from reports.document import Document
from reports.measure import IN_BRIEF, Metric, at, load_of


def health_metrics() -> Iterator[Metric]:
    """Yield every metric of the generator's health."""
    yield Metric(
        "health.schedule_lag", "ns", _schedule_lag, "no session was started in the steady phase",
        takes_percentile=True, question="valid", steady=True, what="how late sessions started",
    )   # fmt: skip
    yield Metric(
        "health.loop_lag", "ns", _loop_lag, "no session arrived", takes_percentile=True, question="valid", steady=True,
        under_way=False, kept=tuple(IN_BRIEF), what="how late timers fired",
    )   # fmt: skip
    yield Metric(
        "health.cpu_share", "share", _cpu_share, "no session arrived", question="valid", steady=True, under_way=False,
        what="of one core, by the busiest process",
    )   # fmt: skip
    yield Metric(
        "health.longest_pause", "ns", _longest_pause, "no session arrived", question="valid", under_way=False,
        what="between two heartbeats",
    )   # fmt: skip


def _schedule_lag(document: Document, percentile: float | None) -> float | None:
    load = load_of(document)
    if load is None or percentile is None:
        return None
    return at(percentile, load.health.schedule_lag_hdr, load.health.schedule_lag_ns)


def _loop_lag(document: Document, percentile: float | None) -> float | None:
    load = load_of(document)
    if load is None or percentile not in IN_BRIEF:
        return None
    lag: float = getattr(load.health.loop_lag_ns, IN_BRIEF[percentile])
    return lag


def _cpu_share(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return load.health.cpu_share if load is not None else None


def _longest_pause(document: Document, _: float | None) -> float | None:
    load = load_of(document)
    return load.health.longest_pause_ns if load is not None else None
