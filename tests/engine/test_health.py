"""The generator's own condition is measured without flattering itself."""

import gc
import resource

import pytest
import trio
from trio.testing import MockClock

from loadgen.engine.health.collector import heap_at_rest
from loadgen.engine.health.monitor import HealthMonitor, doubts
from loadgen.engine.health.process import raise_open_files_limit
from loadgen.engine.recorder import Recorder
from loadgen.engine.window import Window
from reports.histogram import Histogram
from reports.load_result import Health
from tests.engine.stage import MS


async def beaten(clock: MockClock, *, stall_s: float = 0.0) -> Health:
    """Let the heart beat through a steady phase from 1 s to 3 s, with a stall of our own at 2 s."""
    monitor = HealthMonitor(Recorder(Window(1000 * MS, 3000 * MS)), origin_ns=0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(monitor.beat)
        await trio.sleep(2.0)
        if stall_s:
            clock.jump(stall_s)
    return monitor.result(Histogram())


async def test_a_loop_that_keeps_up_has_no_lag(autojump_clock: MockClock) -> None:
    health = await beaten(autojump_clock)
    assert health.loop_lag_ns.max <= 1000          # what float seconds round away
    assert trio.current_time() == pytest.approx(3.0)
    assert doubts(health) == []


async def test_a_stall_counts_for_every_beat_that_was_due_in_it(autojump_clock: MockClock) -> None:
    health = await beaten(autojump_clock, stall_s=0.5)
    # A quarter of the steady phase was stalled: the median saw nothing, the 90th percentile most of it.
    assert health.loop_lag_ns.max == pytest.approx(500 * MS, abs=21 * MS)
    assert health.loop_lag_ns.p50 <= 1000
    assert health.loop_lag_ns.p90 == pytest.approx(300 * MS, abs=21 * MS)
    assert len(doubts(health)) == 1


async def test_a_busy_loop_is_not_late_by_more_than_its_passes_are_long(autojump_clock: MockClock) -> None:
    monitor = HealthMonitor(Recorder(Window(0, 2000 * MS)), origin_ns=0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(monitor.beat)
        await trio.sleep(0.5)
        for _ in range(10):                 # every pass over the tasks takes as long as five beats
            autojump_clock.jump(0.1)
            await trio.lowlevel.checkpoint()
    assert 80 * MS < monitor.result(Histogram()).loop_lag_ns.max <= 220 * MS


async def test_the_heart_stops_with_the_steady_phase_however_early(autojump_clock: MockClock) -> None:
    recorder = Recorder(Window(0, 1 << 62))
    monitor = HealthMonitor(recorder, origin_ns=0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(monitor.beat)
        await trio.sleep(0.51)
        recorder.end_load(510 * MS)
    assert trio.current_time() == pytest.approx(0.52)


def test_the_collectors_callback_is_there_for_the_run_alone() -> None:
    before = list(gc.callbacks)

    def a_run_that_breaks() -> None:
        with HealthMonitor(Recorder(Window(0, 1)), 0) as monitor:
            gc.collect()
            assert monitor.result(Histogram()).gc_pause_ns_max > 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        a_run_that_breaks()
    assert gc.callbacks == before


def test_what_there_was_before_the_run_is_no_matter_of_the_collectors_while_it_lasts() -> None:
    with heap_at_rest():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_the_limit_of_open_files_is_what_the_system_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_open_files_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
