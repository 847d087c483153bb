"""Series of an open load that stand by: the books balance, whatever sessions do and however the run ends."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.arrivals import Arrivals, NextPlan, Series, cut_at_its_limit
from loadgen.engine.tallied import TalliedSessions
from loadgen.engine.window import Window
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.trace import Trace
from tests.engine.stage import Act, Cast, play_open, seconds, virtually
from tests.engine.test_books import ACTS, ENDINGS_OF_RUNS, LIMITS, TENTHS, Ending, check, until

if TYPE_CHECKING:
    from loadgen.transport.native import Tallied


@dataclass
class Troupe(Cast):
    """A cast that plays in series. What goes as hoped is tallied; a session that is not ends its series."""

    made: int = 0                                                    # series
    # When each was due, started, had finished, and the next one started (-1: none did): ns of the clock.
    tallied: list[tuple[int, int, int, int]] = field(default_factory=list)
    steady: Window = field(default_factory=lambda: Window(0, 1 << 62))

    def enter(self) -> Arrivals:
        """Make the recorder and the arrivals."""
        self.arrivals = replace(super().enter(), in_series=self)
        self.recorder.tally(self)
        return self.arrivals

    def takes(self, plan: Plan, behind: Plan | None = None) -> bool:
        """Say that every third session goes a way of its own."""
        return plan.arrival % 3 != 2

    def waiting(self) -> int:
        """Count what is tallied."""
        return len(self.tallied)

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, *, due_ns: int | None = None) -> Series:
        """Return a series."""
        assert due_ns is not None, "of an open load"
        self.made += 1
        return Pretended(self, plan, trace, next_plan, due_ns)

    def place_by(self, window: Window) -> None:
        """Tell by this window what is steady."""
        self.steady = window

    def take(self) -> TalliedSessions | None:
        """Return what was tallied."""
        if not self.tallied:
            return None
        taken, self.tallied = self.tallied, []
        service, response, outside, lags, instants = (array("q") for _ in range(5))
        for due_ns, started_ns, finished_ns, next_ns in taken:
            if self.steady.holds(due_ns - self.arrivals.origin_ns):
                service.append(finished_ns - started_ns)
                response.append(finished_ns - due_ns)
                lags.append(started_ns - due_ns)
            else:
                outside.append(finished_ns - due_ns)
            instants.extend((due_ns, started_ns, finished_ns, next_ns))
        times = ("reading", service.tobytes(), response.tobytes(), outside.tobytes())
        told: Tallied = [], [times], lags.tobytes(), instants.tobytes(), b"", [], 0, (0, 0, 0)
        return TalliedSessions.told(told, "pop3", self.arrivals.origin_ns)


class Pretended:
    """One series: it plays a session, tallies it, and stands by for the next."""

    def __init__(self, troupe: Troupe, plan: Plan, trace: Trace, next_plan: NextPlan, due_ns: int) -> None:
        self.started_s = 0.0
        self.all_tallied = False
        self._troupe = troupe
        self._plan = plan
        self._trace = trace
        self._next_plan = next_plan
        self._due_ns = due_ns
        self._stands_by = True
        self._idle = False
        self._called = trio.Event()

    def go_on(self, plan: Plan, due_ns: int) -> bool:
        """Begin a session, if the series is idle."""
        if not self._idle:
            return False
        self._idle = self.all_tallied = False
        self._plan, self._due_ns = plan, due_ns
        self.started_s = trio.current_time()
        self._called.set()
        return True

    def dismiss(self) -> None:
        """End it now, or with the session under way."""
        self._stands_by = False
        if self._idle:
            self._called.set()

    def begin(self, limit_s: float, told: Callable[[], None] | None = None) -> None:
        """Begin the first."""
        assert told is None, "a task performs them"
        self._limit_s = limit_s
        self.started_s = trio.current_time()

    async def perform(self) -> Outcome:
        """Play one after another."""
        while not self.all_tallied:
            outcome = None
            with trio.move_on_at(self.started_s + self._limit_s):
                outcome = await self._troupe.perform(self._plan, self._trace, self._plan.arrival)
            if outcome is None:
                return cut_at_its_limit(self._trace)
            if outcome is not ACCEPTED:
                return outcome
            self._trace.timings.clear()
            self._troupe.tallied.append((self._due_ns, int(self.started_s * NS_PER_S), clock_ns(), -1))
            self.all_tallied = True
            assert self._next_plan() is None
            if self._stands_by:
                await self._stand_by()
        return ACCEPTED

    async def _stand_by(self) -> None:
        self._idle, self._called = True, trio.Event()
        try:
            await self._called.wait()
        finally:
            self._idle = False           # cancelled, it is called no more


@settings(deadline=None, max_examples=150)
@given(
    due=st.lists(TENTHS, max_size=12).map(sorted), acts=st.lists(ACTS, min_size=12, max_size=12),
    in_flight_max=st.integers(1, 4), drain_s=TENTHS, limit_s=LIMITS, ending=ENDINGS_OF_RUNS,
)  # fmt: skip
@example(  # cancelled at the very instant at which sessions start, end, and time out
    due=[1.0] * 4, acts=[Act(1.0), Act(0.0), Act(9.0), Act(1.0, connect_s=1.0)] * 3, in_flight_max=3, drain_s=1.0,
    limit_s=1.0, ending=Ending(2.0, 2.0),
)
def test_the_books_of_an_open_load_in_series_balance(
    due: list[float], acts: list[Act], in_flight_max: int, drain_s: float, limit_s: float, ending: Ending
) -> None:
    troupe = Troupe(acts.__getitem__, session_limit_s=limit_s)
    schedule = [(arrival, round(at * NS_PER_S)) for arrival, at in enumerate(due)]

    async def play(stop: trio.Event) -> None:
        await play_open(troupe, schedule, in_flight_max=in_flight_max, end_s=6.0, drain_s=drain_s, stop=stop)

    virtually(lambda: until(ending, play))
    check(troupe)
    assert troupe.arrivals.presence.now == 0
    assert troupe.recorder.in_flight_peak <= in_flight_max


async def test_one_series_is_enough_for_sessions_that_do_not_overlap(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda _: Act(length_s=0.5))
    await play_open(troupe, [(3 * k, k * NS_PER_S) for k in range(5)], end_s=10)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 5}
    assert troupe.made == 1
    assert trio.current_time() == 10


async def test_a_session_that_is_otherwise_ends_its_series_and_no_other(autojump_clock: MockClock) -> None:
    refused = Outcome(OutcomeKind.REFUSED, "pop3.retr")
    troupe = Troupe(lambda k: Act(0.5, refused if k == 3 else ACCEPTED))
    await play_open(troupe, [(0, 0), (1, 0), (3, NS_PER_S), (4, 2 * NS_PER_S), (6, 3 * NS_PER_S)], end_s=10)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 4, OutcomeKind.REFUSED: 1}
    assert troupe.made == 2
    assert list(troupe.recorder.lags) == [0] * 5
    assert sorted(troupe.began) == [(0, 0), (1, 0), (3, NS_PER_S), (4, 2 * NS_PER_S), (6, 3 * NS_PER_S)]


async def test_a_sessions_limit_is_counted_from_its_own_start_and_not_while_its_series_stands_by(
    autojump_clock: MockClock,
) -> None:
    troupe = Troupe(lambda k: Act(length_s=20 if k == 3 else 1), session_limit_s=3)
    await play_open(troupe, [(0, 0), (3, 100 * NS_PER_S), (4, 200 * NS_PER_S)], end_s=300)
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 2, OutcomeKind.TIMED_OUT: 1}
    assert list(troupe.recorder.failures) == [("pop3.retr", "the session took longer than its limit")]
    assert troupe.recorder.seconds.timeline().timed_out[103] == 1
    assert troupe.made == 2, "the first went on after a rest, until it was cut"


async def test_series_that_stand_by_end_with_the_load(autojump_clock: MockClock) -> None:
    troupe = Troupe(lambda k: Act(length_s=1 + k))
    await play_open(troupe, seconds(0, 0), end_s=1.5)
    assert trio.current_time() == 2
    assert troupe.kinds == {OutcomeKind.ACCEPTED: 2}
    assert troupe.made == 2
