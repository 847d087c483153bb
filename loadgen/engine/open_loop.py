"""The open model: arrivals that do not wait for the server."""

from collections.abc import Iterable

import trio

from loadgen.engine.arrivals import Arrivals

# Arrivals that are due start together: with a checkpoint after each, one would start per pass over all the open
# sessions, and a busy generator would wait with the server. So many at most, then others have their turn.
STARTS_PER_TURN = 64


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
    sessions still open have `drain_s` to end; after that they are cancelled, and recorded as interrupted.
    """
    started_in_turn = 0
    async with trio.open_nursery() as sessions:
        for arrival, intended_ns in schedule:
            if started_in_turn < STARTS_PER_TURN and arrivals.now_ns() >= intended_ns and not stop.is_set():
                started_in_turn += 1
            elif await arrivals.reached(intended_ns, stop):
                started_in_turn = 1
            else:
                break
            if arrivals.recorder.in_flight < in_flight_max:
                arrivals.start(sessions, arrival, intended_ns)
            else:
                arrivals.drop(arrival, intended_ns)
        else:
            await arrivals.reached(end_ns, stop)
        arrivals.recorder.end_load(arrivals.now_ns())
        sessions.cancel_scope.deadline = trio.current_time() + drain_s
