"""A peer on loopback, and cancellation at every await with a count of what stays open."""

import gc
import itertools
import os
import socket
import ssl
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from loadgen.endpoint import Endpoint

Handler = Callable[[trio.SocketStream], Awaitable[None]]
Operation = Callable[[Endpoint], Awaitable[object]]


def endpoint(port: int | None, host: str = "127.0.0.1", *, implicit_tls: bool = False) -> Endpoint:
    return Endpoint("smtp", host, port, None, implicit_tls)


async def echo(stream: trio.SocketStream) -> None:
    async for octets in stream:
        await stream.send_all(octets)


async def serve(listener: trio.SocketListener, handler: Handler) -> None:
    """Accept for ever; the peer's own mishaps (a reset, a refused handshake) are the test's business, not ours."""

    async def handle(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                await handler(stream)
            except (trio.BrokenResourceError, ssl.SSLError):
                return

    async with listener, trio.open_nursery() as nursery:
        while True:
            nursery.start_soon(handle, await listener.accept())


@asynccontextmanager
async def peer(handler: Handler = echo, host: str = "127.0.0.1") -> AsyncIterator[Endpoint]:
    """Serve on loopback while the block runs; every descriptor of the server is closed after it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    await sock.bind((host, 0))
    sock.listen(16)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, trio.SocketListener(sock), handler)
        yield endpoint(sock.getsockname()[1], host)
        nursery.cancel_scope.cancel()


def open_sockets() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            shown = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:   # the listing's own descriptor
            continue
        if shown.startswith("socket:"):
            found[int(name)] = shown
    return found


class CancelAt(trio.abc.Instrument):
    """Cancel a scope when the task under test has yielded for the k-th time (k = 0: before it starts)."""

    def __init__(self, scope: trio.CancelScope, k: int) -> None:
        self.task = trio.lowlevel.current_task()
        self.scope = scope
        self.left = k
        if k == 0:
            scope.cancel()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


async def only_these_are_open(before: dict[int, str]) -> bool:
    """Look whether the same sockets are open as before; a resolver's abandoned thread has half a second for its own."""
    for _ in range(50):
        if open_sockets() == before:
            return True
        await trio.to_thread.run_sync(time.sleep, 0.01)
    return False


async def cancel_at_every_await(operation: Operation, handler: Handler = echo) -> int:
    """Run an operation against a fresh peer again and again, cancelled at its k-th await for k = 0, 1, 2 …

    Ends with the first run that was over before its turn to be cancelled, and returns that k. After each run no
    socket may be open that was not open before, and none may have been left to the garbage collector.
    """
    for k in itertools.count():
        before = open_sockets()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            async with peer(handler) as server:
                with trio.CancelScope() as scope:
                    instrument = CancelAt(scope, k)
                    trio.lowlevel.add_instrument(instrument)
                    try:
                        await operation(server)
                    finally:
                        trio.lowlevel.remove_instrument(instrument)
            gc.collect()
        assert await only_these_are_open(before), f"still open after a cancel at await {k}"
        assert not warned, f"after a cancel at await {k}: {warned[0].message}"
        if not scope.cancel_called:
            break
    return k
