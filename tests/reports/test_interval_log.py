"""The log of intervals: what goes in comes out, in its order, and does not stay in memory."""

import pickle
import tracemalloc

from reports.histogram import Histogram, Interval
from reports.interval_log import IntervalLog


def interval(second: int) -> Interval:
    histogram = Histogram()
    histogram.record_many([1_000_000 + second, 2_000_000])
    return Interval.of("smtp.mail", float(second), 1.0, histogram)


def test_what_goes_in_comes_out_in_its_order() -> None:
    log = IntervalLog([interval(0)])
    log.append(interval(1))
    log.extend([interval(2), interval(3)])
    assert list(log) == list(log) == [interval(second) for second in range(4)]
    assert len(log) == 4


def test_more_can_be_added_after_it_was_read() -> None:
    log = IntervalLog([interval(0)])
    assert list(log) == [interval(0)]
    log.append(interval(1))
    assert list(log) == [interval(0), interval(1)]


def test_it_crosses_processes_whole() -> None:
    log = IntervalLog([interval(0), interval(1)])
    assert list(pickle.loads(pickle.dumps(log))) == list(log)


def test_ten_thousand_intervals_take_no_memory() -> None:
    log, one = IntervalLog(), interval(0)
    tracemalloc.start()
    try:
        log.extend(one for _ in range(10_000))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 50_000      # octets: they would be three million
