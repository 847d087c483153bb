"""Several processes' health put together: the worst of each sign, and numbers in flight that add."""

import pytest

from loadgen.engine.health.worst import worst_of
from reports.health import Health, InFlight, Pause
from reports.histogram import Histogram
from reports.times import Quantiles

MS = 1_000_000


def paused(*lengths_ms: int) -> Health:
    pauses = tuple(Pause(at_ns=0, length_ns=length * MS) for length in lengths_ms)
    return Health(longest_pause_ns=max(lengths_ms) * MS, pauses=pauses, pauses_count=len(pauses))


def test_the_worst_of_each_sign_stands_whichever_process_has_it() -> None:
    first = Health(
        loop_lag_ns=Quantiles(p99=9 * MS), cpu_share=0.2, gc_pause_ns_max=3, gc_collections=5, open_files_max=7
    )
    second = Health(loop_lag_ns=Quantiles(p99=2 * MS), cpu_share=0.9, gc_pause_ns_max=8, gc_collections=2)
    lag = Histogram()
    lag.record_many([5, 7])
    worst = worst_of([first, second], lag)
    assert (worst.loop_lag_ns.p99, worst.cpu_share, worst.gc_pause_ns_max) == (9 * MS, 0.9, 8)
    assert (worst.gc_collections, worst.open_files_max, worst.schedule_lag_ns.max) == (7, 7, 7)


def test_pauses_of_all_processes_are_counted_and_the_longest_come_first() -> None:
    worst = worst_of([paused(250, 210), paused(900), paused(*range(300, 310))], Histogram())
    assert worst.pauses_count == 13
    assert [pause.length_ns // MS for pause in worst.pauses] == [900, *range(309, 300, -1)]
    assert worst.longest_pause_ns == 900 * MS


def test_littles_law_is_of_all_processes_together() -> None:
    parts = [
        Health(in_flight=InFlight(looks=100, seen=3.0, seen_variance=0.03, recorded=3.1)),
        Health(in_flight=InFlight(looks=100, seen=5.0, seen_variance=0.05, recorded=4.8)),
        Health(),
    ]
    law = worst_of(parts, Histogram()).in_flight
    assert law is not None
    assert law.looks == 200
    assert [law.seen, law.recorded, law.seen_variance] == pytest.approx([8.0, 7.9, 0.08])
    assert worst_of([Health(), Health()], Histogram()).in_flight is None
