"""The event loop's heartbeat: how late its timers fire, and whether it ever stood still."""

import time
from collections.abc import Callable
from heapq import nlargest

from loadgen.clock import NS_PER_S, clock_of_this_run
from loadgen.engine.health.collector import CollectorWatch
from loadgen.engine.window import Window
from reports.health import Pause
from reports.histogram import Histogram

BEAT_NS = 20_000_000
FOLD_AT = 1000            # lags kept as integers; more are folded into the histogram
PAUSES_KEPT = 10


class Heartbeat:
    """Beats on the loop that starts the sessions: for the first time at `due_s`, and then when the last beat said.

    Lags are of the steady phase; a pause is one wherever it falls, for it delays what was due in it, lengthens the
    sessions that were open, and makes a burst of the arrivals behind it.
    """

    def __init__(
        self, origin_ns: int, *, window: Callable[[], Window], pause_max_ns: int, collector: CollectorWatch
    ) -> None:
        """`window` is asked at each beat, because a run's steady phase can end before its time."""
        self.pauses: list[Pause] = []            # the longest, longest first
        self.pauses_count = 0
        self.longest_pause_ns = 0
        self.cpu_share = 0.0                     # of the steady phase
        self._lags: list[int] = []
        self._lag_histogram = Histogram()
        self._now = clock_of_this_run()
        self._origin_ns = origin_ns
        self._window = window
        self._pause_max_ns = pause_max_ns
        self._collector = collector
        self._due_ns = origin_ns + BEAT_NS       # the next beat
        self._last_ns = origin_ns                # when it last beat
        self._last_cpu_ns = time.process_time_ns()
        self._last_collecting_ns = collector.pause_ns_sum
        self._steady: tuple[int, int] | None = None      # the steady phase's first beat, processor time then

    @property
    def due_s(self) -> float:
        """Return when it is to beat next, s of trio's clock."""
        return self._due_ns / NS_PER_S

    def beat(self) -> float:
        """Beat, and return when to beat next, s of trio's clock.

        No beat is left out: after a stall every beat that was due in it counts, by how late it came. Otherwise
        the longest stalls would weigh least (coordinated omission, this time our own).
        """
        now_ns = self.note()
        for due_ns in range(self._due_ns, max(self._due_ns, now_ns) + 1, BEAT_NS):
            self._lag(due_ns, now_ns)
            self._due_ns = due_ns + BEAT_NS
        return self.due_s

    def note(self) -> int:
        """Note that the loop came round, and return when; if it had stood still for too long, note that too.

        To be called once more when the heart has stopped: a pause may be the last thing that happened.
        """
        now_ns, cpu_ns = int(self._now() * NS_PER_S), time.process_time_ns()
        collecting_ns = self._collector.pause_ns_sum
        gap_ns = now_ns - self._last_ns
        self.longest_pause_ns = max(self.longest_pause_ns, gap_ns)
        if gap_ns >= self._pause_max_ns:
            pause = Pause(
                at_ns=max(0, self._last_ns - self._origin_ns),
                length_ns=gap_ns,
                busy_ns=cpu_ns - self._last_cpu_ns,
                collector_ns=collecting_ns - self._last_collecting_ns,
            )
            self.pauses = nlargest(PAUSES_KEPT, [*self.pauses, pause], key=lambda each: each.length_ns)
            self.pauses_count += 1
        self._last_ns, self._last_cpu_ns, self._last_collecting_ns = now_ns, cpu_ns, collecting_ns
        return now_ns

    def lags(self) -> Histogram:
        """Return how late each beat of the steady phase came."""
        self._lag_histogram.record_many(self._lags)
        self._lags.clear()
        return self._lag_histogram

    def _lag(self, due_ns: int, now_ns: int) -> None:
        if not self._window().holds(due_ns - self._origin_ns):
            return
        self._lags.append(max(0, now_ns - due_ns))
        if len(self._lags) >= FOLD_AT:
            self.lags()
        if self._steady is None:
            self._steady = now_ns, self._last_cpu_ns
        elif now_ns > self._steady[0]:
            self.cpu_share = (self._last_cpu_ns - self._steady[1]) / (now_ns - self._steady[0])
