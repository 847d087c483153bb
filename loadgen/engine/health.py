"""The generator's own condition: whether what it measured can be believed."""

import gc
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import trio

from loadgen.clock import NS_PER_S
from loadgen.engine.recorder import Recorder
from reports.histogram import Histogram
from reports.load_result import Health

HEARTBEAT_S = 0.02
LOOP_LAG_P99_MAX_NS = 100_000_000     # past it the timers say more about us than about the server


class HealthMonitor:
    """Watch this process for the length of a run. Enter it for the collector's pauses; run `beat` beside the load."""

    def __init__(self, recorder: Recorder, origin_ns: int) -> None:
        self._recorder = recorder            # its window can end before its time
        self._origin_s = origin_ns / NS_PER_S
        self._lags: list[int] = []
        self._gc_started_ns = 0
        self._gc_pause_ns_max = 0
        self._cpu_s = 0.0
        self._wall_s = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._on_collection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        gc.callbacks.remove(self._on_collection)

    async def beat(self) -> None:
        """Measure, in the steady phase, how late this loop's own timer fires and the processor time used.

        No beat is left out: after a stall every beat that was due in it counts, by how late it came. Otherwise
        the longest stalls would weigh least (coordinated omission, this time our own).
        """
        due_s = self._instant_s(self._recorder.window.steady_from_ns)
        await trio.sleep_until(due_s)
        cpu_s, wall_s = time.process_time(), trio.current_time()
        while due_s < self._instant_s(self._recorder.window.steady_until_ns):
            due_s += HEARTBEAT_S
            await trio.sleep_until(due_s)
            now_s = trio.current_time()
            self._lags.append(max(0, round((now_s - due_s) * NS_PER_S)))
            while due_s + HEARTBEAT_S <= now_s:
                due_s += HEARTBEAT_S
                self._lags.append(round((now_s - due_s) * NS_PER_S))
            self._cpu_s, self._wall_s = time.process_time() - cpu_s, now_s - wall_s

    def _instant_s(self, instant_ns: int) -> float:
        return self._origin_s + instant_ns / NS_PER_S

    def result(self, schedule_lag: Histogram) -> Health:
        """Return what was seen, with the schedule lag that the recorder kept."""
        loop_lag = Histogram()
        loop_lag.record_many(self._lags)
        return Health(
            schedule_lag_ns=schedule_lag.quantiles(),
            schedule_lag_hdr=schedule_lag.encode(),
            loop_lag_ns=loop_lag.quantiles(),
            cpu_share=self._cpu_s / self._wall_s if self._wall_s else 0.0,
            gc_pause_ns_max=self._gc_pause_ns_max,
            rss_octets_max=_peak_memory_octets(),
        )

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_started_ns = time.perf_counter_ns()
        else:
            self._gc_pause_ns_max = max(self._gc_pause_ns_max, time.perf_counter_ns() - self._gc_started_ns)


@contextmanager
def heap_at_rest() -> Iterator[None]:
    """Take what there is already, modules above all, out of the garbage collector's rounds for a while.

    What a run allocates makes the collector look at everything that lives: measured 140 ms a time with the reports
    imported, and a third of the engine's processor time. Without the modules it is 5 ms. Takes a moment at first.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def doubts(health: Health) -> list[str]:
    """Return a sentence for each sign, beyond schedule lag and processor share, that we measured ourselves."""
    p99_ns = health.loop_lag_ns.p99
    if p99_ns <= LOOP_LAG_P99_MAX_NS:
        return []
    return [
        f"the generator's timers fired late: p99 {p99_ns / 1e6:.0f} ms, {LOOP_LAG_P99_MAX_NS // 1_000_000} ms are "
        "allowed; lower the load, or give the generator a core of its own"
    ]


def raise_open_files_limit() -> int:
    """Raise this process's limit of open files as far as the system lets it; return what it is now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):      # macOS has "unlimited", and does not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def usable_cpus() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _peak_memory_octets() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024      # macOS counts octets, Linux KiB
