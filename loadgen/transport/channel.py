"""What a `Transport` moves its octets over, and the simplest kind: any trio stream."""

import contextlib
from collections.abc import Awaitable
from typing import Final, Protocol

import trio

from loadgen.transport.errors import PeerClosed, TransportTimeout

RECEIVE_OCTETS: Final = 65_536   # one read: a whole pipelined answer, or four TLS records of 16 KiB
FAREWELL_S: Final = 1.0          # the longest a close may wait for a peer that does not read


class Channel(Protocol):
    """Octets in both directions under absolute deadlines (seconds of trio's clock).

    One task may send while another receives. Errors are `TransportError`'s family only.
    """

    @property
    def local(self) -> str:
        """Our own address in words; empty if there is none."""

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send all of `octets`. After a failure or a cancellation an unknown part of them was sent."""

    def receive(self, deadline: float) -> Awaitable[bytes]:
        """Return what has arrived, waiting for at least one octet; `b""` is the peer's orderly close.

        To be awaited at once, like `ask`.
        """

    def ask(self, octets: bytes, deadline: float) -> Awaitable[bytes]:
        """Send all of `octets`, and return what arrives then. Of a peer that is gone only reading tells the end."""

    async def send_eof(self) -> None:
        """Close our direction only; never waits long."""

    async def send_last(self, octets: bytes) -> None:
        """Offer octets the peer may miss (an alert, a close_notify); never fails, never waits long."""

    def abort(self) -> None:
        """Close at once and abruptly."""

    async def aclose(self) -> None:
        """Close; also when cancelled."""


class StreamChannel:
    """A channel over any `trio.abc.Stream`: memory streams in tests, a tunnel, a wrapped server."""

    def __init__(self, stream: trio.abc.Stream, peer: str) -> None:
        self._stream = stream
        self._peer = peer
        self.local = ""

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send all of `octets`. Always a checkpoint, as the stream's own `send_all` is."""
        with trio.CancelScope(deadline=deadline) as scope:
            try:
                await self._stream.send_all(octets)
            except trio.BrokenResourceError as exc:
                raise PeerClosed(f"{self._peer} reset the connection", reset=True) from exc
        if scope.cancelled_caught:
            raise late_send(self._peer)

    async def receive(self, deadline: float) -> bytes:
        """Return what has arrived; `b""` at the end. Always a checkpoint, as `receive_some` is."""
        with trio.CancelScope(deadline=deadline):
            try:
                return bytes(await self._stream.receive_some(RECEIVE_OCTETS))
            except trio.BrokenResourceError as exc:
                raise PeerClosed(f"{self._peer} reset the connection", reset=True) from exc
        raise late_receive(self._peer)

    async def ask(self, octets: bytes, deadline: float) -> bytes:
        """Send all of `octets`, and return what arrives then."""
        return await ask_in_turn(self, octets, deadline)

    async def send_eof(self) -> None:
        """Close our direction, if the stream can; `TypeError` (our bug) if it cannot."""
        if not isinstance(self._stream, trio.abc.HalfCloseableStream):
            raise TypeError(f"{type(self._stream).__name__} has no half-close")
        with trio.move_on_after(FAREWELL_S) as scope:
            try:
                await self._stream.send_eof()
            except trio.BrokenResourceError as exc:
                raise PeerClosed(f"{self._peer} reset the connection", reset=True) from exc
        if scope.cancelled_caught:
            raise late_send(self._peer)

    async def send_last(self, octets: bytes) -> None:
        """Offer octets the peer may miss, for a second at most."""
        with trio.move_on_after(FAREWELL_S):
            try:
                await self._stream.send_all(octets)
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
                return

    def abort(self) -> None:
        """Close at once. The peer sees a plain end: a stream in memory knows no reset."""
        whole = self._stream
        halves: tuple[object, ...] = (whole,)
        if isinstance(whole, trio.StapledStream):
            halves = (whole.send_stream, whole.receive_stream)
        for half in halves:
            close = getattr(half, "close", None)
            if close is None:
                raise TypeError(f"{type(half).__name__} cannot be closed without waiting")
            close()

    async def aclose(self) -> None:
        """Close the stream, waiting a second at most for its farewell; closed also when cancelled."""
        with trio.move_on_after(FAREWELL_S):
            await self._stream.aclose()


async def ask_in_turn(channel: Channel, octets: bytes, deadline: float) -> bytes:
    """Ask over a channel that has no shorter way for it."""
    with contextlib.suppress(PeerClosed):      # it may have said why: the read tells
        await channel.send(octets, deadline)
    return await channel.receive(deadline)


def late_send(peer: str) -> TransportTimeout:
    """Return the error of a send that was not done by its deadline."""
    return TransportTimeout(f"{peer} did not take what was sent before the deadline")


def late_receive(peer: str) -> TransportTimeout:
    """Return the error of a receive that got nothing by its deadline."""
    return TransportTimeout(f"{peer} sent nothing before the deadline")
