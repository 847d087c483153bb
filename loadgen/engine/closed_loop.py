"""The closed model: a fixed population of virtual users, each waiting for its own session to end."""

import math
from collections.abc import Callable

import trio

from loadgen.engine.arrivals import Arrivals


async def closed_loop(
    arrivals: Arrivals,
    *,
    virtual_users: int,
    think_ns: Callable[[int, int], int],
    sessions: int | None,
    end_ns: int | None,
    drain_s: float,
    stop: trio.Event,
) -> None:
    """Run the population until `sessions` have been started, `end_ns` has come, or `stop`; then let it end.

    User u runs the arrivals u, u + n, u + 2n …
    (n users), thinking `think_ns(u, i)` before its i-th, so what each does never depends on the speed
    of the others. A session's intended instant is the end of the think time before it. Sessions open at
    the end have `drain_s`; then they are cancelled, and recorded as interrupted.
    """
    over = trio.Event()          # no session starts any more

    async def user(number: int) -> None:
        turn = 0
        while sessions is None or number + turn * virtual_users < sessions:
            intended_ns = arrivals.now_ns() + think_ns(number, turn)
            if not await arrivals.reached(intended_ns, over):
                return
            arrivals.recorder.started(intended_ns)
            await arrivals.run(number + turn * virtual_users, intended_ns)
            turn += 1

    async def end_the_load(population: trio.Nursery) -> None:
        with trio.move_on_at(math.inf if end_ns is None else arrivals.instant_s(end_ns)):
            await stop.wait()
        over.set()
        arrivals.recorder.end_load(arrivals.now_ns())
        population.cancel_scope.deadline = trio.current_time() + drain_s

    async with trio.open_nursery() as timekeeping:
        async with trio.open_nursery() as population:
            timekeeping.start_soon(end_the_load, population)
            for number in range(virtual_users):
                population.start_soon(user, number)
        timekeeping.cancel_scope.cancel()
    if not over.is_set():        # every session there was to start has been, and has ended
        arrivals.recorder.end_load(arrivals.now_ns())
