"""The server's side of TLS over streams in memory: what is said inside, how it ends, and that nothing is left of it."""

import gc
import socket
import ssl
import tracemalloc
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair

from conformance.refserver.listener.link import SocketLink
from conformance.refserver.listener.tls import self_made_context
from conformance.refserver.listener.tls_link import TlsLink

LONG = bytes(range(256)) * 1_000      # some records, and more than is read at once


class Ends:
    """Both ends of a connection in TLS. The client's is trio's own, so that no code is held against itself."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
        ours, self.below = memory_stream_pair()
        self.link = TlsLink(self.below, server)
        self.client = trio.SSLStream(ours, client, server_hostname="localhost")

    async def agree(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.link.handshake)
            await self.client.do_handshake()

    async def refuse(self) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await self.link.handshake()

    async def heard(self, octets: int) -> bytes:
        said = b""
        while len(said) < octets:
            said += await self.link.receive_some()
        return said


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    ca_file: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    server = self_made_context(["localhost"], ca_file)
    return server, ssl.create_default_context(cafile=ca_file)


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def ends(request: pytest.FixtureRequest, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Ends:
    server, client = contexts
    client.minimum_version = ssl.TLSVersion.TLSv1_2      # never above the maximum
    client.maximum_version = request.param
    made = Ends(server, client)
    with trio.fail_after(5):
        await made.agree()
    return made


async def test_what_is_said_inside_arrives_whole_in_both_directions(ends: Ends) -> None:
    assert ends.link.cipher == (ends.client.cipher() or [""])[0] != ""
    heard = b""
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.client.send_all, LONG)
            assert await ends.heard(len(LONG)) == LONG
            nursery.start_soon(ends.link.send_all, LONG)
            while len(heard) < len(LONG):
                heard += await ends.client.receive_some()
    assert heard == LONG


async def test_what_was_read_too_early_for_a_limit_comes_next(ends: Ends) -> None:
    await ends.client.send_all(b"EHLO c.example\r\n")
    assert [await ends.link.receive_some(5), await ends.link.receive_some()] == [b"EHLO ", b"c.example\r\n"]


async def test_octets_that_are_there_and_a_close_notify_are_both_heard(ends: Ends) -> None:
    await ends.client.send_all(b"QUIT\r\n")
    await ends.client.aclose()
    assert [await ends.link.receive_some() for _ in range(3)] == [b"QUIT\r\n", b"", b""]


async def test_an_end_without_a_close_notify_is_a_broken_connection(ends: Ends) -> None:
    await ends.client.send_all(b"half")
    await ends.client.transport_stream.aclose()
    assert await ends.link.receive_some() == b"half"
    with pytest.raises(trio.BrokenResourceError):
        await ends.link.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await ends.link.send_all(b"421 bye\r\n")


async def test_a_close_says_close_notify_and_one_in_haste_does_not(
    ends: Ends, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    await ends.link.aclose()
    assert await ends.client.receive_some() == b""
    ours, theirs = map(SocketLink, nonblocking_pair())      # which take what is said at once, cancelled or not
    link, client = TlsLink(theirs, contexts[0]), trio.SSLStream(ours, contexts[1], server_hostname="localhost")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.handshake)
        await client.do_handshake()
    await trio.aclose_forcefully(link)
    with pytest.raises(trio.BrokenResourceError):
        await client.receive_some()
    ours.close()


def nonblocking_pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


async def test_after_a_send_that_was_cut_short_nothing_more_is_said(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], autojump_clock: MockClock
) -> None:
    """A record may be half sent: what came behind it would be garbage, a close_notify too."""
    server, client = contexts
    ours, theirs = lockstep_stream_pair()      # takes nothing that nobody reads
    link, secured = TlsLink(theirs, server), trio.SSLStream(ours, client, server_hostname="localhost")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.handshake)
        await secured.do_handshake()
    with trio.move_on_after(1) as scope:
        await link.send_all(LONG)
    assert scope.cancelled_caught
    with pytest.raises(trio.BrokenResourceError):
        await link.send_all(b"250 OK\r\n")
    await link.aclose()
    assert trio.current_time() == 1      # a close_notify would have waited for its reader for ever


async def test_who_speaks_no_tls_breaks_the_handshake_and_nothing_else(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    ours, theirs = memory_stream_pair()
    await ours.send_all(b"EHLO c.example\r\n")
    with pytest.raises(trio.BrokenResourceError):
        await TlsLink(theirs, contexts[0]).handshake()


async def test_without_agreement_the_client_is_told_why(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    _, client = contexts
    client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.minimum_version = ssl.TLSVersion.TLSv1_3
    ends = Ends(demanding, client)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ends.refuse)
            with pytest.raises(trio.BrokenResourceError) as told:
                await ends.client.do_handshake()
    assert "ALERT_PROTOCOL_VERSION" in str(told.value.__cause__)


async def test_a_connection_is_freed_when_it_is_dropped_and_needs_no_collector(ends: Ends) -> None:
    """The server's collector looks seldom: what it had to find was most of the server's memory."""
    gc.collect()
    gc.disable()
    try:
        await ends.client.send_all(b"QUIT\r\n")
        await ends.link.receive_some()
        await ends.link.aclose()
        links = sum(isinstance(each, TlsLink) for each in gc.get_objects())
        del ends.link
        assert sum(isinstance(each, TlsLink) for each in gc.get_objects()) == links - 1
    finally:
        gc.enable()


async def test_a_short_command_takes_no_room_for_a_long_one(ends: Ends) -> None:
    await ends.client.send_all(b"NOOP\r\n")
    tracemalloc.start()
    try:
        assert await ends.link.receive_some() == b"NOOP\r\n"
        _, most_octets = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_octets < 8_192


async def test_a_read_takes_no_more_room_than_a_record_has(ends: Ends) -> None:
    """OpenSSL gives out one at a time; an object of all that has come would be shrunk to it, and leave a hole."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends.client.send_all, bytes(65_536))
        got = len(await ends.link.receive_some())
        tracemalloc.start()
        try:
            while got < 65_536:
                got += len(await ends.link.receive_some())
            _, most_octets = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most_octets < 20_000
