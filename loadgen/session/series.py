"""Sessions one after another, led by one native lane while all goes as hoped.

Those of a virtual user follow each other at once. In an open load a series stands by, idle, until an arrival is due.
Between two of them no task has a turn: what one did is tallied by the lane, and the next begins. The first that is
otherwise ends the series, and is gone over by the ordinary code.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio

from loadgen.schedule.plans import Plan
from loadgen.session.outcome import Outcome
from loadgen.session.plain import CONNECTED, PlainSession
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import Beginning
from loadgen.transport.failures import outlived
from loadgen.transport.stream import Transport

if TYPE_CHECKING:
    from loadgen.transport.native import NativeLane, Tally

NextPlan = Callable[[], Plan | None]


class Series(PlainSession, ABC):
    """One session after another, all of one kind. Nobody verifies what becomes of the messages: none is kept.

    A subclass is the one kind's: its `rounds` ask what there is to ask in the session under way, and count in
    `messages` those that were offered.
    """

    __slots__ = (
        "_lane", "_limit_s", "_next_plan", "_way",
        "all_tallied", "due_ns", "messages", "name", "plan", "stands_by", "tally",
    )   # fmt: skip

    def __init__(
        self, route: Route, plan: Plan, trace: Trace, tally: "Tally", next_plan: NextPlan, due_ns: int | None
    ) -> None:
        """Begin with a plan; `next_plan` gives the one that follows. The trace is of a session that is otherwise.

        One whose session is due at an instant (ns on `clock_ns`) stands by when none follows, until it is dismissed.
        """
        super().__init__(route, trace, log=trace)
        assert route.native_way is not None, "who asked for a series has looked"
        self._way = route.native_way
        self.tally = tally
        self.due_ns = -1 if due_ns is None else due_ns       # -1: the session under way was due when it started
        self.stands_by = due_ns is not None
        self.all_tallied = False       # the last session too has gone as hoped
        self._lane: NativeLane | None = None     # while it leads: each knows the other
        self._limit_s = math.inf       # of each session
        self._next_plan = next_plan
        self._go_on_to(plan)

    def follow(self) -> Beginning | None:
        """Go on to the next session, if there is one."""
        if self._recording is not None:
            self._was_heard(tallied=True)
        plan = self._next_plan()
        if plan is None:
            self.all_tallied = True
            if not self.stands_by:
                self._lane = None
            return None
        self._go_on_to(plan)
        self._be_heard()
        return self._way.beginning(plan.arrival)

    def begin(self, limit_s: float, told: Callable[[], bool] | None = None) -> None:
        """Begin the first; each is cut after `limit_s`.

        If no task performs them at the end `told` is called, and says whether a task is to go on now.
        """
        lanes = self._route.native_lanes()
        assert lanes is not None, "there is a way for them"
        self._limit_s = limit_s
        self._lane = lanes.lane(self, series=True, limit_s=limit_s)
        self.begin_natively(self._lane)
        if told is not None:
            self._lane.when_ended(told)

    def go_on(self, plan: Plan, due_ns: int) -> bool:
        """Begin a session that has come due; say whether it has begun: an idle series may have been cancelled."""
        lane = self._lane
        if lane is None or not lane.idle:
            return False
        self._go_on_to(plan)
        self.due_ns = due_ns
        self.all_tallied = False
        self._be_heard()
        lane.begin(*self._way.beginning(plan.arrival))
        return True

    def dismiss(self) -> None:
        """End it with the session under way, or now if it is idle."""
        self.stands_by = False
        if self._lane is not None and self._lane.idle:
            self._lane.dismiss()

    async def perform(self) -> Outcome:
        """Run on with what has begun; return how the last one ended."""
        assert self._lane is not None, "they have begun, and are not all tallied yet"
        try:
            return await self.run_natively(self._lane, self._otherwise)
        finally:
            self._lane = None

    def _go_on_to(self, plan: Plan) -> None:
        self.plan = plan
        self.name = plan.session_name
        self.arrival = plan.arrival
        self.messages = 0
        self.mark = CONNECTED
        self.done = False
        self.began_s = 0.0

    def _over(self) -> None:
        if self.all_tallied:
            return
        super()._over()
        self._note_messages()

    async def _otherwise(self, transport: Transport) -> Outcome:
        with trio.CancelScope(deadline=self.started_s + self._limit_s):
            return await self._go_over(transport)
        return Outcome.of_error(outlived(), self._trace.phase)

    @abstractmethod
    def _note_messages(self) -> None:
        """Note in the trace what became of messages in a session that was cut, as its timings and replies tell."""

    @abstractmethod
    def _go_over(self, transport: Transport) -> Awaitable[Outcome]:
        """Go over the session under way by the ordinary code."""
