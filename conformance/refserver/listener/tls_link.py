"""TLS over a stream, as the server: OpenSSL as a machine without I/O between two buffers in memory."""

import ssl
from contextlib import suppress
from typing import Final

import trio

_RECORD_OCTETS: Final = 16 * 1024      # the most that there is in one (RFC 8446 §5.1), and OpenSSL reads one at a time


class TlsLink(trio.abc.Stream):
    """One connection inside TLS. Used by one task at a time.

    trio.SSLStream refers to itself, so that only the collector frees it, and that looks seldom here
    (`seldom_collect`): a server with 500 clients kept 350 KiB more each second. This is freed when it is dropped.
    """

    __slots__ = ("_cut", "_incoming", "_outgoing", "_stream", "_tls")

    def __init__(self, stream: trio.abc.Stream, context: ssl.SSLContext) -> None:
        """Own the stream."""
        self._stream = stream
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._cut = False      # Invariant: true if a record may be half sent, or TLS is over: nothing else may be sent

    @property
    def cipher(self) -> str:
        """The cipher that was agreed on; empty before."""
        agreed = self._tls.cipher()
        return agreed[0] if agreed else ""

    async def handshake(self) -> None:
        """Agree on TLS. Raises trio.BrokenResourceError when there is no agreement."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError as exc:
                with suppress(trio.BrokenResourceError):
                    await self._flush()      # the alert (RFC 8446 §6.2)
                self._cut = True
                raise trio.BrokenResourceError(str(exc)) from exc
            else:
                break
        # After the client's last word TLS 1.3 has only tickets to say, which go along with what is said next: a
        # client that does not wait for them, and closes, would be told of a reset (as trio.SSLStream has it).
        if self._tls.version() != "TLSv1.3":
            await self._flush()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return octets, at once if there are any; b"" is the peer's close_notify.

        Raises trio.BrokenResourceError when the connection ended without one.
        """
        while True:
            # Not more room than there can be octets: it would be shrunk, and leave a hole in the heap.
            at_hand = self._tls.pending() + self._incoming.pending
            try:
                return self._tls.read(min(max_bytes or _RECORD_OCTETS, _RECORD_OCTETS, at_hand) or 1)
            except ssl.SSLWantReadError:
                await self._fill()
            except ssl.SSLError as exc:
                self._cut = True
                raise trio.BrokenResourceError(str(exc)) from exc

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it. Ends without a checkpoint when the stream does."""
        if self._cut:
            raise trio.BrokenResourceError("what was sent before was cut short")
        if not data:
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as exc:
            self._cut = True
            raise trio.BrokenResourceError(str(exc)) from exc
        await self._flush()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Offer a close_notify without waiting for the peer's (RFC 8446 §6.1 does not ask it), and close.

        Cancelled, it closes at once and says nothing.
        """
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            if not self._cut:
                with suppress(ssl.SSLError):      # SSLWantReadError is the rule: the peer has not ended its side
                    self._tls.unwrap()
                with suppress(trio.BrokenResourceError):
                    await self._flush()
        finally:
            self._cut = True
            await self._stream.aclose()

    async def _flush(self) -> None:
        """Send what TLS has to say."""
        if self._outgoing.pending:
            self._cut = True
            await self._stream.send_all(self._outgoing.read())
            self._cut = False

    async def _fill(self) -> None:
        """Wait for octets and give them to TLS."""
        octets = await self._stream.receive_some()
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()
