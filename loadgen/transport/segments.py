"""A channel that writes in segments of a limited length, each by itself, as packets of X.25 are (RFC 1090 §4)."""

from collections.abc import Awaitable

from loadgen.transport.channel import Channel, ask_in_turn


class SegmentedChannel:
    """Another channel, to which no more than so many octets are given at once.

    Nagle's algorithm is off, so each becomes a segment of its own wherever the peer's window allows. What is at most
    that long is never cut: a command stays in one piece.
    """

    __slots__ = ("_channel", "_segment_octets")

    def __init__(self, channel: Channel, segment_octets: int) -> None:
        assert segment_octets > 0, "a segment has octets"
        self._channel = channel
        self._segment_octets = segment_octets

    @property
    def local(self) -> str:
        """Our own address in words; empty if there is none."""
        return self._channel.local

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send all of `octets`, a segment at a time. The deadline is of them all."""
        if len(octets) <= self._segment_octets:
            await self._channel.send(octets, deadline)
            return
        whole = memoryview(octets)
        for start in range(0, len(whole), self._segment_octets):
            await self._channel.send(whole[start : start + self._segment_octets], deadline)

    def receive(self, deadline: float) -> Awaitable[bytes]:
        """Return what has arrived: how the peer cuts is its own choice."""
        return self._channel.receive(deadline)

    def ask(self, octets: bytes, deadline: float) -> Awaitable[bytes]:
        """Send all of `octets` in segments, and return what arrives then."""
        if len(octets) <= self._segment_octets:
            return self._channel.ask(octets, deadline)
        return ask_in_turn(self, octets, deadline)

    async def send_eof(self) -> None:
        """Close our direction only."""
        await self._channel.send_eof()

    async def send_last(self, octets: bytes) -> None:
        """Offer octets the peer may miss: a farewell fits in one segment, or in none."""
        await self._channel.send_last(octets)

    def abort(self) -> None:
        """Close at once with a reset."""
        self._channel.abort()

    async def aclose(self) -> None:
        """Close in an orderly way."""
        await self._channel.aclose()
