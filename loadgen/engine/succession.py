"""The sessions of a virtual user that follow each other at once: in series, without a task while all goes as hoped."""

from collections.abc import Callable

from loadgen.clock import NS_PER_S
from loadgen.engine.arrivals import Arrivals, MakeSeries, Series
from loadgen.engine.attempt import Attempt
from loadgen.engine.session_limit import Seat
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import INTERRUPTED
from loadgen.session.trace import Trace

NextArrival = Callable[[], int | None]     # begins the next arrival of a virtual user; None: there is none


class Succession:
    """Sessions from one on that has been counted as started, until one is not as hoped or goes another way."""

    __slots__ = (
        "_alone", "_arrivals", "_following", "_in_series", "_plan", "_series", "_started_ns", "_trace", "_upcoming",
    )  # fmt: skip

    def __init__(
        self, arrivals: Arrivals, in_series: MakeSeries, plan: Plan, started_ns: int, following: NextArrival
    ) -> None:
        """Start with a plan that goes in series."""
        self._arrivals = arrivals
        self._in_series = in_series
        self._plan = plan                   # of the session under way
        self._started_ns = started_ns
        self._following = following
        self._alone = True                  # none has followed the first
        self._upcoming: Plan | None = None  # of an arrival that has begun, and goes another way
        self._trace = Trace()               # of a session that is not as hoped
        # None: all of them are tallied, or somebody runs on with them.
        self._series: Series | None = in_series.series(plan, self._trace, self._next_plan)

    @property
    def over(self) -> bool:
        """Say whether all of it is over, and in the books, if nobody runs on with it."""
        return self._series is None and self._upcoming is None

    def begin(self, told: Callable[[], bool] | None = None) -> None:
        """Begin. When there is no more for the series to do, and nobody runs on with it by then, `told` is called.

        It says whether a task is to go on now.
        """
        assert self._series is not None, "it begins once"
        self._arrivals.presence.now += 1
        self._series.begin(self._arrivals.limit.limit_s, told)

    async def run_on(self, seat: Seat) -> Attempt | None:
        """Run on with what has begun: to the end of the series, over a session that is not as hoped, and with one that
        goes another way.

        Each session is recorded exactly once, however it ends. Returns the attempt that is to come after the last.
        """
        series, self._series = self._series, None
        if series is not None:
            await self._series_to_its_end(series)
        if self._upcoming is None:
            return None
        now_ns = self._arrivals.now_ns()
        self._arrivals.recorder.started(now_ns)
        return await self._arrivals.run_plan(self._upcoming, now_ns, seat)

    async def _series_to_its_end(self, series: Series) -> None:
        arrivals, outcome = self._arrivals, INTERRUPTED
        try:
            outcome = await series.perform()
        finally:
            # Synchronous: no checkpoint between the end and its record.
            if not series.all_tallied:
                arrivals.presence.now -= 1
                started_ns = self._started_ns
                if not self._alone:
                    started_ns = int(series.started_s * NS_PER_S) - arrivals.origin_ns
                attempt = Attempt(started_ns, self._plan.arrival, 1, started_ns)
                arrivals.record(self._plan, attempt, started_ns, self._trace, outcome)

    def _next_plan(self) -> Plan | None:
        arrivals, in_series = self._arrivals, self._in_series
        arrival = self._following()
        plan = None if arrival is None else arrivals.plan_for(arrival)
        if plan is None or not in_series.takes(plan, self._plan):
            self._upcoming, self._series = plan, None
            arrivals.presence.now -= 1
            arrivals.recorder.ended_in_tally()
            return None
        self._plan, self._alone = plan, False
        return plan
