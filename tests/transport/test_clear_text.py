"""Octets over real sockets: what the OS does, and what it is called here."""

import socket
import struct
from collections.abc import Iterator

import pytest
import trio

from loadgen.transport.errors import PeerClosed, TransportTimeout
from loadgen.transport.socket_channel import AT_ONCE_MAX
from tests.transport.conftest import Connect
from tests.transport.peers import endpoint, peer

LONG = bytes(range(256)) * 32_768   # 8 MiB: more than the kernel buffers on loopback


def soon() -> float:
    return trio.current_time() + 5


async def test_a_long_body_arrives_whole_through_a_slow_reader(connect: Connect) -> None:
    received = bytearray()

    async def read_slowly(stream: trio.SocketStream) -> None:
        while octets := await stream.receive_some(10_000):
            received.extend(octets)
        await stream.send_all(b"250 2.0.0 kept\r\n")

    async with peer(read_slowly) as server, await connect(server, deadline=soon()) as transport:
        await transport.send(LONG, soon())
        await transport.send_eof()
        assert await transport.receive(soon()) == b"250 2.0.0 kept\r\n"
    assert received == LONG
    assert transport.octets_sent == len(LONG)


async def test_a_long_answer_arrives_whole(connect: Connect) -> None:
    async def retr(stream: trio.SocketStream) -> None:
        await stream.send_all(LONG)

    received = bytearray()
    async with peer(retr) as server, await connect(server, deadline=soon()) as transport:
        while len(received) < len(LONG):
            received += await transport.receive(soon())
        with pytest.raises(PeerClosed):
            await transport.receive(soon())
    assert received == LONG
    assert transport.octets_received == len(LONG)


async def test_after_half_close_the_answer_still_comes(connect: Connect) -> None:
    async def answer_at_the_end(stream: trio.SocketStream) -> None:
        octets = b"".join([octets async for octets in stream])
        await stream.send_all(b"221 after " + octets)

    async with peer(answer_at_the_end) as server, await connect(server, deadline=soon()) as transport:
        await transport.send(b"QUIT", soon())
        await transport.send_eof()
        assert await transport.receive(soon()) == b"221 after QUIT"


async def test_an_orderly_close_is_no_reset(connect: Connect) -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        pass

    async with peer(hang_up) as server, await connect(server, deadline=soon()) as transport:
        with pytest.raises(PeerClosed, match=r"closed the connection$") as caught:
            await transport.receive(soon())
        assert not caught.value.reset


async def test_a_reset_is_told_from_a_close(connect: Connect) -> None:
    async def reset(stream: trio.SocketStream) -> None:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with peer(reset) as server, await connect(server, deadline=soon()) as transport:
        with pytest.raises(PeerClosed, match=r"reset the connection$") as caught:
            await transport.receive(soon())
        assert caught.value.reset
        with pytest.raises(PeerClosed) as caught:
            await transport.send(b"QUIT\r\n", soon())
        assert caught.value.reset


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


async def test_abort_gives_the_peer_a_reset(connect: Connect, listener: socket.socket) -> None:
    transport = await connect(endpoint(listener.getsockname()[1]), deadline=soon())
    with listener.accept()[0] as accepted:
        transport.abort()
        with pytest.raises(ConnectionResetError):
            accepted.recv(1)


async def test_aclose_gives_the_peer_an_orderly_end(connect: Connect, listener: socket.socket) -> None:
    transport = await connect(endpoint(listener.getsockname()[1]), deadline=soon())
    with listener.accept()[0] as accepted:
        await transport.send(b"QUIT\r\n", soon())
        await transport.aclose()
        assert accepted.recv(100) == b"QUIT\r\n"
        assert accepted.recv(100) == b""


async def test_the_peers_last_words_can_be_read_after_it_closed(connect: Connect, listener: socket.socket) -> None:
    async with await connect(endpoint(listener.getsockname()[1]), deadline=soon()) as transport:
        with listener.accept()[0] as accepted:
            accepted.send(b"421 4.3.2 closing\r\n")
        await transport.send(b"MAIL FROM:<>\r\n", soon())     # reaches a closed socket: answered with a reset
        with pytest.raises(PeerClosed):
            await transport.send(b"RCPT TO:<a@example.test>\r\n", soon())
        assert await transport.receive(soon()) == b"421 4.3.2 closing\r\n"


async def test_closing_twice_does_nothing_and_later_use_is_our_bug(connect: Connect, listener: socket.socket) -> None:
    transport = await connect(endpoint(listener.getsockname()[1]), deadline=soon())
    await transport.aclose()
    await transport.aclose()
    transport.abort()
    assert transport.local == ""
    with pytest.raises(trio.ClosedResourceError):
        await transport.send(b"NOOP\r\n", soon())
    with pytest.raises(trio.ClosedResourceError):
        await transport.receive(soon())
    with pytest.raises(trio.ClosedResourceError):
        await transport.send_eof()


async def test_closing_wakes_the_task_that_receives(connect: Connect, listener: socket.socket) -> None:
    transport = await connect(endpoint(listener.getsockname()[1]), deadline=soon())

    async def receive() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await transport.receive(soon())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        transport.abort()


async def test_a_silent_server_is_a_timeout_at_the_deadline(
    connect: Connect, listener: socket.socket, autojump_clock: trio.testing.MockClock
) -> None:
    async with await connect(endpoint(listener.getsockname()[1]), deadline=30) as transport:
        with pytest.raises(TransportTimeout, match=r"sent nothing before the deadline$"):
            await transport.receive(300)
    assert trio.current_time() == 300


async def test_a_server_that_does_not_read_is_a_timeout_at_the_deadline(
    connect: Connect, listener: socket.socket, autojump_clock: trio.testing.MockClock
) -> None:
    async with await connect(endpoint(listener.getsockname()[1]), deadline=30) as transport:
        with pytest.raises(TransportTimeout, match=r"did not take what was sent before the deadline$"):
            await transport.send(LONG, 180)
    assert trio.current_time() == 180


async def test_nothing_is_lost_by_a_timeout(connect: Connect, listener: socket.socket) -> None:
    async with await connect(endpoint(listener.getsockname()[1]), deadline=soon()) as transport:
        with listener.accept()[0] as accepted:
            with pytest.raises(TransportTimeout):
                await transport.receive(trio.current_time() - 1)
            accepted.send(b"220 late\r\n")
            assert await transport.receive(soon()) == b"220 late\r\n"


async def test_a_task_that_never_has_to_wait_still_lets_others_run(connect: Connect, listener: socket.socket) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    transport = await connect(endpoint(listener.getsockname()[1]), deadline=soon())
    async with transport, trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(3 * AT_ONCE_MAX):
            await transport.send(b"x", soon())
        # 3 checkpoints; in the first the other task starts, in the last it may still be waiting for its turn
        assert turns >= 2
        nursery.cancel_scope.cancel()


async def test_one_task_sends_while_another_receives(connect: Connect) -> None:
    received = bytearray()

    async with peer() as server, await connect(server, deadline=soon()) as transport, trio.open_nursery() as nursery:
        nursery.start_soon(transport.send, LONG, soon())
        while len(received) < len(LONG):
            received += await transport.receive(soon())
    assert received == LONG
