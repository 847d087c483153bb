"""The generator's own condition is measured without flattering itself."""

import gc
import resource
import sys
import time
import weakref

import pytest
import trio
from trio.testing import MockClock

from loadgen.clock import clock_ns
from loadgen.engine.health.collector import CollectorWatch, circles_freed, heap_at_rest
from loadgen.engine.health.in_flight import Presence
from loadgen.engine.health.monitor import HealthMonitor
from loadgen.engine.health.process import raise_open_files_limit
from loadgen.engine.recorder import Recorder
from loadgen.engine.window import Window
from reports.health import Health
from tests.engine.stage import MS

NONE_STEADY = Window(1 << 62, 1 << 62)


async def watched(
    clock: MockClock, *stalls: tuple[float, float], window: Window | None = None, until_s: float = 3.0
) -> Health:
    """Watch a run with a steady phase from 1 s to 3 s, in which the loop stalls at some instants for some time."""
    recorder = Recorder(window or Window(1000 * MS, 3000 * MS))
    with HealthMonitor(recorder, origin_ns=0, pause_max_ns=200 * MS, presence=Presence()) as monitor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor.watch)
            for at_s, length_s in stalls:
                await trio.sleep_until(at_s)
                clock.jump(length_s)
            await trio.sleep_until(until_s)
            nursery.cancel_scope.cancel()
    return monitor.result()


async def test_a_loop_that_keeps_up_has_no_lag_and_no_pause(autojump_clock: MockClock) -> None:
    health = await watched(autojump_clock)
    assert health.loop_lag_ns.max <= 1000          # what float seconds round away
    assert health.longest_pause_ns == pytest.approx(20 * MS, abs=1000)
    assert (health.pauses, health.pauses_count) == ((), 0)


async def test_a_stall_counts_for_every_beat_that_was_due_in_it(autojump_clock: MockClock) -> None:
    health = await watched(autojump_clock, (2.0, 0.5))
    # A quarter of the steady phase was stalled: the median saw nothing, the 90th percentile most of it.
    assert health.loop_lag_ns.max == pytest.approx(500 * MS, abs=21 * MS)
    assert health.loop_lag_ns.p50 <= 1000
    assert health.loop_lag_ns.p90 == pytest.approx(300 * MS, abs=21 * MS)


@pytest.mark.parametrize("offset_ms", range(0, 20, 3))
async def test_a_pause_of_200_ms_is_never_missed_wherever_between_two_beats_it_falls(
    autojump_clock: MockClock, offset_ms: int
) -> None:
    at_s = 2.0 + offset_ms / 1000
    health = await watched(autojump_clock, (at_s, 0.2))
    [pause] = health.pauses
    assert health.pauses_count == 1
    assert pause.length_ns == health.longest_pause_ns == pytest.approx(210 * MS, abs=10.1 * MS)
    assert pause.at_ns <= at_s * 1e9 + 1000 <= pause.at_ns + 21 * MS
    assert pause.busy_ns < 100 * MS, "virtual time takes no processor time"


async def test_a_pause_that_is_short_enough_is_none(autojump_clock: MockClock) -> None:
    health = await watched(autojump_clock, (2.001, 0.17))
    assert health.pauses == ()
    assert 170 * MS <= health.longest_pause_ns <= 191 * MS


async def test_pauses_count_in_the_warm_up_and_in_the_drain_too(autojump_clock: MockClock) -> None:
    health = await watched(autojump_clock, (0.5, 0.3), (3.5, 0.4), until_s=4.0)
    assert [round(pause.at_ns / MS, -2) for pause in health.pauses] == [3500, 500], "the longest first"
    assert health.loop_lag_ns.max <= 1000, "lags are of the steady phase"


async def test_a_pause_with_which_the_run_ends_is_seen(autojump_clock: MockClock) -> None:
    recorder = Recorder(Window(0, 2000 * MS))
    with HealthMonitor(recorder, origin_ns=0, pause_max_ns=200 * MS, presence=Presence()) as monitor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor.watch)
            await trio.sleep_until(1.0)
            autojump_clock.jump(0.3)
            nursery.cancel_scope.cancel()
    assert monitor.result().pauses_count == 1


async def test_of_many_pauses_the_longest_are_kept_and_all_are_counted(autojump_clock: MockClock) -> None:
    stalls = [(0.5 * n + 0.001, 0.2 + 0.01 * n) for n in range(1, 16)]
    health = await watched(autojump_clock, *stalls, until_s=9.0)
    assert health.pauses_count == 15
    assert len(health.pauses) == 10
    assert health.pauses[0].at_ns == pytest.approx(7500 * MS, abs=21 * MS)


async def test_a_busy_loop_is_not_late_by_more_than_its_passes_are_long(autojump_clock: MockClock) -> None:
    recorder = Recorder(Window(0, 2000 * MS))
    with HealthMonitor(recorder, origin_ns=0, pause_max_ns=200 * MS, presence=Presence()) as monitor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor.watch)
            await trio.sleep(0.5)
            for _ in range(10):                 # every pass over the tasks takes as long as five beats
                autojump_clock.jump(0.1)
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    assert 80 * MS < monitor.result().loop_lag_ns.max <= 220 * MS


async def test_lags_stop_with_the_steady_phase_however_early(autojump_clock: MockClock) -> None:
    recorder = Recorder(Window(0, 1 << 62))
    with HealthMonitor(recorder, origin_ns=0, pause_max_ns=200 * MS, presence=Presence()) as monitor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor.watch)
            await trio.sleep(0.51)
            recorder.end_load(510 * MS)
            autojump_clock.jump(0.15)
            await trio.sleep(1.0)
            nursery.cancel_scope.cancel()
    # The stall held up beats that were due after the end alone.
    assert monitor.result().loop_lag_ns.max <= 1000


async def test_a_run_without_a_steady_phase_has_no_lags(autojump_clock: MockClock) -> None:
    health = await watched(autojump_clock, window=NONE_STEADY)
    assert (health.loop_lag_ns.max, health.cpu_share) == (0, 0.0)


def test_the_collectors_callback_is_there_for_the_run_alone() -> None:
    before = list(gc.callbacks)
    watch = CollectorWatch()

    def a_run_that_breaks() -> None:
        with watch:
            gc.collect()
            gc.collect()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        a_run_that_breaks()
    assert gc.callbacks == before
    assert watch.collections == 2
    assert 0 < watch.pause_ns_max < watch.pause_ns_sum <= 2 * watch.pause_ns_max


def test_what_there_was_before_the_run_is_no_matter_of_the_collectors_while_it_lasts() -> None:
    with heap_at_rest():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_while_it_lasts_there_are_no_rounds_at_all() -> None:
    rounds: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        rounds.append(phase)

    with heap_at_rest():
        gc.callbacks.append(note)
        held: list[list[object]] = [[] for _ in range(10 * gc.get_threshold()[0])]
        gc.callbacks.remove(note)
    assert held
    assert rounds == []
    assert gc.isenabled()


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_while_it_lasts_the_circles_of_a_step_are_freed_and_only_these_are_looked_for() -> None:
    with heap_at_rest():
        before = weakref.ref(Circle())
        with circles_freed():
            inside = weakref.ref(Circle())
            kept = Circle()
        assert inside() is None
        assert before() is not None                # set aside, and not looked at
        assert kept.itself is kept
    gc.collect()
    assert before() is None
    with circles_freed():                          # otherwise the collector does as ever
        assert gc.get_freeze_count() == 0


def test_while_it_lasts_what_the_interpreter_keeps_of_freed_tuples_is_given_back() -> None:
    with heap_at_rest():
        held = [tuple([None] * 8) for _ in range(1000)]
        assert held
        del held
        blocks = sys.getallocatedblocks()
        with circles_freed():
            pass
        assert blocks - sys.getallocatedblocks() > 900


def test_the_limit_of_open_files_is_what_the_system_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_open_files_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


async def test_a_pause_tells_whether_the_process_was_at_work_in_it() -> None:
    # Real time, for processor time has no other; but only as much of it as is asserted, and no limit above.
    with HealthMonitor(
        Recorder(Window(0, 1 << 62)), origin_ns=clock_ns(), pause_max_ns=50 * MS, presence=Presence()
    ) as monitor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor.watch)
            await trio.sleep(0.03)
            begun_ns = time.process_time_ns()
            while time.process_time_ns() < begun_ns + 60 * MS:
                pass
            nursery.cancel_scope.cancel()
    health = monitor.result()
    assert health.pauses_count >= 1
    assert max(pause.busy_ns for pause in health.pauses) >= 60 * MS


async def test_a_pause_tells_what_the_collector_took_of_it(autojump_clock: MockClock) -> None:
    with HealthMonitor(
        Recorder(Window(0, 1 << 62)), origin_ns=0, pause_max_ns=200 * MS, presence=Presence()
    ) as monitor:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(monitor.watch)
            await trio.sleep_until(1.001)
            gc.collect()
            autojump_clock.jump(0.3)
            await trio.sleep_until(2.0)
            nursery.cancel_scope.cancel()
    health = monitor.result()
    [pause] = health.pauses
    assert 0 < pause.collector_ns <= health.gc_pause_ns_sum
