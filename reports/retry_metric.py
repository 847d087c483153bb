"""Metrics of what was put off and tried again, over all sessions that do so. Counts are of deliveries."""

from collections.abc import Iterator, Sequence
from typing import Final

from reports.document import Document
from reports.histogram import Histogram
from reports.load_result import LoadResult
from reports.measure import Metric, Read
from reports.retry_result import RetryResult

ABSENT: Final = "no session that tries again has ended its first attempt"

# metric -> the counts it adds up, as paths in a RetryResult
_COUNTS: Final = {
    "retry.accepted_first": ("first.accepted",),
    "retry.deferred_first": ("first.deferred",),
    "retry.bounced_first": ("first.bounced",),
    "retry.accepted_later": ("deliveries.accepted_later",),
    "retry.accepted": ("deliveries.accepted_first", "deliveries.accepted_later"),
    "retry.bounced": ("deliveries.bounced",),
    "retry.given_up": ("deliveries.given_up",),
    "retry.unfinished": ("deliveries.unfinished",),
}


def retry_metrics() -> Iterator[Metric]:
    """Yield every metric of what is tried again."""
    for name, paths in _COUNTS.items():
        yield Metric(name, "count", _count_reader(paths), ABSENT, under_way=False)
        yield Metric(f"{name}.share", "share", _count_reader(paths, shared=True), ABSENT, under_way=False)
    yield Metric("retry.sessions", "count", _count_reader(("tried_again",)), ABSENT, under_way=False)
    absent = "no delivery of the steady phase, of a session that tries again, was accepted"
    yield Metric("retry.delay", "ns", _delay, absent, takes_percentile=True, steady=True, under_way=False)


def delays_of(load: LoadResult) -> Histogram:
    """Return how long deliveries took to be accepted, all sessions that try again together.

    ValueError if a histogram is damaged.
    """
    delays = Histogram()
    for result in load.retries.values():
        delays.merge_encoded(result.delay_hdr, result.delay_ns.max)
    return delays


def _count_reader(paths: Sequence[str], *, shared: bool = False) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        results = [] if document.load is None else [*document.load.retries.values()]
        total = sum(result.deliveries.total for result in results)
        if not total:
            return None
        return sum(_at(result, path) for result in results for path in paths) / (total if shared else 1)

    return read


def _at(result: RetryResult, path: str) -> int:
    part: object = result
    for name in path.split("."):
        part = getattr(part, name)
    assert isinstance(part, int)
    return part


def _delay(document: Document, percentile: float | None) -> float | None:
    if document.load is None or percentile is None:
        return None
    try:
        delays = delays_of(document.load)
    except ValueError:  # damaged: a gate that could not look has not looked
        return None
    value = delays.value_at(percentile)
    return None if value is None else min(value, delays.max_ns)
