"""Users of a closed load that are led without a task: the books balance, whatever sessions do and however it ends."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.arrivals import NextPlan, Series, cut_at_its_limit
from loadgen.engine.closed_loop import closed_loop
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.trace import Trace
from tests.engine.stage import Act, virtually
from tests.engine.test_books import ACTS, ENDINGS_OF_RUNS, LIMITS, TENTHS, Ending, check, until
from tests.engine.test_stand_by import Troupe


@dataclass
class Ensemble(Troupe):
    """A cast of which lanes lead who plays in series, outside the loop's nursery."""

    lanes: trio.Nursery | None = None

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, *, due_ns: int | None = None) -> Series:
        """Return a series."""
        assert due_ns is None, "of a closed load"
        self.made += 1
        return Led(self, plan, trace, next_plan)


class Led:
    """One series, led to its end, or to a session that is otherwise."""

    def __init__(self, ensemble: Ensemble, plan: Plan, trace: Trace, next_plan: NextPlan) -> None:
        self.started_s = 0.0
        self.all_tallied = False
        self._ensemble = ensemble
        self._plan = plan
        self._trace = trace
        self._next_plan = next_plan
        self._outcome = ACCEPTED
        self._scope = trio.CancelScope()
        self._ended = trio.Event()
        self._told: Callable[[], None] | None = None

    def begin(self, limit_s: float, told: Callable[[], None] | None = None) -> None:
        """Begin the first."""
        assert self._ensemble.lanes is not None
        self._limit_s, self._told = limit_s, told
        self.started_s = trio.current_time()
        self._ensemble.lanes.start_soon(self._lead)

    async def perform(self) -> Outcome:
        """Wait for the end of it; cancelled, end it."""
        self._told = None
        try:
            await self._ended.wait()
        finally:
            self._scope.cancel()
        return self._outcome

    def go_on(self, plan: Plan, due_ns: int) -> bool:
        """Begin what has come due, which nothing does."""
        raise AssertionError("no open load")

    def dismiss(self) -> None:
        """End it, for which nobody asks."""
        raise AssertionError("no open load")

    async def _lead(self) -> None:
        with self._scope:
            while await self._goes_as_hoped() and not self._scope.cancel_called:
                finished_ns, started_ns = clock_ns(), int(self.started_s * NS_PER_S)
                plan = self._next_plan()
                self.started_s, next_ns = trio.current_time(), clock_ns()
                self._ensemble.tallied.append((started_ns, started_ns, finished_ns, -1 if plan is None else next_ns))
                if plan is None:
                    self.all_tallied = True
                    break
                self._plan = plan
        self._ended.set()
        if self._told is not None:
            self._told()

    async def _goes_as_hoped(self) -> bool:
        outcome = None
        with trio.move_on_at(self.started_s + self._limit_s):
            outcome = await self._ensemble.perform(self._plan, self._trace, self._plan.arrival)
        self._outcome = cut_at_its_limit(self._trace) if outcome is None else outcome
        if self._outcome is ACCEPTED:
            self._trace.timings.clear()
        return self._outcome is ACCEPTED


HOPED_FOR = st.builds(lambda length_s: Act(length_s, ACCEPTED), TENTHS)


@settings(deadline=None, max_examples=200)
@given(
    users=st.integers(1, 4), sessions=st.integers(1, 12) | st.none(), for_s=TENTHS | st.none(),
    acts=st.lists(HOPED_FOR | ACTS, min_size=5, max_size=5),
    think_s=st.lists(st.just(0.0) | TENTHS, min_size=3, max_size=3),
    ramp_s=TENTHS, drain_s=TENTHS, limit_s=LIMITS, ending=ENDINGS_OF_RUNS,
)  # fmt: skip
@example(  # cancelled at the very instant at which sessions end, and a session that is otherwise is given to a task
    users=3, sessions=None, for_s=6.0, acts=[Act(0.9), Act(0.9, Outcome(OutcomeKind.REFUSED)), *[Act(0.9)] * 3],
    think_s=[0.0] * 3, ramp_s=0.0, drain_s=1.0, limit_s=math.inf, ending=Ending(math.inf, 1.0),
)
def test_the_books_of_a_closed_load_in_series_balance(
    users: int, sessions: int | None, for_s: float | None, acts: list[Act], think_s: list[float], ramp_s: float,
    drain_s: float, limit_s: float, ending: Ending,
) -> None:  # fmt: skip
    if sessions is None and for_s is None:
        sessions = 7
    # Without think time and length a load by time would never get past an instant of virtual time.
    ensemble = Ensemble(
        lambda k: replace(acts[k % 5], connect_s=0.1 + acts[k % 5].connect_s), session_limit_s=max(0.1, limit_s)
    )

    def think_ns(user: int, i: int) -> int:
        return round((think_s[(user + i) % 3] + (0 if i else ramp_s * user)) * NS_PER_S)

    async def play(stop: trio.Event) -> None:
        await closed_loop(
            ensemble.enter(), virtual_users=users, users=range(users), think_ns=think_ns, sessions=sessions,
            end_ns=None if for_s is None else round(for_s * NS_PER_S), drain_s=drain_s, stop=stop,
        )

    async def whole() -> None:
        async with trio.open_nursery() as ensemble.lanes:
            await until(ending, play)

    virtually(whole)
    check(ensemble)
    assert ensemble.arrivals.presence.now == 0
    assert ensemble.recorder.in_flight_peak <= users
    if sessions is not None:
        assert ensemble.recorder.arrived <= sessions
        unhurried = for_s is None and math.isinf(ending.stop_s) and math.isinf(ending.cancel_s)
        assert not unhurried or ensemble.recorder.arrived == sessions


async def test_a_session_that_is_otherwise_counts_from_its_own_start(autojump_clock: MockClock) -> None:
    ensemble = Ensemble(lambda k: Act(1.0, ACCEPTED if k == 0 else Outcome(OutcomeKind.REFUSED, "pop3.retr")))
    async with trio.open_nursery() as ensemble.lanes:
        await closed_loop(
            ensemble.enter(), virtual_users=1, users=[0], think_ns=lambda user, i: 0, sessions=2, end_ns=None,
            drain_s=60, stop=trio.Event(),
        )
    assert ensemble.kinds == {OutcomeKind.ACCEPTED: 1, OutcomeKind.REFUSED: 1}
    assert ensemble.recorder.steady.session_ns == 2 * NS_PER_S
