"""The queue of an open load: what was put off, until it is due (RFC 5321 §4.5.4.1)."""

import math
from heapq import heappop, heappush

import trio

from loadgen.engine.arrivals import Arrivals
from loadgen.engine.attempt import Attempt
from loadgen.engine.task_pool import TaskPool


class RetryQueue:
    """Messages that wait to be tried again, in a nursery that lasts as long as the load and its drain.

    They hold no connection and are not in flight. One that is due while the in-flight limit is reached waits for
    a place: what a server has put off is not dropped.
    """

    def __init__(self, arrivals: Arrivals, nursery: trio.Nursery, pool: TaskPool, in_flight_max: int) -> None:
        self._arrivals = arrivals
        self._nursery = nursery
        self._pool = pool
        self._in_flight_max = in_flight_max
        self._waiting: list[Attempt] = []       # a heap
        self._served = False                    # Invariant: true exactly while a task looks after the queue
        self._full = False                      # that task waits for a place, not for an instant
        self._changed = trio.Event()            # what it waits for may have come

    def ended(self, after: Attempt | None) -> None:
        """Note that a session has ended, and keep the attempt that is to come after it."""
        if after is not None:
            heappush(self._waiting, after)
            if not self._served:
                self._served = True
                self._nursery.start_soon(self._serve)
        if self._full or (after is not None and self._waiting[0] is after):
            self._changed.set()

    async def _serve(self) -> None:
        """Start what is due, as long as there is something that waits."""
        while self._waiting:
            # Compared in trio's own seconds: an instant in ns may round to a float before it.
            due_s = self._arrivals.instant_s(self._waiting[0].due_ns)
            self._full = self._arrivals.recorder.in_flight >= self._in_flight_max
            if not self._full and due_s <= trio.current_time():
                self._arrivals.start_again(self._pool, heappop(self._waiting), self.ended)
                continue
            self._changed = trio.Event()
            with trio.move_on_at(math.inf if self._full else due_s):
                await self._changed.wait()
        self._served = False
