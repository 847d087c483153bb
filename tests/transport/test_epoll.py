"""The shared epoll: what an edge-triggered poller can lose, mix up or leave behind, and this one does not."""

import os
import select
import socket
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from loadgen.transport import epoll
from loadgen.transport.channel import RECEIVE_OCTETS
from loadgen.transport.deadlines import TICKS_PER_S
from loadgen.transport.epoll import EpollReadiness, EpollWatch, serve_epoll
from loadgen.transport.socket_channel import AT_ONCE_MAX, SocketChannel

FAR = 1e6   # a deadline no test reaches
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
async def readiness(nursery: trio.Nursery) -> EpollReadiness:
    served: EpollReadiness = await nursery.start(serve_epoll)
    return served


def new_pair() -> Pair:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = new_pair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def tcp() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def test_what_came_while_nobody_waited_is_remembered(readiness: EpollReadiness, pair: Pair) -> None:
    ours, theirs = pair
    watch = readiness.watch(ours)
    theirs.send(b"421 4.3.2 closing\r\n")
    await wait_all_tasks_blocked()
    assert await watch.readable(FAR)
    assert ours.recv(100) == b"421 4.3.2 closing\r\n"


async def test_what_was_there_before_the_watch_is_seen(readiness: EpollReadiness, pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"220 ready\r\n")
    assert await readiness.watch(ours).readable(FAR)


@pytest.mark.parametrize("waiting", [True, False])
async def test_the_end_that_came_with_the_last_octets_is_not_lost(
    readiness: EpollReadiness, tcp: Pair, waiting: bool
) -> None:
    ours, theirs = tcp
    channel = SocketChannel(ours, "peer", readiness.watch(ours))
    got: list[bytes] = []

    async def read() -> None:
        got.extend([await channel.receive(FAR), await channel.receive(FAR), await channel.receive(FAR)])

    async with trio.open_nursery() as nursery:
        if waiting:
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
        theirs.send(b"221 bye\r\n")
        theirs.close()
        if not waiting:
            await wait_all_tasks_blocked()
            nursery.start_soon(read)
    assert got == [b"221 bye\r\n", b"", b""]
    await channel.aclose()


async def test_more_than_many_reads_take_is_read_to_its_end(readiness: EpollReadiness, pair: Pair) -> None:
    """No further edge tells of what lay in the kernel's buffer when the last turn at once was over."""
    ours, theirs = pair
    channel = SocketChannel(ours, "peer", readiness.watch(ours))
    reads = 0

    class FullReads:
        """A socket whose kernel holds twice as many full reads as are done at once."""

        def recv_into(self, place: memoryview) -> int:
            nonlocal reads
            reads += 1
            if reads > 2 * AT_ONCE_MAX:
                raise BlockingIOError
            return len(place)

    theirs.send(b"x")
    channel._sock = FullReads()  # type: ignore[assignment]
    with trio.fail_after(5):
        for _ in range(2 * AT_ONCE_MAX):
            assert len(await channel.receive(FAR)) == RECEIVE_OCTETS
    channel._watch.close()


async def test_urgent_data_hides_nothing_behind_it(readiness: EpollReadiness, tcp: Pair) -> None:
    """A read ends at the mark of urgent data, and no further edge tells of what lies behind."""
    ours, theirs = tcp
    channel = SocketChannel(ours, "peer", readiness.watch(ours))
    theirs.send(b"250 be")
    theirs.send(b"!", socket.MSG_OOB)
    theirs.send(b"hind\r\n")
    received = b""
    with trio.fail_after(5):
        while len(received) < 12:
            received += await channel.receive(FAR)
    assert received == b"250 behind\r\n"
    await channel.aclose()


async def test_a_cancelled_wait_loses_nothing(readiness: EpollReadiness, pair: Pair) -> None:
    ours, theirs = pair
    watch = readiness.watch(ours)
    theirs.send(b"250 ok\r\n")
    await wait_all_tasks_blocked()
    with trio.CancelScope() as scope:
        scope.cancel()
        await watch.readable(FAR)
    assert scope.cancelled_caught
    assert await watch.readable(FAR)


async def test_a_wait_cancelled_before_the_octets_came_loses_nothing(readiness: EpollReadiness, pair: Pair) -> None:
    ours, theirs = pair
    watch = readiness.watch(ours)
    with trio.move_on_after(0):
        await watch.readable(FAR)
    theirs.send(b"250 ok\r\n")
    await wait_all_tasks_blocked()
    assert await watch.readable(FAR)


async def test_one_edge_ends_one_wait(
    readiness: EpollReadiness, pair: Pair, autojump_clock: MockClock
) -> None:
    ours, theirs = pair
    watch = readiness.watch(ours)
    theirs.send(b"250 ok\r\n")
    assert await watch.readable(10)
    assert ours.recv(100)
    assert not await watch.readable(10)
    assert trio.current_time() == 10


@pytest.mark.parametrize("deadline", [0.5, 7.0, 300.0, 3600.0])
async def test_a_deadline_in_whole_ticks_is_met_exactly(
    readiness: EpollReadiness, pair: Pair, autojump_clock: MockClock, deadline: float
) -> None:
    assert not await readiness.watch(pair[0]).readable(deadline)
    assert trio.current_time() == deadline


@pytest.mark.parametrize("deadline", [0.3, 33.33, 90.001])
async def test_any_deadline_is_met_within_a_tick(
    readiness: EpollReadiness, pair: Pair, autojump_clock: MockClock, deadline: float
) -> None:
    assert not await readiness.watch(pair[0]).readable(deadline)
    assert deadline <= trio.current_time() < deadline + 1 / TICKS_PER_S


async def test_a_near_deadline_is_met_while_a_far_one_is_waited_for(
    readiness: EpollReadiness, pair: Pair, autojump_clock: MockClock
) -> None:
    ours, theirs = pair
    woken = {}

    async def wait(sock: socket.socket, deadline: float) -> None:
        assert not await readiness.watch(sock).readable(deadline)
        woken[deadline] = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, ours, 300.0)
        await wait_all_tasks_blocked()
        nursery.start_soon(wait, theirs, 5.0)
    assert woken == {5.0: 5.0, 300.0: 300.0}


async def test_reading_and_writing_have_a_deadline_each(
    readiness: EpollReadiness, pair: Pair, autojump_clock: MockClock
) -> None:
    ours, _ = pair
    watch = readiness.watch(ours)
    fill(ours)
    woken = {}

    async def read() -> None:
        assert not await watch.readable(20)
        woken["read"] = trio.current_time()

    async def write() -> None:
        assert not await watch.writable(10)
        assert not await watch.writable(30)
        woken["write"] = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        nursery.start_soon(write)
    assert woken == {"read": 20, "write": 30}


def fill(sock: socket.socket) -> None:
    while True:
        try:
            sock.send(bytes(65_536))
        except BlockingIOError:
            return


async def test_a_full_socket_is_writable_again_when_the_peer_reads(readiness: EpollReadiness, pair: Pair) -> None:
    ours, theirs = pair
    watch = readiness.watch(ours)
    for _ in range(3):
        fill(ours)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch.writable, FAR)
            await wait_all_tasks_blocked()
            while len(theirs.recv(1_000_000)) and select.select([theirs], [], [], 0)[0]:
                pass


async def test_closing_wakes_the_reader_and_the_writer(readiness: EpollReadiness, pair: Pair) -> None:
    ours, _ = pair
    watch = readiness.watch(ours)
    fill(ours)
    woken = []

    async def read() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await watch.readable(FAR)
        woken.append("reader")

    async def write() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await watch.writable(FAR)
        woken.append("writer")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        watch.close()
        watch.close()
    assert sorted(woken) == ["reader", "writer"]
    assert len(readiness) == 0
    for wait in (watch.readable, watch.writable):
        with pytest.raises(trio.ClosedResourceError):
            await wait(FAR)


async def test_a_closed_watch_leaves_nothing_behind(readiness: EpollReadiness, pair: Pair) -> None:
    watch = readiness.watch(pair[0])
    with trio.move_on_after(0):
        await watch.readable(300)
    watch.close()
    assert (len(readiness), len(readiness._wheel)) == (0, 0)


async def test_two_tasks_that_wait_for_the_same_are_our_bug(readiness: EpollReadiness, pair: Pair) -> None:
    ours, _ = pair
    watch = readiness.watch(ours)
    fill(ours)

    async def wait_to_read() -> None:
        await watch.readable(FAR)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_to_read)
        nursery.start_soon(watch.writable, FAR)
        await wait_all_tasks_blocked()
        for wait in (watch.readable, watch.writable):
            with pytest.raises(trio.BusyResourceError):
                await wait(FAR)
        nursery.cancel_scope.cancel()


async def test_a_descriptor_used_again_does_not_inherit_an_edge(
    readiness: EpollReadiness, autojump_clock: MockClock
) -> None:
    """Two sockets become ready in one batch; who is woken by the first closes the second and opens another."""
    first, its_peer = new_pair()
    second, other_peer = new_pair()
    third, third_peer = socket.socketpair()     # made now, so that no other socket takes the number
    watch, doomed = readiness.watch(first), readiness.watch(second)

    async def replace() -> None:
        assert await watch.readable(FAR)
        number = second.fileno()
        doomed.close()
        second.close()
        os.dup2(third.fileno(), number)
        with socket.socket(fileno=number) as heir:
            heir.setblocking(False)
            heirs = readiness.watch(heir)
            assert not await heirs.readable(trio.current_time() + 5)
            third_peer.send(b"its own")
            assert await heirs.readable(FAR)
            heirs.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(replace)
        await wait_all_tasks_blocked()
        its_peer.send(b"x")
        other_peer.send(b"x")
    watch.close()
    for sock in (first, its_peer, other_peer, third, third_peer):
        sock.close()


async def test_a_duplicate_descriptor_keeps_no_registration_alive(
    readiness: EpollReadiness, pair: Pair, autojump_clock: MockClock
) -> None:
    """A child made by fork holds duplicates; what happens on them must not be told to the number's next owner."""
    ours, theirs = pair
    heir, heirs_peer = new_pair()
    duplicate = ours.dup()
    number = ours.fileno()
    readiness.watch(ours).close()
    ours.close()
    os.dup2(heir.fileno(), number)
    with socket.socket(fileno=number) as again, heir, heirs_peer, duplicate:
        watch = readiness.watch(again)
        theirs.send(b"for the duplicate")
        assert not await watch.readable(5)
        watch.close()


async def test_a_batch_of_ready_sockets_does_not_keep_others_waiting(
    readiness: EpollReadiness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoll, "EVENTS_MAX", 8)
    pairs = [new_pair() for _ in range(50)]
    between_turns = [0]

    async def read(watch: EpollWatch) -> None:
        assert await watch.readable(FAR)
        between_turns[-1] += 1

    async def other() -> None:
        while True:
            await trio.lowlevel.checkpoint()
            between_turns.append(0)

    async with trio.open_nursery() as readers:
        for ours, _ in pairs:
            readers.start_soon(read, readiness.watch(ours))
        await wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            for _, theirs in pairs:
                theirs.send(b"250 ok\r\n")
            while sum(between_turns) < len(pairs):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    assert max(between_turns) <= 2 * 8     # trio reverses a batch at random, so two may meet between two turns
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


async def test_very_many_deadlines_at_once_are_all_met(
    readiness: EpollReadiness, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoll, "EVENTS_MAX", 8)
    pairs = [new_pair() for _ in range(50)]
    late = 0

    async def read(watch: EpollWatch) -> None:
        nonlocal late
        if not await watch.readable(60):
            late += 1
        watch.close()

    async with trio.open_nursery() as nursery:
        for ours, _ in pairs:
            nursery.start_soon(read, readiness.watch(ours))
    assert (late, trio.current_time(), len(readiness)) == (50, 60, 0)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
