"""What is read from a socket is kept at its length, and in no room but that."""

import socket
import tracemalloc
from collections.abc import Iterator

import pytest
import trio
from trio.testing import memory_stream_pair

from conformance.refserver.listener.link import SocketLink
from loadgen.transport.channel import RECEIVE_OCTETS
from loadgen.transport.received import place, receive
from loadgen.transport.stream import Transport
from tests.transport.conftest import Certificates

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_what_was_read_stays_when_the_next_read_is_done(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"250 first\r\n")
    first = receive(ours)
    theirs.send(b"550 second\r\n")
    assert (receive(ours), first) == (b"550 second\r\n", b"250 first\r\n")
    with pytest.raises(BlockingIOError):
        receive(ours)
    theirs.close()
    assert receive(ours) == b""


def test_there_is_room_for_a_whole_read(pair: Pair) -> None:
    ours, theirs = pair
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * RECEIVE_OCTETS)
    theirs.send(b"x" * (RECEIVE_OCTETS + 1))
    assert [len(receive(ours)), len(receive(ours))] == [RECEIVE_OCTETS, 1]
    assert len(place()) == RECEIVE_OCTETS


def most_octets_of_a_read(sock: socket.socket) -> int:
    tracemalloc.start()
    try:
        receive(sock)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_short_answer_takes_no_room_for_a_long_one(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"220 \r\n")
    receive(ours)      # the place itself is made once
    theirs.send(b"250 \r\n")
    assert most_octets_of_a_read(ours) < 1_024


async def test_nor_does_a_command_at_the_reference_server(pair: Pair) -> None:
    ours, theirs = pair
    link = SocketLink(ours)
    theirs.send(b"EHLO c.example\r\n")
    assert [await link.receive_some(5), await link.receive_some()] == [b"EHLO ", b"c.example\r\n"]
    theirs.send(b"QUIT\r\n")
    tracemalloc.start()
    try:
        assert await link.receive_some(10 * RECEIVE_OCTETS) == b"QUIT\r\n"
        assert tracemalloc.get_traced_memory()[1] < 8_192
    finally:
        tracemalloc.stop()


async def test_nor_does_an_answer_inside_tls(certificates: Certificates) -> None:
    ours, below = memory_stream_pair()
    transport = Transport.over(ours, peer="peer", host="mx.example.test")
    server = trio.SSLStream(below, certificates.server, server_side=True)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.do_handshake)
            await transport.start_tls(certificates.client, None, 1e6)
        await server.send_all(b"250 OK\r\n")
        tracemalloc.start()
        try:
            assert await transport.receive(1e6) == b"250 OK\r\n"
            assert tracemalloc.get_traced_memory()[1] < 16_384
        finally:
            tracemalloc.stop()
        await server.send_all(b"x" * 100_000)
        received = b""
        while len(received) < 100_000:
            received += await transport.receive(1e6)
    assert received == b"x" * 100_000
