"""What it costs to record a time."""

import random
from collections.abc import Callable

from hdrh.histogram import HdrHistogram

from benchmarks.micro.timing import best_ns_each
from reports.histogram import HIGHEST_NS, LOWEST_NS, SIGNIFICANT_DIGITS, Histogram

UNIT = "ns/value"
COUNT = 50_000
BATCHES = (1_000, 10_000)


def values() -> list[int]:
    """Return times as they come: around a millisecond, some much longer."""
    rng = random.Random(1)
    return [int(rng.lognormvariate(13.8, 1.0)) for _ in range(COUNT)]


def library() -> dict[str, float]:
    """hdrh's `record_value`, one by one."""
    times, histogram = values(), HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)

    def record() -> None:
        for value in times:
            histogram.record_value(value)

    return {UNIT: best_ns_each(record, COUNT)}


def appended() -> dict[str, float]:
    """`list.append` alone: what nobody can beat."""
    times = values()

    def record() -> None:
        kept: list[int] = []
        for value in times:
            kept.append(value)  # noqa: PERF402  one by one is what is measured

    return {UNIT: best_ns_each(record, COUNT)}


def ours(batch: int) -> dict[str, float]:
    """Keep in a list, and fold the list into the histogram when it has grown to a batch."""
    times, histogram = values(), Histogram()

    def record() -> None:
        kept: list[int] = []
        for value in times:
            kept.append(value)
            if len(kept) == batch:
                histogram.record_many(kept)
                kept.clear()
        histogram.record_many(kept)

    return {UNIT: best_ns_each(record, COUNT)}


SIDES: dict[str, Callable[[], dict[str, float]]] = {
    "mailproof": lambda: ours(BATCHES[0]),
    "mailproof, batches of 10,000": lambda: ours(BATCHES[1]),
    "hdrh record_value": library,
    "list.append alone": appended,
}
