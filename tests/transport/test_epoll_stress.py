"""Octets, closes, cancellations and deadlines in any order: every octet reaches the task it was meant for."""

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from loadgen.transport.channel import RECEIVE_OCTETS
from loadgen.transport.deadlines import TICKS_PER_S
from loadgen.transport.epoll import EpollReadiness, serve_epoll
from loadgen.transport.errors import TransportTimeout
from loadgen.transport.socket_channel import SocketChannel

LINES: Final = 4
PATIENCE_S: Final = 3.0

line = st.integers(0, LINES - 1)
steps = st.one_of(
    st.tuples(st.just("send"), line, st.sampled_from([1, 2, 1000, RECEIVE_OCTETS, RECEIVE_OCTETS + 1])),
    st.tuples(st.just("cancel"), line, st.none()),
    st.tuples(st.just("end"), line, st.none()),
    st.tuples(st.just("renew"), line, st.none()),
    st.tuples(st.just("turn"), st.none(), st.none()),
    st.tuples(st.just("sleep"), st.none(), st.sampled_from([0.001, 0.5, 4.0])),
)


@dataclass
class Line:
    """One socket pair and the task that reads from our end of it."""

    readiness: EpollReadiness
    mark: int                       # what its octets consist of, so that a stray one shows
    sent: int = 0
    received: bytearray = field(default_factory=bytearray)
    ended: bool = False             # the peer has closed
    heard_the_end: bool = False
    timeouts: int = 0
    reading: trio.CancelScope = field(default_factory=trio.CancelScope)

    def __post_init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.theirs.setblocking(False)
        self.channel = SocketChannel(ours, "peer", self.readiness.watch(ours))

    async def read(self) -> None:
        """Receive until the end or until closed; a cancellation or a missed deadline is followed by another try."""
        while not self.heard_the_end:
            deadline = trio.current_time() + PATIENCE_S
            with trio.CancelScope() as self.reading:
                try:
                    octets = await self.channel.receive(deadline)
                except TransportTimeout:
                    self.timeouts += 1
                    assert deadline <= trio.current_time() <= deadline + 1 / TICKS_PER_S + 1e-9
                except trio.ClosedResourceError:
                    return
                else:
                    self.received += octets
                    self.heard_the_end = not octets
            if self.reading.cancelled_caught:
                await trio.lowlevel.checkpoint()

    def send(self, octets: int) -> None:
        with suppress(BlockingIOError):
            self.sent += self.theirs.send(bytes([self.mark]) * octets)

    def verify(self) -> None:
        assert self.received == bytes([self.mark]) * self.sent
        assert self.heard_the_end == self.ended

    async def aclose(self) -> None:
        await self.channel.aclose()
        self.theirs.close()


async def play(script: list[tuple[str, int | None, float | None]]) -> None:
    async with trio.open_nursery() as service:
        readiness: EpollReadiness = await service.start(serve_epoll)
        async with trio.open_nursery() as readers:
            lines = [Line(readiness, mark) for mark in range(LINES)]
            for each in lines:
                readers.start_soon(each.read)
            for what, number, amount in script:
                which = lines[number or 0]
                match what:
                    case "send" if not which.ended:
                        which.send(int(amount or 0))
                    case "cancel":
                        which.reading.cancel()
                    case "end":
                        which.theirs.close()
                        which.ended = True
                    case "renew":     # the new sockets get the descriptors of the old, often within one turn
                        await which.aclose()
                        lines[number or 0] = Line(readiness, which.mark + LINES)
                        readers.start_soon(lines[number or 0].read)
                    case "turn":
                        await trio.lowlevel.checkpoint()
                    case "sleep":
                        await trio.sleep(amount or 0)
            await trio.sleep(2 * PATIENCE_S)     # all is quiet long before that, or was lost
            for each in lines:
                each.verify()
                assert each.ended or each.timeouts > 0
                await each.aclose()
        assert len(readiness) == 0
        service.cancel_scope.cancel()


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=40))
def test_no_order_of_events_loses_or_misleads_a_wake_up(script: list[tuple[str, int | None, float | None]]) -> None:
    trio.run(play, script, clock=MockClock(autojump_threshold=0))


def test_many_lines_at_once_lose_nothing() -> None:
    async def run() -> None:
        async with trio.open_nursery() as service:
            readiness: EpollReadiness = await service.start(serve_epoll)
            async with trio.open_nursery() as readers:
                lines = [Line(readiness, mark) for mark in range(200)]
                for each in lines:
                    readers.start_soon(each.read)
                for turn in range(40):
                    for each in lines[turn % 7 :: 1 + turn % 3]:
                        each.send(1 + turn)
                    for each in lines[turn % 11 :: 5]:
                        each.reading.cancel()
                    await trio.lowlevel.checkpoint()
                await trio.sleep(PATIENCE_S)
                for each in lines:
                    each.verify()
                    await each.aclose()
            service.cancel_scope.cancel()
        assert len(readiness) == 0

    trio.run(run, clock=MockClock(autojump_threshold=0))


def test_the_stress_sees_a_lost_wake_up() -> None:
    """A test of the test: a line that was never told of its octets does not verify."""

    async def run() -> None:
        async with trio.open_nursery() as service:
            readiness: EpollReadiness = await service.start(serve_epoll)
            deaf = Line(readiness, 1)
            deaf.send(5)
            await trio.sleep(1)
            try:
                deaf.verify()
            except AssertionError:
                seen = True
            else:
                seen = False
            await deaf.aclose()
            service.cancel_scope.cancel()
        assert seen

    trio.run(run, clock=MockClock(autojump_threshold=0))
