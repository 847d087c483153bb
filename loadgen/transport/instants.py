"""Many tasks that wait for instants of their own, and what is done at instants without a task, under one timer.

A cancel scope with a deadline costs 30 µs from being opened to being caught: much for a virtual user who thinks before
each of its sessions.
"""

import heapq
import math
from collections.abc import Awaitable, Callable

import trio
from outcome import Value

# Done at an instant; returns the next one at which it is to be done, in seconds of trio's clock. What has woken or
# started a task returns the present: tasks have their turn before it is done again, and nobody waits for sockets.
Chore = Callable[[], float]
# Has a chore done for the first time at an instant, and then as it says, until cancelled.
AtInstants = Callable[[float, Chore], Awaitable[None]]


async def by_sleeping(instant_s: float, chore: Chore) -> None:
    """Do a chore at instants, in a task that sleeps until each. Runs until cancelled."""
    while True:
        await trio.sleep_until(instant_s)
        instant_s = chore()


class Instants:
    """Wakes tasks, and does chores, at their instants (seconds of trio's clock). Run `serve` beside them.

    Whoever has a turn when an instant comes may call `wake`. While it says that it will, nobody else does (`by_hand`):
    to move trio's timer for each instant costs more than most of what is done at them.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int]] = []                # a heap: when, and which wait; ended ones still in it
        self._waiting: dict[int, trio.lowlevel.Task] = {}      # by the number of the wait
        self._chores: dict[int, Chore] = {}                    # likewise
        self._number = 0
        self._alarm = trio.CancelScope()
        self._now = trio.lowlevel.current_clock().current_time
        self._open = True
        self._by_hand = False

    @property
    def next_s(self) -> float:
        """Return the next instant at which there may be something to do."""
        return self._due[0][0] if self._due else math.inf

    @property
    def by_hand(self) -> bool:
        """Say whether somebody calls `wake` at each instant, and there need be no timer."""
        return self._by_hand

    @by_hand.setter
    def by_hand(self, by_hand: bool) -> None:
        self._by_hand = by_hand
        self._alarm.deadline = self._timer_s()

    def reached(self, instant_s: float) -> Awaitable[None]:
        """Wait until an instant, or until `end`; if that is past already it is a checkpoint only.

        To be awaited at once.
        """
        if not self._open or instant_s <= trio.current_time():
            return trio.lowlevel.checkpoint()   # noqa: ASYNC105  by the caller, at once
        number = self._add(instant_s)
        self._waiting[number] = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            del self._waiting[number]
            return trio.lowlevel.Abort.SUCCEEDED

        return trio.lowlevel.wait_task_rescheduled(abort)   # noqa: ASYNC105  by the caller, at once

    async def at_instants(self, instant_s: float, chore: Chore) -> None:
        """Have a chore done by whoever wakes tasks, for the first time at this instant. Runs until cancelled."""
        number = self._add(instant_s)
        self._chores[number] = chore
        try:
            await trio.sleep_forever()
        finally:
            del self._chores[number]

    def _add(self, instant_s: float) -> int:
        self._number += 1
        heapq.heappush(self._due, (instant_s, self._number))
        if instant_s < self._alarm.deadline and not self._by_hand:
            self._alarm.deadline = instant_s
        return self._number

    def end(self) -> None:
        """Wake everybody; from now on nobody waits."""
        self._open = False
        while self._waiting:
            _, task = self._waiting.popitem()
            trio.lowlevel.reschedule(task, Value(None))

    def wake(self) -> bool:
        """Wake tasks and do chores whose instants have come; say whether a task was woken."""
        now_s = self._now()
        if not self._due or self._due[0][0] > now_s:
            return False
        woken = self._wake(now_s)
        if not self._by_hand:
            self._alarm.deadline = self.next_s
        return woken

    async def serve(self) -> None:
        """Wake tasks as their instants come, for ever."""
        while True:
            with trio.CancelScope(deadline=self._timer_s()) as self._alarm:
                await trio.sleep_forever()
            self._wake(trio.current_time())

    def _timer_s(self) -> float:
        return math.inf if self._by_hand else self.next_s

    def _wake(self, now_s: float) -> bool:
        woken = False
        while self._due and self._due[0][0] <= now_s:
            _, number = heapq.heappop(self._due)
            if (chore := self._chores.get(number)) is not None:
                heapq.heappush(self._due, (chore(), number))
            elif (task := self._waiting.pop(number, None)) is not None:
                trio.lowlevel.reschedule(task, Value(None))
                woken = True
        return woken
