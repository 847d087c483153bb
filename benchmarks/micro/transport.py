"""What it costs to send a command and receive its reply, over loopback, with many sessions in one trio run."""

import sys
import time
from collections.abc import Awaitable, Callable

import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.connect import connect
from loadgen.transport.readiness import best_readiness

UNIT = "CPU µs/round trip"
SESSIONS = 100
ROUND_TRIPS = 20_000
COMMAND = b"NOOP\r\n"
LIMIT_S = 30.0
Session = Callable[[int, int], Awaitable[None]]


async def over_ours(port: int) -> float:
    """Return the cost by our transport."""
    async with trio.open_nursery() as nursery:
        readiness = await best_readiness(nursery)
        endpoint = Endpoint("smtp", "127.0.0.1", port, None, implicit_tls=False)

        async def session(round_trips: int) -> None:
            deadline = trio.current_time() + LIMIT_S
            async with await connect(endpoint, deadline=deadline, readiness=readiness) as transport:
                await transport.receive(deadline)
                for _ in range(round_trips):
                    await transport.send(COMMAND, deadline)
                    await transport.receive(deadline)

        cost = await _measured(session)
        nursery.cancel_scope.cancel()
    return cost


async def over_trio(port: int) -> float:
    """Return the cost by trio's SocketStream, a deadline around each wait, as there must be."""

    async def session(round_trips: int) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.receive_some()
            for _ in range(round_trips):
                with trio.fail_after(LIMIT_S):
                    await stream.send_all(COMMAND)
                with trio.fail_after(LIMIT_S):
                    await stream.receive_some()

    return await _measured(session)


async def _measured(session: Callable[[int], Awaitable[None]]) -> float:
    began_ns = time.process_time_ns()
    async with trio.open_nursery() as nursery:
        for _ in range(SESSIONS):
            nursery.start_soon(session, ROUND_TRIPS // SESSIONS)
    return (time.process_time_ns() - began_ns) / ROUND_TRIPS / 1000


def _figures(measured: Callable[[int], Awaitable[float]]) -> dict[str, float]:
    return {UNIT: trio.run(measured, int(sys.argv[3]))}


SIDES: dict[str, Callable[[], dict[str, float]]] = {
    "mailproof": lambda: _figures(over_ours),
    "trio.SocketStream": lambda: _figures(over_trio),
}
