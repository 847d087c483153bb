"""An open load's sessions, started as they come due: in series that stand by for the next arrival, or a task each."""

from collections import defaultdict
from functools import partial

from loadgen.clock import NS_PER_S
from loadgen.engine.arrivals import Arrivals, Ended, MakeSeries, Series
from loadgen.engine.attempt import Attempt
from loadgen.engine.session_limit import Seat
from loadgen.engine.task_pool import TaskPool
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import INTERRUPTED
from loadgen.session.trace import Trace


class StandBy:
    """Starts sessions, and knows the series that wait for one.

    A series is a job of the pool's, from its first session to the first that is not as hoped, or to the end of the
    load. While all goes as hoped its task sleeps: arrivals wake the lane, and what it did is tallied there.
    """

    def __init__(self, arrivals: Arrivals, pool: TaskPool, ended: Ended) -> None:
        """Start sessions in a pool of tasks; `ended` is told of the end of each, and what is to come after it."""
        self._arrivals = arrivals
        self._pool = pool
        self._ended = ended
        self._idle: defaultdict[str, list[_Place]] = defaultdict(list)     # by kind of plan; the last is taken first
        self._open = True

    def start(self, arrival: int, intended_ns: int) -> bool:
        """Start one arrival's session, and count it as in flight from now; say whether it is for a task to go on."""
        arrivals = self._arrivals
        arrivals.recorder.started(intended_ns)
        plan, in_series = arrivals.plan_for(arrival), arrivals.in_series
        if in_series is None or not in_series.takes(plan):
            arrivals.start(self._pool, plan, intended_ns, self._ended)
            return True
        idle = self._idle[plan.kind]
        while idle:
            if idle.pop().go_on(plan, intended_ns):
                return False
        self._pool.start(partial(self._lead, in_series, plan, intended_ns))
        return True

    def close(self) -> None:
        """Have every series end that is idle, or as soon as it is."""
        self._open = False
        for idle in self._idle.values():
            while idle:
                idle.pop().series.dismiss()

    async def _lead(self, in_series: MakeSeries, plan: Plan, intended_ns: int, _: Seat) -> None:
        """Run a series that begins with a plan. The last session is recorded here, if it is not tallied."""
        arrivals, trace, outcome = self._arrivals, Trace(), INTERRUPTED

        def none_follows() -> None:
            arrivals.recorder.ended_in_tally()
            arrivals.presence.now -= 1
            if self._open:
                self._idle[place.plan.kind].append(place)
            else:
                series.dismiss()
            self._ended(None)

        series = in_series.series(plan, trace, none_follows, due_ns=arrivals.origin_ns + intended_ns)
        place = _Place(arrivals, series, plan, intended_ns)
        arrivals.presence.now += 1
        try:
            series.begin(arrivals.limit.limit_s)
            outcome = await series.perform()
        finally:
            if not series.all_tallied:
                arrivals.presence.now -= 1
                first = Attempt(place.intended_ns, place.plan.arrival, 1, place.intended_ns)
                started_ns = max(place.intended_ns, int(series.started_s * NS_PER_S) - arrivals.origin_ns)
                arrivals.record(place.plan, first, started_ns, trace, outcome)
        if not series.all_tallied:
            self._ended(None)


class _Place:
    """A series, and whose session is under way in it."""

    __slots__ = ("_arrivals", "intended_ns", "plan", "series")

    def __init__(self, arrivals: Arrivals, series: Series, plan: Plan, intended_ns: int) -> None:
        self._arrivals = arrivals
        self.series = series
        self.plan = plan
        self.intended_ns = intended_ns

    def go_on(self, plan: Plan, intended_ns: int) -> bool:
        """Begin the session of an arrival; say whether it has begun: if not, the series is no more."""
        if not self.series.go_on(plan, self._arrivals.origin_ns + intended_ns):
            return False
        self.plan, self.intended_ns = plan, intended_ns
        self._arrivals.presence.now += 1
        return True
