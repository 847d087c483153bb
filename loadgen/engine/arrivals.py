"""What happens to one arrival: dropped at the in-flight limit, or run as a session and recorded; and tried again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol as Shape

from loadgen.clock import NS_PER_S, clock_of_this_run
from loadgen.engine.attempt import Attempt, BackOff, attempt_after, plan_again, retry_of, upshot_of
from loadgen.engine.health.in_flight import Presence
from loadgen.engine.recorder import Recorder
from loadgen.engine.sample import Sample
from loadgen.engine.session_limit import Seat, SessionLimit
from loadgen.engine.task_pool import TaskPool
from loadgen.ledger.journal import Journal
from loadgen.scenario.model import Retry
from loadgen.schedule.other_plans import HalfOpenPlan, SlowReadPlan, SlowSendPlan
from loadgen.schedule.plans import HoldPlan, Plan, RetrievalPlan
from loadgen.schedule.steps_plan import StepsPlan
from loadgen.session.outcome import INTERRUPTED, Outcome, OutcomeKind
from loadgen.session.trace import Trace
from loadgen.transport.failures import outlived
from loadgen.transport.instants import AtInstants, by_sleeping

# Sessions whose length is the scenario's wish: no time of the server's.
AT_OUR_PACE = (HoldPlan, HalfOpenPlan, SlowSendPlan, SlowReadPlan)

# Carries out a plan: (plan, trace, arrival) -> how it ended. Tests put fake sessions here.
Perform = Callable[[Plan, Trace, int], Awaitable[Outcome]]
Ended = Callable[[Attempt | None], None]
NextPlan = Callable[[], Plan | None]


class Series(Shape):
    """Sessions that follow each other at once while all goes as hoped; such are tallied."""

    started_s: float         # when the one under way started, on trio's clock
    all_tallied: bool        # the last one too, and none followed it

    def begin(self, limit_s: float, told: Callable[[], bool] | None = None) -> None:
        """Begin the first; each is cut after `limit_s`.

        If no task performs them at the end `told` is called, and says whether a task is to go on now.
        """

    async def perform(self) -> Outcome:
        """Run on with what has begun, until all are tallied or one is not; return how the last one ended."""

    def go_on(self, plan: Plan, due_ns: int) -> bool:
        """Begin a session that has come due (ns on `clock_ns`), if the series is idle; say whether it was."""

    def dismiss(self) -> None:
        """End it with the session under way, or now if it is idle."""


class MakeSeries(Shape):
    """How sessions that follow each other at once are carried out."""

    def takes(self, plan: Plan, behind: Plan | None = None) -> bool:
        """Say whether a session may be one of a series, behind that of another plan, if there is one."""

    def accepted_under_way(self) -> int:
        """Count the messages accepted so far in sessions that are not over."""

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, *, due_ns: int | None = None) -> Series:
        """Return a series that begins with a plan, each following one being the `next_plan`.

        One that begins at an instant at which it was due (ns on `clock_ns`) is idle when none follows.
        """


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The way every arrival of a run goes, whatever the load model."""

    plan_for: Callable[[int], Plan]
    perform: Perform
    recorder: Recorder
    journal: Journal | None        # None: deliveries are not verified
    origin_ns: int                 # the run's start on `clock_ns`
    limit: SessionLimit            # the budget of a whole session
    back_off: BackOff              # how long what was put off waits
    in_series: MakeSeries | None = None     # None: every session has a task's turn of its own
    presence: Presence = field(default_factory=Presence)      # of the sessions under way
    at_instants: AtInstants = by_sleeping      # how what is not worth a task's turn is done when it is due
    clock: Callable[[], float] = field(default_factory=clock_of_this_run, repr=False)

    def now_ns(self) -> int:
        """Return the time since the run's start."""
        return int(self.clock() * NS_PER_S) - self.origin_ns

    def instant_s(self, instant_ns: int) -> float:
        """Return an instant of the run on trio's clock."""
        return (self.origin_ns + instant_ns) / NS_PER_S

    def start(self, pool: TaskPool, plan: Plan, intended_ns: int, ended: Ended) -> None:
        """Start the session of an arrival that is counted as started, in a pool of tasks.

        `ended` is told when it has ended, and what is to come after it.
        """
        pool.start(partial(self._run_now, plan, intended_ns, ended))

    def start_again(self, pool: TaskPool, attempt: Attempt, ended: Ended) -> None:
        """Start a session that tries again, likewise."""
        self.recorder.started_again(self.now_ns())
        pool.start(partial(self._run_again_now, attempt, ended))

    def drop(self, arrival: int, intended_ns: int) -> None:
        """Record an arrival that cannot start: the in-flight limit is reached."""
        self.recorder.dropped(intended_ns, self.plan_for(arrival).session_name)

    def run_plan(self, plan: Plan, started_ns: int, seat: Seat) -> Awaitable[Attempt | None]:
        """Run the session of an arrival that is counted as started, and due when it starts.

        It is recorded exactly once, however it ends. Returns the attempt that is to come after it, if it tries again
        what was put off. To be awaited at once.
        """
        return self._run(plan, Attempt(started_ns, plan.arrival, 1, started_ns), started_ns, seat)

    def run_again(self, attempt: Attempt, seat: Seat) -> Awaitable[Attempt | None]:
        """Run a session that tries again and is counted as such, likewise."""
        return self._run(plan_again(self.plan_for(attempt.arrival), attempt.left), attempt, self.now_ns(), seat)

    async def _run(self, plan: Plan, attempt: Attempt, started_ns: int, seat: Seat) -> Attempt | None:
        retry = retry_of(plan)
        trace = Trace() if retry is None else Trace(fates={})
        outcome = INTERRUPTED                       # true unless we learn better: the run ended first
        after = None
        self.presence.now += 1
        try:
            with seat:
                outcome = await self.perform(plan, trace, attempt.arrival)
            if seat.was_cut:
                outcome = cut_at_its_limit(trace)
        finally:
            # Synchronous: no checkpoint between the end and its record.
            self.presence.now -= 1
            self.record(plan, attempt, started_ns, trace, outcome)
            if retry is not None:
                after = self._judge(plan, attempt, trace, outcome, retry)
        return after

    def record(self, plan: Plan, attempt: Attempt, started_ns: int, trace: Trace, outcome: Outcome) -> None:
        """Enter in the books what a session came to, now that it has ended."""
        finished_ns = max(started_ns, self.now_ns())
        held = isinstance(plan, AT_OUR_PACE) or (isinstance(plan, StepsPlan) and plan.thinks)
        first = attempt.number == 1
        # What is tried again was due at no instant of its own: it has service times only.
        intended_ns = attempt.intended_ns if first else started_ns
        sample = Sample(intended_ns, started_ns, finished_ns, plan.session_name, plan.protocol, outcome, held)
        (self.recorder.ended if first else self.recorder.ended_again)(sample, trace, self.origin_ns)
        if self.journal is not None:
            looked = maildrop_read(plan, outcome)
            self.journal.add(
                trace, intended_ns=attempt.intended_ns, looked=looked, look_ns=started_ns + self.origin_ns
            )

    def _judge(
        self, plan: Plan, attempt: Attempt, trace: Trace, outcome: Outcome, retry: Retry
    ) -> Attempt | None:
        """Enter what an attempt came to, and return the next one if there is to be one."""
        assert trace.fates is not None, "noted where a session tries again"
        cut = outcome.kind is OutcomeKind.INTERRUPTED
        upshot = upshot_of(plan, trace.fates)
        after = None
        if upshot.left and not cut:
            after = attempt_after(attempt, upshot, retry, now_ns=self.now_ns(), back_off=self.back_off)
        self.recorder.tried(
            plan.session_name, attempt, upshot, self.origin_ns, cut=cut, given_up=not cut and after is None
        )
        return after

    async def _run_now(self, plan: Plan, intended_ns: int, ended: Ended, seat: Seat) -> None:
        # The timer never fires early, but its instant in float seconds may round down by a nanosecond.
        started_ns = max(intended_ns, self.now_ns())
        ended(await self._run(plan, Attempt(intended_ns, plan.arrival, 1, intended_ns), started_ns, seat))

    async def _run_again_now(self, attempt: Attempt, ended: Ended, seat: Seat) -> None:
        ended(await self.run_again(attempt, seat))


def cut_at_its_limit(trace: Trace) -> Outcome:
    """Return how a session ended that took longer than it may."""
    return Outcome.of_error(outlived(), trace.phase)


def maildrop_read(plan: Plan, outcome: Outcome) -> str | None:
    """Return the maildrop that a session read from end to end; None if it read none."""
    if isinstance(plan, RetrievalPlan) and outcome.kind is OutcomeKind.ACCEPTED:
        return plan.account.address
    return None
