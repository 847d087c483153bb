"""The transport: octets to and from one peer, each operation under its deadline."""

from collections.abc import Awaitable
from types import TracebackType
from typing import Self

import trio

from loadgen.transport.channel import Channel, StreamChannel
from loadgen.transport.conversation import Conversation, Rehearsal, converse_in_turn
from loadgen.transport.errors import PeerClosed
from loadgen.transport.segments import SegmentedChannel
from loadgen.transport.socket_channel import SocketChannel
from loadgen.transport.tls import TlsContext, TlsFacts
from loadgen.transport.tls_channel import TlsChannel


class Transport:
    """One connection to a peer, clear or under TLS, made by `connect` or `Transport.over`.

    Deadlines are absolute, in seconds of trio's clock (`trio.current_time()`). One task may send while
    another receives. Failures are of `TransportError`'s family; using a transport after closing it is our
    bug (`trio.ClosedResourceError`). Whoever made it closes it: `async with`, `aclose` or `abort`.
    """

    __slots__ = ("_channel", "_host", "octets_received", "octets_sent", "peer", "tls")

    def __init__(self, channel: Channel, peer: str, host: str | None) -> None:
        self._channel = channel
        self._host = host                 # the name certificates are held against, if the caller gives none
        self.peer = peer                  # the peer's address in words
        self.tls: TlsFacts | None = None  # None: clear text
        self.octets_sent = 0              # the application's octets: under TLS, those inside it
        self.octets_received = 0

    @classmethod
    def over(cls, stream: trio.abc.Stream, *, peer: str = "peer", host: str | None = None) -> Self:
        """Return a transport over any trio stream, such as a memory stream; it owns the stream now."""
        return cls(StreamChannel(stream, peer), peer, host)

    @property
    def local(self) -> str:
        """Our own address in words; empty if there is none, or after closing."""
        return self._channel.local

    def send_in_segments(self, segment_octets: int) -> None:
        """Write no more than so many octets at once from now on; under TLS later begun, of its records."""
        self._channel = SegmentedChannel(self._channel, segment_octets)

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send all of `octets`.

        Raises TransportTimeout, PeerClosed, TlsFailed; after that, or after a cancellation, an unknown part
        was sent, so nothing more can be sent sensibly. After PeerClosed `receive` may still give the peer's
        last words (a 421, say). What can be sent at once is sent, even late and without a checkpoint; but at
        least every sixteenth time other tasks get their turn.
        """
        await self._channel.send(octets, deadline)
        self.octets_sent += len(octets)

    async def receive(self, deadline: float) -> bytes:
        """Return the octets that have arrived, at least one, waiting for them if need be.

        Raises PeerClosed at the end of the connection (never returns `b""`), TransportTimeout, TlsFailed.
        Nothing is lost by a timeout or a cancellation: the next call returns it. May end without a checkpoint
        if octets are at hand, but at least every sixteenth time other tasks get their turn.
        """
        octets = await self._channel.receive(deadline)
        if not octets:
            raise PeerClosed(f"{self.peer} closed the connection")
        self.octets_received += len(octets)
        return octets

    async def ask(self, octets: bytes, deadline: float) -> bytes:
        """Send a question, and return the octets with which the answer begins: at least one.

        As `send` and then `receive` do, at less cost. A peer that has closed already may have said why: then its
        last words are returned, and PeerClosed is raised only after them. Always a checkpoint.
        """
        self.octets_sent += len(octets)
        received = await self._channel.ask(octets, deadline)
        if not received:
            raise PeerClosed(f"{self.peer} closed the connection")
        self.octets_received += len(received)
        return received

    async def converse(self, conversation: Conversation) -> bool:
        """Lead a conversation, and say whether it came to its end as hoped. Always a checkpoint.

        Raises nothing of the network's: after whatever went otherwise `rehearse`.
        """
        conversation.began_s = trio.current_time()
        channel = self._channel
        if isinstance(channel, SocketChannel):
            led = channel.converse(conversation)
        else:
            led = converse_in_turn(channel, conversation)
        try:
            await led
        finally:
            self.octets_sent += conversation.octets_sent
            self.octets_received += conversation.octets_received
        return conversation.done

    def rehearse(self, conversation: Conversation) -> Rehearsal:
        """Let what was a conversation be gone over again by the ordinary operations, and go on where it stopped."""
        sent_before, received_before = conversation.past
        self.octets_sent -= conversation.octets_sent - sent_before
        self.octets_received -= conversation.octets_received - received_before
        rehearsal = Rehearsal(self._channel, conversation)
        self._channel = rehearsal
        return rehearsal

    async def start_tls(self, context: TlsContext, server_name: str | None, deadline: float) -> TlsFacts:
        """Put the connection under TLS, as its client, and return what was agreed.

        `server_name` defaults to the endpoint's host. No octet is ever held back here in clear text, so one
        that the peer sent behind its 220 or +OK (RFC 3207 §4.2, RFC 2595 §4) either reached the caller, who
        must refuse it, or makes this handshake fail. Raises TlsFailed, TransportTimeout; the connection is of
        no more use then.
        """
        assert self.tls is None, "TLS is on already"
        channel = TlsChannel(self._channel, context, server_name or self._host, self.peer)
        self.tls = await channel.handshake(deadline)
        self._channel = channel
        return self.tls

    async def send_eof(self) -> None:
        """Close our direction (TCP's half-close; under TLS after a close_notify); receiving goes on."""
        await self._channel.send_eof()

    def abort(self) -> None:
        """Close at once with a reset (RST), unsent octets thrown away. Closing again does nothing."""
        self._channel.abort()

    def aclose(self) -> Awaitable[None]:
        """Close in an orderly way: close_notify under TLS, FIN; waits for nobody beyond a second.

        Closed even if cancelled. May end without a checkpoint. Closing again does nothing. Octets that came
        but were never read make the kernel send RST instead of FIN, so read the answer to QUIT first.
        """
        return self._channel.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.aclose()
