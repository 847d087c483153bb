"""The open model: arrivals that do not wait for the server."""

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
    # All that are due when we wake start together. With a checkpoint after each, one would start for every pass
    # over all the open sessions: a busy generator would wait with the server, and never have many in flight.
    woken_ns = -1
    whole = False
    async with trio.open_nursery() as timekeeping:
        timekeeping.start_soon(arrivals.limit.watch)
        async with trio.open_nursery() as sessions:
            pool = TaskPool(sessions, arrivals.limit)
            retries = RetryQueue(arrivals, sessions, pool, in_flight_max)
            stand_by = StandBy(arrivals, pool, retries.ended)
            for arrival, intended_ns in schedule:
                if intended_ns > woken_ns:
                    if not await arrivals.reached(intended_ns, stop):
                        break
                    woken_ns = arrivals.now_ns()
                if arrivals.recorder.in_flight < in_flight_max:
                    stand_by.start(arrival, intended_ns)
                else:
                    arrivals.drop(arrival, intended_ns)
            else:
                whole = await arrivals.reached(end_ns, stop)
            arrivals.recorder.end_load(arrivals.now_ns(), cut_short=not whole)
            sessions.cancel_scope.deadline = trio.current_time() + drain_s
            stand_by.close()
            pool.close()
        timekeeping.cancel_scope.cancel()
