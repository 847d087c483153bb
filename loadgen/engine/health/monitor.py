"""The watch over one process for the length of a run."""

import time
from types import TracebackType
from typing import Self

import trio

from loadgen.clock import NS_PER_S
from loadgen.engine.health.collector import CollectorWatch
from loadgen.engine.health.process import peak_memory_octets
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
        self._collector = CollectorWatch()
        self._cpu_s = 0.0
        self._wall_s = 0.0

    def __enter__(self) -> Self:
        self._collector.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._collector.__exit__(kind, error, traceback)

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
            gc_pause_ns_max=self._collector.pause_ns_max,
            rss_octets_max=peak_memory_octets(),
        )


def doubts(health: Health) -> list[str]:
    """Return a sentence for each sign, beyond schedule lag and processor share, that we measured ourselves."""
    p99_ns = health.loop_lag_ns.p99
    if p99_ns <= LOOP_LAG_P99_MAX_NS:
        return []
    return [
        f"the generator's timers fired late: p99 {p99_ns / 1e6:.0f} ms, {LOOP_LAG_P99_MAX_NS // 1_000_000} ms are "
        "allowed; lower the load, or give the generator a core of its own"
    ]
