"""The open model: arrivals that do not wait for the server."""

import math
from collections.abc import Iterable

import trio

from loadgen.engine.arrivals import Arrivals
from loadgen.engine.retry_queue import RetryQueue
from loadgen.engine.stand_by import StandBy
from loadgen.engine.task_pool import TaskPool


async def open_loop(
    arrivals: Arrivals,
    schedule: Iterable[tuple[int, int]],
    *,
    in_flight_max: int,
    end_ns: int,
    drain_s: float,
    stop: trio.Event,
) -> None:
    """Start every arrival of the schedule at its intended instant, and wait until every session has ended.

    `schedule` gives each arrival's number and intended instant (ns). Past `in_flight_max` an arrival is dropped,
    and counted. `stop` ends the arrivals early; without it the load lasts until `end_ns`, arrivals or not. Then the
    sessions still open have `drain_s` to end; after that they are cancelled, and recorded as interrupted. What was put
    off and comes due before that is tried again; what still waits then is unfinished.
    """
    whole = False
    async with trio.open_nursery() as timekeeping:
        timekeeping.start_soon(arrivals.limit.watch)
        async with trio.open_nursery() as sessions:
            pool = TaskPool(sessions, arrivals.limit)
            retries = RetryQueue(arrivals, sessions, pool, in_flight_max)
            stand_by = StandBy(arrivals, pool, retries.ended)
            starter = Starter(arrivals, schedule, stand_by, in_flight_max, stop)
            async with trio.open_nursery() as starting:
                starting.start_soon(arrivals.at_instants, arrivals.instant_s(0), starter.start_who_are_due)
                starting.start_soon(_cancel_at, stop, starting.cancel_scope)
                await starter.all_have_started.wait()
                await trio.sleep_until(arrivals.instant_s(end_ns))
                whole = not stop.is_set()
                starting.cancel_scope.cancel()
            arrivals.recorder.end_load(arrivals.now_ns(), cut_short=not whole)
            sessions.cancel_scope.deadline = trio.current_time() + drain_s
            stand_by.close()
            pool.close()
        timekeeping.cancel_scope.cancel()


class Starter:
    """Starts the arrivals of a schedule, each when it is due."""

    def __init__(
        self, arrivals: Arrivals, schedule: Iterable[tuple[int, int]], stand_by: StandBy, in_flight_max: int,
        stop: trio.Event,
    ) -> None:  # fmt: skip
        self.all_have_started = trio.Event()
        self._arrivals = arrivals
        self._left = iter(schedule)
        self._next = next(self._left, None)
        self._stand_by = stand_by
        self._in_flight_max = in_flight_max
        self._stop = stop

    def start_who_are_due(self) -> float:
        """Start all that are due, and return when to start the next: now, if tasks are to have their turn first.

        All that are due start together. Were tasks to have a turn after each, one would start for every pass over all
        the open sessions: a busy generator would wait with the server, and never have many in flight.
        """
        arrivals, now_s, tasks_go_on = self._arrivals, self._arrivals.clock(), False
        while self._next is not None and not self._stop.is_set():
            arrival, intended_ns = self._next
            due_s = arrivals.instant_s(intended_ns)
            if due_s > now_s:
                return now_s if tasks_go_on else due_s
            if arrivals.recorder.in_flight >= self._in_flight_max:
                arrivals.drop(arrival, intended_ns)
            elif self._stand_by.start(arrival, intended_ns):
                tasks_go_on = True
            self._next = next(self._left, None)
        if self.all_have_started.is_set():
            return math.inf
        self.all_have_started.set()
        return now_s


async def _cancel_at(stop: trio.Event, scope: trio.CancelScope) -> None:
    await stop.wait()
    scope.cancel()
