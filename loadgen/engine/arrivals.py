"""What happens to one arrival: dropped at the in-flight limit, or run as a session and recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.recorder import Recorder
from loadgen.engine.sample import Sample
from loadgen.ledger import Ledger
from loadgen.schedule.other_plans import HalfOpenPlan, SlowReadPlan, SlowSendPlan
from loadgen.schedule.plans import HoldPlan, Plan
from loadgen.schedule.steps_plan import StepsPlan
from loadgen.session.outcome import INTERRUPTED, Outcome, OutcomeKind
from loadgen.session.trace import Trace

# Sessions whose length is the scenario's wish: no time of the server's.
AT_OUR_PACE = (HoldPlan, HalfOpenPlan, SlowSendPlan, SlowReadPlan)

# Carries out a plan: (plan, trace, arrival) -> how it ended. Tests put fake sessions here.
Perform = Callable[[Plan, Trace, int], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The way every arrival of a run goes, whatever the load model."""

    plan_for: Callable[[int], Plan]
    perform: Perform
    recorder: Recorder
    ledger: Ledger | None          # None: deliveries are not verified
    origin_ns: int                 # the run's start on `clock_ns`
    session_limit_s: float         # the budget of a whole session

    def now_ns(self) -> int:
        """Return the time since the run's start."""
        return clock_ns() - self.origin_ns

    def instant_s(self, instant_ns: int) -> float:
        """Return an instant of the run on trio's clock."""
        return (self.origin_ns + instant_ns) / NS_PER_S

    async def reached(self, instant_ns: int, stop: trio.Event) -> bool:
        """Wait until an instant of the run, or until `stop`; say whether the instant came first.

        An instant already past is a checkpoint and no wait: late arrivals start at once, none is forgotten.
        """
        instant_s = self.instant_s(instant_ns)
        if instant_s > trio.current_time():
            with trio.move_on_at(instant_s):
                await stop.wait()
        else:
            await trio.lowlevel.checkpoint()
        return not stop.is_set()

    def start(self, nursery: trio.Nursery, arrival: int, intended_ns: int) -> None:
        """Start one arrival's session in a nursery, and count it as in flight from now."""
        self.recorder.started(intended_ns)
        nursery.start_soon(self._run_now, arrival, intended_ns)

    def drop(self, arrival: int, intended_ns: int) -> None:
        """Record an arrival that cannot start: the in-flight limit is reached."""
        self.recorder.dropped(intended_ns, self.plan_for(arrival).session_name)

    async def run(self, arrival: int, intended_ns: int, started_ns: int) -> None:
        """Run the session of an arrival counted as started. It is recorded exactly once, however it ends."""
        plan = self.plan_for(arrival)
        trace = Trace()
        outcome = INTERRUPTED                       # true unless we learn better: the run ended first
        try:
            with trio.move_on_after(self.session_limit_s) as budget:
                outcome = await self.perform(plan, trace, arrival)
            if budget.cancelled_caught:
                outcome = Outcome(OutcomeKind.TIMED_OUT, trace.phase, "the session took longer than its limit")
        finally:
            finished_ns = max(started_ns, self.now_ns())
            held = isinstance(plan, AT_OUR_PACE) or (isinstance(plan, StepsPlan) and plan.thinks)
            sample = Sample(intended_ns, started_ns, finished_ns, plan.session_name, plan.protocol, outcome, held)
            # Synchronous: no checkpoint between the end and its record.
            self.recorder.ended(sample, trace, self.origin_ns)
            if self.ledger is not None:
                self.ledger.add(trace)

    async def _run_now(self, arrival: int, intended_ns: int) -> None:
        # The timer never fires early, but its instant in float seconds may round down by a nanosecond.
        await self.run(arrival, intended_ns, max(intended_ns, self.now_ns()))
