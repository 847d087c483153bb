"""Casts that play in series, in virtual time: those of a closed load are led, those of an open load stand by."""

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.arrivals import Arrivals, NextPlan, Series, cut_at_its_limit
from loadgen.engine.tallied import TalliedSessions
from loadgen.engine.window import Window
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.trace import Trace
from tests.engine.stage import Cast

if TYPE_CHECKING:
    from loadgen.transport.native import Tallied


def every_third(arrival: int) -> bool:
    """Say of every third session that it does."""
    return arrival % 3 == 2


@dataclass
class Troupe(Cast):
    """A cast that plays in series. What goes as hoped is tallied; a session that is not ends its series."""

    goes_alone: Callable[[int], bool] = every_third                  # a session that goes a way of its own
    lanes: trio.Nursery | None = None                                # who leads in a closed load; outside of the loop's
    made: int = 0                                                    # series
    tasks_to_go_on: list[bool] = field(default_factory=list)         # at the end of each that was led: if there was one
    # When each was due, started, had finished, and the next one started (-1: none did): ns of the clock.
    tallied: list[tuple[int, int, int, int]] = field(default_factory=list)
    steady: Window = field(default_factory=lambda: Window(0, 1 << 62))

    def enter(self) -> Arrivals:
        """Make the recorder and the arrivals."""
        self.arrivals = replace(super().enter(), in_series=self)
        self.recorder.tally(self)
        return self.arrivals

    def takes(self, plan: Plan, behind: Plan | None = None) -> bool:
        """Say whether a session is one of a series."""
        return not self.goes_alone(plan.arrival)

    def accepted_under_way(self) -> int:
        """Count none."""
        return 0

    def series(self, plan: Plan, trace: Trace, next_plan: NextPlan, *, due_ns: int | None = None) -> Series:
        """Return a series."""
        self.made += 1
        if due_ns is None:
            return Led(self, plan, trace, next_plan)
        return StandingBy(self, plan, trace, next_plan, due_ns)

    def tell_when_full(self, phases: int, told: Callable[[], None]) -> None:
        """Tell nobody: no play is long enough to be full."""

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


class _Pretended:
    """One series, and the session under way in it."""

    def __init__(self, troupe: Troupe, plan: Plan, trace: Trace, next_plan: NextPlan) -> None:
        self.started_s = 0.0
        self.all_tallied = False
        self._troupe = troupe
        self._plan = plan
        self._trace = trace
        self._next_plan = next_plan
        self._limit_s = math.inf

    async def _play(self) -> Outcome:
        """Play one session, for as long as it may last."""
        outcome = None
        with trio.move_on_at(self.started_s + self._limit_s):
            outcome = await self._troupe.perform(self._plan, self._trace, self._plan.arrival)
        if outcome is ACCEPTED:
            self._trace.timings.clear()
        return cut_at_its_limit(self._trace) if outcome is None else outcome


class StandingBy(_Pretended):
    """A series of an open load: its task plays a session, tallies it, and stands by for the next."""

    def __init__(self, troupe: Troupe, plan: Plan, trace: Trace, next_plan: NextPlan, due_ns: int) -> None:
        super().__init__(troupe, plan, trace, next_plan)
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

    def begin(self, limit_s: float, told: Callable[[], bool] | None = None) -> None:
        """Begin the first."""
        assert told is None, "a task performs them"
        self._limit_s = limit_s
        self.started_s = trio.current_time()

    async def perform(self) -> Outcome:
        """Play one after another."""
        while not self.all_tallied:
            outcome = await self._play()
            if outcome is not ACCEPTED:
                return outcome
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


class Led(_Pretended):
    """A series of a closed load: a lane leads it to its end, or to a session that is otherwise."""

    def __init__(self, troupe: Troupe, plan: Plan, trace: Trace, next_plan: NextPlan) -> None:
        super().__init__(troupe, plan, trace, next_plan)
        self._outcome = ACCEPTED
        self._scope = trio.CancelScope()
        self._ended = trio.Event()
        self._told: Callable[[], bool] | None = None

    def begin(self, limit_s: float, told: Callable[[], bool] | None = None) -> None:
        """Begin the first."""
        assert self._troupe.lanes is not None
        self._limit_s, self._told = limit_s, told
        self.started_s = trio.current_time()
        self._troupe.lanes.start_soon(self._lead)

    async def perform(self) -> Outcome:
        """Wait for the end of it; cancelled, end it."""
        self._told = None
        try:
            await self._ended.wait()
        finally:
            self._scope.cancel()
        return self._outcome

    def tell(self) -> None:
        """Tell whoever wanted to be told that it is at its end, if no task waits for it."""
        if self._told is not None:
            self._troupe.tasks_to_go_on.append(self._told())

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
                self._troupe.tallied.append((started_ns, started_ns, finished_ns, -1 if plan is None else next_ns))
                if plan is None:
                    self.all_tallied = True
                    break
                self._plan = plan
        self._ended.set()
        self.tell()

    async def _goes_as_hoped(self) -> bool:
        self._outcome = await self._play()
        return self._outcome is ACCEPTED
