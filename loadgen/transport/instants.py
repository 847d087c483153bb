"""Many tasks that wait for instants of their own, under one timer.

A cancel scope with a deadline costs 30 µs from being opened to being caught: much for a virtual user who thinks before
each of its sessions.
"""

import heapq
import math
from collections.abc import Awaitable, Callable

import trio
from outcome import Value

# Waits until an instant of trio's clock, in seconds.
Reached = Callable[[float], Awaitable[None]]


class Instants:
    """Wakes tasks at their instants (seconds of trio's clock). Run `serve` beside them.

    Whoever has a turn anyway may call `wake` when an instant comes: then the timer costs nothing.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int]] = []                # a heap: when, and which wait; ended ones still in it
        self._waiting: dict[int, trio.lowlevel.Task] = {}      # by the number of the wait
        self._number = 0
        self._alarm = trio.CancelScope()
        self._open = True

    def reached(self, instant_s: float) -> Awaitable[None]:
        """Wait until an instant, or until `end`; if that is past already it is a checkpoint only.

        To be awaited at once.
        """
        if not self._open or instant_s <= trio.current_time():
            return trio.lowlevel.checkpoint()   # noqa: ASYNC105  by the caller, at once
        self._number = number = self._number + 1
        self._waiting[number] = trio.lowlevel.current_task()
        heapq.heappush(self._due, (instant_s, number))
        self._alarm.deadline = min(self._alarm.deadline, instant_s)

        def abort(_: object) -> trio.lowlevel.Abort:
            del self._waiting[number]
            return trio.lowlevel.Abort.SUCCEEDED

        return trio.lowlevel.wait_task_rescheduled(abort)   # noqa: ASYNC105  by the caller, at once

    def end(self) -> None:
        """Wake everybody; from now on nobody waits."""
        self._open = False
        self._wake(math.inf)

    def wake(self) -> bool:
        """Wake tasks whose instants have come; say whether there were any."""
        now_s = trio.current_time()
        if not self._due or self._due[0][0] > now_s:
            return False
        self._wake(now_s)
        self._alarm.deadline = self._next_s()
        return True

    async def serve(self) -> None:
        """Wake tasks as their instants come, for ever."""
        while True:
            with trio.CancelScope(deadline=self._next_s()) as self._alarm:
                await trio.sleep_forever()
            self._wake(trio.current_time())

    def _next_s(self) -> float:
        return self._due[0][0] if self._due else math.inf

    def _wake(self, now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s:
            _, number = heapq.heappop(self._due)
            task = self._waiting.pop(number, None)
            if task is not None:
                trio.lowlevel.reschedule(task, Value(None))
