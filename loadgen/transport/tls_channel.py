"""TLS over any channel: OpenSSL as a sans-IO machine between two buffers in memory."""

import contextlib
import ssl
from typing import Final

from loadgen.transport.channel import RECEIVE_OCTETS, Channel, ask_in_turn
from loadgen.transport.errors import PeerClosed, TlsFailed
from loadgen.transport.tls import TlsContext, TlsFacts, facts_of, is_end_without_close_notify, tls_failure

_SEND_OCTETS: Final = 262_144   # encrypted at a time, so that a long body is not held twice


class TlsChannel:
    """A channel inside TLS, as the client.

    trio.SSLStream is not used: it wants a trio stream below, has two locks and a scope for each call, and its
    orderly close waits for the peer. Here only the channel below waits, under the caller's deadline.
    """

    __slots__ = ("_below", "_incoming", "_mid_record", "_open", "_outgoing", "_peer", "_tls")

    def __init__(self, below: Channel, context: TlsContext, server_name: str | None, peer: str) -> None:
        if context.check_hostname and not server_name:
            raise TlsFailed(f"There is no name to hold {peer}'s certificate against (give a server name)")
        self._below = below
        self._peer = peer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name or None)
        # Invariant: True while a record may be half sent; then nothing else may be sent.
        self._mid_record = False
        self._open = False   # True from the end of the handshake to our close_notify

    @property
    def local(self) -> str:
        """Our own address in words."""
        return self._below.local

    async def handshake(self, deadline: float) -> TlsFacts:
        """Agree on TLS. A peer that ends the connection instead is TlsFailed too: it refused."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                try:
                    await self._flush(deadline)
                    await self._fill(deadline)
                except PeerClosed as exc:
                    raise TlsFailed(f"{self._peer} reset the connection during the TLS handshake") from exc
            except ssl.SSLError as exc:
                await self._below.send_last(self._outgoing.read())   # the alert that tells the peer why
                raise tls_failure(exc, self._peer, in_handshake=True) from exc
            else:
                await self._flush(deadline)
                self._open = True
                return facts_of(self._tls)

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send all of `octets`."""
        if self._mid_record:
            raise TlsFailed(f"An earlier send to {self._peer} was cut short, so TLS can carry nothing more")
        view = memoryview(octets)
        for start in range(0, len(octets), _SEND_OCTETS):
            try:
                self._tls.write(view[start:start + _SEND_OCTETS])
            except ssl.SSLError as exc:
                raise tls_failure(exc, self._peer, in_handshake=False) from exc
            await self._flush(deadline)

    async def receive(self, deadline: float) -> bytes:
        """Return what has arrived; `b""` only after the peer's close_notify."""
        while True:
            try:
                # No more than there can be: to ask for room that is not needed leaves holes in the heap (`received`).
                octets = self._tls.read(min(RECEIVE_OCTETS, self._tls.pending() + self._incoming.pending) or 1)
            except ssl.SSLWantReadError:
                if self._outgoing.pending:   # an answer of TLS itself, to a key update say
                    await self._flush(deadline)
                await self._fill(deadline)
            except ssl.SSLError as exc:
                if is_end_without_close_notify(exc):
                    why = f"{self._peer} closed the connection without a TLS close_notify"
                    raise PeerClosed(why, announced=False) from exc
                await self._below.send_last(self._outgoing.read())
                raise tls_failure(exc, self._peer, in_handshake=False) from exc
            else:
                return octets

    async def ask(self, octets: bytes, deadline: float) -> bytes:
        """Send all of `octets`, and return what arrives then."""
        return await ask_in_turn(self, octets, deadline)

    async def send_eof(self) -> None:
        """Send close_notify and close our direction below; receiving goes on."""
        self._end_tls()
        await self._below.send_last(self._outgoing.read())
        await self._below.send_eof()

    async def send_last(self, octets: bytes) -> None:
        """Offer octets the peer may miss."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.write(octets)
            await self._below.send_last(self._outgoing.read())

    def abort(self) -> None:
        """Close at once, without a close_notify."""
        self._open = False
        self._below.abort()

    async def aclose(self) -> None:
        """Offer a close_notify without waiting for the peer's (RFC 8446 §6.1 does not ask it), and close."""
        try:
            if self._open and not self._mid_record:
                self._end_tls()
                await self._below.send_last(self._outgoing.read())
        finally:
            self._open = False
            await self._below.aclose()

    def _end_tls(self) -> None:
        if self._open:
            self._open = False
            # SSLWantReadError is the rule here: the peer has not ended its side, and need not.
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()

    async def _flush(self, deadline: float) -> None:
        if self._mid_record:   # the sending task will take these octets along when its own are through
            return
        while self._outgoing.pending:
            self._mid_record = True
            await self._below.send(self._outgoing.read(), deadline)
            self._mid_record = False

    async def _fill(self, deadline: float) -> None:
        octets = await self._below.receive(deadline)
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()
