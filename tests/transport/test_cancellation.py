"""Cancelled at any await, nothing stays open."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.addresses import resolve
from loadgen.transport.errors import TransportTimeout
from loadgen.transport.stream import Transport
from tests.transport.conftest import Certificates, Connect
from tests.transport.peers import Handler, cancel_at_every_await, echo

LONG = bytes(8_000_000)   # more than the kernel buffers on loopback


def far() -> float:
    return trio.current_time() + 1000


async def receive_all(transport: Transport, octets: int) -> None:
    while octets > 0:
        octets -= len(await transport.receive(far()))


def tls_echo(certificates: Certificates) -> Handler:
    async def handle(stream: trio.SocketStream) -> None:
        tls = trio.SSLStream(stream, certificates.server, server_side=True)
        async for octets in tls:
            await tls.send_all(octets)

    return handle


async def test_connect_leaves_nothing_open(connect: Connect) -> None:
    async def operation(server: Endpoint) -> None:
        (await connect(server, deadline=far())).abort()

    assert await cancel_at_every_await(operation) >= 1   # before it; over loopback there is nothing to wait for


async def test_waiting_for_the_connection_leaves_nothing_open(
    connect: Connect, silent: Endpoint, autojump_clock: trio.testing.MockClock
) -> None:
    async def operation(_: Endpoint) -> None:
        with suppress(TransportTimeout):
            await connect(silent, deadline=trio.current_time() + 1)

    assert await cancel_at_every_await(operation) >= 2   # before it, and in its wait


async def test_connect_to_a_name_leaves_nothing_open(connect: Connect) -> None:
    async def operation(server: Endpoint) -> None:
        named = Endpoint("smtp", "localhost", server.port, None, implicit_tls=False)
        (await connect(named, deadline=far(), source="127.0.0.1")).abort()

    assert await cancel_at_every_await(operation) >= 3


async def test_connect_to_the_second_address_leaves_nothing_open(connect: Connect) -> None:
    async def operation(server: Endpoint) -> None:
        refusing = Endpoint("smtp", "127.0.0.2", server.port, None, implicit_tls=False)
        both = [*await resolve(refusing, far()), *await resolve(server, far())]
        (await connect(server, deadline=far(), addresses=both)).abort()

    assert await cancel_at_every_await(operation) >= 2


async def test_waiting_for_a_unix_backlog_leaves_nothing_open(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "busy"

    async def accept_later(listener: socket.socket) -> None:
        await trio.sleep(0.012)
        listener.accept()[0].close()

    async def operation(_: Endpoint) -> None:
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
            listener.bind(str(path))
            listener.listen(0)
            first.connect(str(path))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(accept_later, listener)
                (await connect(Endpoint("lmtp", None, None, str(path), implicit_tls=False), deadline=far())).abort()

    assert await cancel_at_every_await(operation) >= 3


async def test_send_and_receive_leave_nothing_open(connect: Connect) -> None:
    async def operation(server: Endpoint) -> None:
        async with await connect(server, deadline=far()) as transport, trio.open_nursery() as nursery:
            nursery.start_soon(transport.send, bytes(300_000), far())
            await receive_all(transport, 300_000)

    assert await cancel_at_every_await(operation) >= 4


async def test_a_blocked_send_leaves_nothing_open(connect: Connect) -> None:
    async def read_slowly(stream: trio.SocketStream) -> None:
        while await stream.receive_some(1_000_000):
            pass

    async def operation(server: Endpoint) -> None:
        async with await connect(server, deadline=far()) as transport:
            await transport.send(LONG, far())
            await transport.send_eof()

    assert await cancel_at_every_await(operation, read_slowly) >= 2


async def test_starttls_leaves_nothing_open(connect: Connect, certificates: Certificates) -> None:
    async def operation(server: Endpoint) -> None:
        async with await connect(server, deadline=far()) as transport:
            await transport.start_tls(certificates.client, None, far())

    assert await cancel_at_every_await(operation, tls_echo(certificates)) >= 2


async def test_implicit_tls_leaves_nothing_open(connect: Connect, certificates: Certificates) -> None:
    async def operation(server: Endpoint) -> None:
        smtps = Endpoint("smtp", server.host, server.port, None, implicit_tls=True)
        (await connect(smtps, deadline=far(), tls=certificates.client)).abort()

    assert await cancel_at_every_await(operation, tls_echo(certificates)) >= 2


async def test_a_session_inside_tls_leaves_nothing_open(connect: Connect, certificates: Certificates) -> None:
    async def operation(server: Endpoint) -> None:
        async with await connect(server, deadline=far()) as transport:
            await transport.start_tls(certificates.client, None, far())
            for _ in range(3):
                await transport.send(b"NOOP\r\n", far())
                await receive_all(transport, 6)
            await transport.send_eof()

    assert await cancel_at_every_await(operation, tls_echo(certificates)) >= 5


@pytest.mark.parametrize("inside_tls", [False, True])
async def test_closing_leaves_nothing_open(connect: Connect, certificates: Certificates, inside_tls: bool) -> None:
    async def operation(server: Endpoint) -> None:
        with trio.CancelScope(shield=True):
            transport = await connect(server, deadline=far())
            if inside_tls:
                await transport.start_tls(certificates.client, None, far())
        await transport.aclose()
        await trio.lowlevel.checkpoint()

    assert await cancel_at_every_await(operation, tls_echo(certificates) if inside_tls else echo) >= 1


async def test_the_helper_sees_a_socket_that_stays_open(connect: Connect) -> None:
    """A test of the test: without this, "nothing stays open" could hold because nobody looked."""
    kept = []

    async def operation(server: Endpoint) -> None:
        kept.append(await connect(server, deadline=far()))

    with pytest.raises(AssertionError, match="still open after a cancel at await 0"):
        await cancel_at_every_await(operation)
    for transport in kept:
        await transport.aclose()


async def test_the_helper_sees_a_socket_left_to_the_garbage_collector(connect: Connect) -> None:
    async def operation(server: Endpoint) -> None:
        await connect(server, deadline=far())

    with pytest.raises(AssertionError, match="after a cancel at await 0: unclosed <socket"):
        await cancel_at_every_await(operation)
