"""The watch over one process for the length of a run."""

from types import TracebackType
from typing import Self

import trio

from loadgen.engine.health.collector import CollectorWatch
from loadgen.engine.health.heartbeat import Heartbeat
from loadgen.engine.health.in_flight import Looks, Presence
from loadgen.engine.health.process import open_files, open_files_limit, peak_memory_octets
from loadgen.engine.recorder import Recorder
from loadgen.transport.instants import AtInstants, by_sleeping
from loadgen.transport.native_lane import lane_in_words
from reports.health import Health

OPEN_FILES_EVERY_S = 1.0


class HealthMonitor:
    """Watch this process for the length of a run: enter it at the run's start, run `watch` beside the load."""

    def __init__(
        self, recorder: Recorder, origin_ns: int, *, pause_max_ns: int, presence: Presence, seed: int = 0
    ) -> None:
        self._recorder = recorder
        self._collector = CollectorWatch()
        self._heartbeat = Heartbeat(
            origin_ns, window=lambda: recorder.window, pause_max_ns=pause_max_ns, collector=self._collector
        )
        self._open_files_max: int | None = None
        self._looks = Looks(presence, origin_ns, lambda: recorder.window, seed)

    def __enter__(self) -> Self:
        self._collector.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._heartbeat.note()
        self._collector.__exit__(kind, error, traceback)

    async def watch(self, at_instants: AtInstants = by_sleeping) -> None:
        """Measure. Runs until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(at_instants, self._heartbeat.due_s, self._heartbeat.beat)
            nursery.start_soon(at_instants, self._looks.due_s, self._looks.look)
            nursery.start_soon(self._watch_open_files)

    async def _watch_open_files(self) -> None:
        while True:
            if (now := open_files()) is not None:
                self._open_files_max = max(now, self._open_files_max or 0)
            await trio.sleep(OPEN_FILES_EVERY_S)

    def result(self) -> Health:
        """Return what was seen, with what the recorder kept; its books are closed."""
        schedule_lag = self._recorder.lag_histogram
        heartbeat = self._heartbeat
        return Health(
            schedule_lag_ns=schedule_lag.quantiles(),
            schedule_lag_hdr=schedule_lag.encode(),
            loop_lag_ns=heartbeat.lags().quantiles(),
            longest_pause_ns=heartbeat.longest_pause_ns,
            pauses=tuple(heartbeat.pauses),
            pauses_count=heartbeat.pauses_count,
            cpu_share=heartbeat.cpu_share,
            gc_pause_ns_max=self._collector.pause_ns_max,
            gc_pause_ns_sum=self._collector.pause_ns_sum,
            gc_collections=self._collector.collections,
            open_files_max=self._open_files_max,
            open_files_limit=open_files_limit(),
            in_flight=self._looks.result(self._recorder.steady.session_ns),
            lane=lane_in_words(),
            rss_octets_max=peak_memory_octets(),
        )
