"""The open model: arrivals that do not wait for the server."""

from collections.abc import Iterable

import trio

from loadgen.engine.arrivals import Arrivals


async def open_loop(
    arrivals: Arrivals, schedule: Iterable[int], *, in_flight_max: int, end_ns: int, drain_s: float, stop: trio.Event
) -> None:
    """Start every arrival at its intended instant, and wait until every session has ended.

    Past `in_flight_max` an arrival is dropped, and counted. `stop` ends the arrivals early. After the
    last one, the sessions still open have `drain_s` to end; then they are cancelled, and recorded as
    interrupted.
    """
    async with trio.open_nursery() as sessions:
        for arrival, intended_ns in enumerate(schedule):
            if not await arrivals.reached(intended_ns, stop):
                break
            if arrivals.recorder.in_flight < in_flight_max:
                arrivals.start(sessions, arrival, intended_ns)
            else:
                arrivals.drop(arrival, intended_ns)
        else:
            await arrivals.reached(end_ns, stop)
        arrivals.recorder.end_load(arrivals.now_ns())
        sessions.cancel_scope.deadline = trio.current_time() + drain_s

