"""A conversation that the poller leads over a real socket: what it does alone, and what it leaves to the session."""

import socket
import struct
from collections.abc import Iterable, Iterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from loadgen.transport.channel import RECEIVE_OCTETS
from loadgen.transport.conversation import Conversation, Pieces, Steps
from loadgen.transport.deadlines import TICKS_PER_S
from loadgen.transport.epoll import EVENTS_MAX, EpollReadiness, serve_epoll
from loadgen.transport.errors import PeerClosed, TransportTimeout
from loadgen.transport.readiness import TRIO_READINESS, Readiness
from loadgen.transport.socket_channel import SocketChannel
from loadgen.transport.stream import Transport

FAR = 1e6   # a deadline no test reaches
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Script(Conversation):
    """Says its lines one after another, each when the one before has been answered by its echo in capitals."""

    def __init__(self, lines: Iterable[bytes], *, deadline: float = FAR) -> None:
        super().__init__()
        self._lines = lines
        self._deadline = deadline

    def steps(self) -> Steps:
        for line in self._lines:
            heard, _ = yield line, self._deadline
            if heard != line.upper():
                return
        self.done = True


class Broken(Conversation):
    """Has a bug."""

    def steps(self) -> Steps:
        yield b"one\r\n", FAR
        raise ZeroDivisionError


@pytest.fixture(params=["epoll", "trio"])
async def readiness(request: pytest.FixtureRequest, nursery: trio.Nursery) -> Readiness:
    if request.param == "trio":
        return TRIO_READINESS
    served: EpollReadiness = await nursery.start(serve_epoll)
    return served


@pytest.fixture
def peer() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def transport_over(sock: socket.socket, readiness: Readiness) -> Transport:
    return Transport(SocketChannel(sock, "the peer", readiness.watch(sock)), "the peer", None)


async def echo(theirs: socket.socket, times: int) -> None:
    for _ in range(times):
        await trio.lowlevel.wait_readable(theirs)
        theirs.send(theirs.recv(100).upper())


async def test_it_goes_to_its_end_without_the_task(readiness: Readiness, peer: Pair) -> None:
    ours, theirs = peer
    script = Script([b"one\r\n", b"two\r\n", b"three\r\n"])
    async with transport_over(ours, readiness) as transport, trio.open_nursery() as nursery:
        nursery.start_soon(echo, theirs, 3)
        assert await transport.converse(script)
        assert (transport.octets_sent, transport.octets_received) == (17, 17)
    assert [octets for octets, _ in script.heard] == [b"ONE\r\n", b"TWO\r\n", b"THREE\r\n"]


async def test_only_one_turn_of_the_task_is_needed(peer: Pair, nursery: trio.Nursery) -> None:
    ours, theirs = peer
    readiness = await nursery.start(serve_epoll)
    turns = 0

    class Count(trio.abc.Instrument):
        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            nonlocal turns
            turns += task is ours_task

    async with transport_over(ours, readiness) as transport:
        nursery.start_soon(echo, theirs, 50)
        ours_task = trio.lowlevel.current_task()
        trio.lowlevel.add_instrument(counting := Count())
        assert await transport.converse(Script([b"x\r\n"] * 50))
        trio.lowlevel.remove_instrument(counting)
    assert turns == 1


class Rally(Conversation):
    """Gives back whatever comes, so many times."""

    def __init__(self, first: bytes, times: int) -> None:
        super().__init__()
        self._first = first
        self._times = times

    def steps(self) -> Steps:
        said = self._first
        for _ in range(self._times):
            said, _ = yield said, FAR
        self.done = True


async def test_what_comes_while_others_are_answered_is_answered_in_the_same_turn(
    peer: Pair, nursery: trio.Nursery
) -> None:
    readiness = await nursery.start(serve_epoll)
    waits = 0

    class Count(trio.abc.Instrument):
        def before_io_wait(self, timeout: float) -> None:
            nonlocal waits
            waits += 1

    async with transport_over(peer[0], readiness) as one, transport_over(peer[1], readiness) as other:
        trio.lowlevel.add_instrument(counting := Count())
        async with trio.open_nursery() as both:
            both.start_soon(other.converse, Rally(b"", 4 * EVENTS_MAX))
            await wait_all_tasks_blocked()
            assert await one.converse(Rally(b"ball", 3 * EVENTS_MAX))
            both.cancel_scope.cancel()
        trio.lowlevel.remove_instrument(counting)
    assert waits < 30, "and not six times 64"


async def answer(theirs: socket.socket, *answers: bytes) -> None:
    """Give one answer after another, each to something that was said."""
    for each in answers:
        await trio.lowlevel.wait_readable(theirs)
        assert theirs.recv(100)
        theirs.send(each)


async def test_what_was_not_hoped_for_is_gone_over_again_and_nothing_is_said_twice(
    readiness: Readiness, peer: Pair
) -> None:
    ours, theirs = peer
    script = Script([b"one\r\n", b"two\r\n", b"three\r\n"])
    async with transport_over(ours, readiness) as transport, trio.open_nursery() as nursery:
        nursery.start_soon(answer, theirs, b"ONE\r\n", b"no\r\n")
        assert not await transport.converse(script)
        transport.rehearse(script)
        assert (transport.octets_sent, transport.octets_received) == (0, 0)
        assert await transport.ask(b"one\r\n", FAR) == b"ONE\r\n"
        assert await transport.ask(b"two\r\n", FAR) == b"no\r\n"
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
        nursery.start_soon(answer, theirs, b"bye\r\n")
        assert await transport.ask(b"quit\r\n", FAR) == b"bye\r\n"
        assert (transport.octets_sent, transport.octets_received) == (16, 14)


async def test_what_came_before_it_began_is_heard(readiness: Readiness, peer: Pair) -> None:
    ours, theirs = peer
    async with transport_over(ours, readiness) as transport:
        theirs.send(b"421 going\r\n")
        await wait_all_tasks_blocked()
        script = Script([b""])
        assert not await transport.converse(script)
        transport.rehearse(script)
        assert await transport.receive(FAR) == b"421 going\r\n"


async def test_the_end_that_comes_with_the_last_octets_is_heard(readiness: Readiness, peer: Pair) -> None:
    ours, theirs = peer
    script = Script([b"one\r\n", b"two\r\n"])
    async with transport_over(ours, readiness) as transport:
        theirs.send(b"ONE\r\n")
        theirs.close()
        assert not await transport.converse(script)
        transport.rehearse(script)
        assert await transport.ask(b"one\r\n", FAR) == b"ONE\r\n"
        with pytest.raises(PeerClosed):
            await transport.ask(b"two\r\n", FAR)


async def test_a_reset_is_told_as_one(readiness: Readiness, peer: Pair) -> None:
    ours, theirs = peer
    script = Script([b""])
    async with transport_over(ours, readiness) as transport:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        theirs.close()
        assert not await transport.converse(script)
        transport.rehearse(script)
        with pytest.raises(PeerClosed) as told:
            await transport.receive(FAR)
        assert told.value.reset


async def test_an_answer_that_is_late_ends_it_and_is_late_for_the_session_too(
    readiness: Readiness, peer: Pair, autojump_clock: MockClock
) -> None:
    ours, _ = peer
    script = Script([b"one\r\n"], deadline=5.0)
    async with transport_over(ours, readiness) as transport:
        assert not await transport.converse(script)
        assert 5.0 <= trio.current_time() <= 5.0 + 1 / TICKS_PER_S
        rehearsal = transport.rehearse(script)
        assert rehearsal.now() == 0.0, "an instant by which an answer is due does not move"
        with pytest.raises(TransportTimeout):
            await transport.ask(b"one\r\n", rehearsal.now() + 5.0)
        assert trio.current_time() <= 5.0 + 2 / TICKS_PER_S
        assert rehearsal.now() == trio.current_time()


async def drain(theirs: socket.socket, octets: int) -> None:
    while octets:
        await trio.lowlevel.wait_readable(theirs)
        octets -= len(theirs.recv(1 << 20))


async def test_what_does_not_fit_is_sent_when_it_does(readiness: Readiness, peer: Pair) -> None:
    ours, theirs = peer
    long = b"x" * (8 << 20)
    async with transport_over(ours, readiness) as transport, trio.open_nursery() as nursery:

        async def serve() -> None:
            await drain(theirs, len(long))
            theirs.send(b"no\r\n")

        nursery.start_soon(serve)
        script = Script([long])
        assert not await transport.converse(script)
        assert script.octets_sent == len(long)
        assert [octets for octets, _ in script.heard] == [b"no\r\n"]


class InPieces(Conversation):
    """Says what lies in pieces, once."""

    def __init__(self, pieces: Pieces) -> None:
        super().__init__()
        self._pieces = pieces

    def steps(self) -> Steps:
        yield self._pieces, FAR
        self.done = True


@pytest.mark.parametrize("length", [10, 3 << 20])
async def test_pieces_go_out_in_order_whether_they_fit_or_not(
    readiness: Readiness, peer: Pair, length: int
) -> None:
    ours, theirs = peer
    block = memoryview(bytes(range(256)) * (length // 256 + 1))
    pieces = (b"first", block[:length], b"", block[1 : length + 1], b"last")
    came = bytearray()
    async with transport_over(ours, readiness) as transport, trio.open_nursery() as nursery:

        async def serve() -> None:
            while not came.endswith(b"last"):
                await trio.lowlevel.wait_readable(theirs)
                came.extend(theirs.recv(1 << 20))
            theirs.send(b"yes\r\n")

        nursery.start_soon(serve)
        script = InPieces(pieces)
        assert await transport.converse(script)
        assert script.octets_sent == len(came)
    assert came == b"".join(pieces)


class Long(Conversation):
    """Asks once, and hears so many octets."""

    def __init__(self, octets: int) -> None:
        super().__init__()
        self._octets = octets

    def steps(self) -> Steps:
        said = b"retr\r\n"
        while self._octets > 0:
            heard, _ = yield said, FAR
            said, self._octets = b"", self._octets - len(heard)
        self.done = True


@pytest.mark.parametrize("reads", [1, 2, 3.5])
async def test_what_came_at_once_and_is_more_than_one_read_is_heard_to_its_end(
    readiness: Readiness, peer: Pair, reads: float
) -> None:
    ours, theirs = peer
    long = b"x" * round(reads * RECEIVE_OCTETS)
    async with transport_over(ours, readiness) as transport, trio.open_nursery() as nursery:
        nursery.start_soon(answer, theirs, long)       # the kernel takes all of it before anybody reads: one edge
        assert await transport.converse(Long(len(long)))
        assert transport.octets_received == len(long)


async def test_an_answer_amid_what_does_not_fit_is_left_to_the_session(
    peer: Pair, nursery: trio.Nursery
) -> None:
    ours, theirs = peer
    readiness = await nursery.start(serve_epoll)
    long = b"x" * (8 << 20)
    async with transport_over(ours, readiness) as transport:
        script = Script([long])
        theirs.send(b"552 too much\r\n")
        assert not await transport.converse(script)
        assert 0 < script.octets_sent < len(long)
        transport.rehearse(script)
        nursery.start_soon(drain, theirs, len(long))
        await transport.send(long, FAR)
        assert await transport.receive(FAR) == b"552 too much\r\n"


async def test_cancelled_it_can_be_gone_over_again(readiness: Readiness, peer: Pair) -> None:
    ours, theirs = peer
    script = Script([b"one\r\n", b"two\r\n"])
    async with transport_over(ours, readiness) as transport, trio.open_nursery() as nursery:
        nursery.start_soon(answer, theirs, b"ONE\r\n")
        with trio.CancelScope() as scope:
            nursery.start_soon(_cancel_when_heard, script, scope)
            await transport.converse(script)
        assert scope.cancelled_caught
        transport.rehearse(script)
        assert await transport.ask(b"one\r\n", FAR) == b"ONE\r\n"
        theirs.send(b"TWO\r\n")
        assert await transport.ask(b"two\r\n", FAR) == b"TWO\r\n"
    assert theirs.recv(100) == b"two\r\n"


async def _cancel_when_heard(script: Script, scope: trio.CancelScope) -> None:
    while not script.heard:
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_a_bug_in_it_is_raised_where_the_session_is_and_the_poller_goes_on(
    readiness: Readiness, peer: Pair
) -> None:
    ours, theirs = peer
    async with trio.open_nursery() as nursery, transport_over(ours, readiness) as transport:
        nursery.start_soon(echo, theirs, 1)
        with pytest.raises(ZeroDivisionError):
            await transport.converse(Broken())
        nursery.start_soon(echo, theirs, 1)
        assert await transport.ask(b"three\r\n", FAR) == b"THREE\r\n"


async def test_when_the_poller_ends_so_does_what_it_leads(peer: Pair) -> None:
    ours, _ = peer
    async with trio.open_nursery() as serving:
        readiness = await serving.start(serve_epoll)
        transport = transport_over(ours, readiness)
        async with trio.open_nursery() as nursery:

            async def converse() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await transport.converse(Script([b""]))

            nursery.start_soon(converse)
            await wait_all_tasks_blocked()
            serving.cancel_scope.cancel()
