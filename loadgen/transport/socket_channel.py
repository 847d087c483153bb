"""Clear text over one non-blocking socket, with as little per command as the kernel allows."""

import contextlib
import socket
import struct
from collections.abc import Awaitable
from typing import Final

import trio

from loadgen.transport.addresses import address_text
from loadgen.transport.channel import RECEIVE_OCTETS, ask_in_turn, late_receive, late_send
from loadgen.transport.conversation import Conversation, converse_in_turn
from loadgen.transport.failures import io_failure
from loadgen.transport.readiness import Watch
from loadgen.transport.received import receive

AT_ONCE_MAX: Final = 16   # operations in a row without a checkpoint: other tasks get their turn too
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)   # struct linger: on, zero seconds


class SocketChannel:
    """Octets over a connected stream socket: TCP over IPv4 or IPv6, or a unix socket.

    A command is sent at once and almost always fits; an answer is almost never there yet. So `send` tries
    first and waits only if it must, and `receive` waits first, except after a read that was cut by its limit.
    Only a wait is put under its deadline (a cancel scope costs more than a system call here).
    """

    __slots__ = ("_more", "_peer", "_sock", "_turns", "_watch")

    def __init__(self, sock: socket.socket, peer: str, watch: Watch) -> None:
        self._sock = sock
        self._peer = peer
        self._watch = watch
        self._turns = AT_ONCE_MAX
        # Invariant: True only if the last read filled its limit, so that the kernel may hold more.
        self._more = False

    @property
    def local(self) -> str:
        """Our own address; empty once closed."""
        try:
            return address_text(self._sock.getsockname())
        except OSError:
            return ""

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send all of `octets`. May end without a checkpoint, AT_ONCE_MAX times in a row at most."""
        sent = self._send_some(octets)
        if sent == len(octets):
            await self._take_turn()
        else:
            await self._send_rest(memoryview(octets)[sent:], deadline)

    async def _take_turn(self) -> None:
        """Count one more operation that did not wait, and let other tasks have their turn if it was the last."""
        self._turns -= 1
        if self._turns <= 0:
            self._turns = AT_ONCE_MAX
            await trio.lowlevel.checkpoint()

    def _send_some(self, octets: bytes | memoryview) -> int:
        try:
            return self._sock.send(octets)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise io_failure(exc, self._peer) from exc

    async def _send_rest(self, rest: memoryview, deadline: float) -> None:
        while rest:
            if not await self._watch.writable(deadline):
                raise late_send(self._peer)
            rest = rest[self._send_some(rest) :]

    async def receive(self, deadline: float) -> bytes:
        """Return what has arrived, `b""` at the end. May end without a checkpoint, like `send`."""
        while True:
            if self._more:
                await self._take_turn()     # no wait: of what is there already no edge would tell
            elif not await self._watch.readable(deadline):
                raise late_receive(self._peer)
            try:
                octets = receive(self._sock)
            except BlockingIOError:
                self._more = False
                continue
            except OSError as exc:
                raise io_failure(exc, self._peer) from exc
            self._more = len(octets) == RECEIVE_OCTETS
            return octets

    def ask(self, octets: bytes, deadline: float) -> Awaitable[bytes]:
        """Send all of `octets`, and return what arrives then: one system call, one wait, one more call."""
        try:
            sent = self._sock.send(octets)
        except OSError:
            sent = 0
        if sent == len(octets):
            return self.receive(deadline)
        return ask_in_turn(self, octets[sent:], deadline)

    def converse(self, conversation: Conversation) -> Awaitable[None]:
        """Lead a conversation to its end: by the poller, if it can."""
        led = self._watch.converse(self._sock, conversation, self._peer)
        return converse_in_turn(self, conversation) if led is None else led

    async def send_eof(self) -> None:
        """Send FIN; receiving goes on. Ends without a checkpoint."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as exc:
            raise io_failure(exc, self._peer) from exc

    async def send_last(self, octets: bytes) -> None:
        """Offer octets once, without waiting. Ends without a checkpoint."""
        with contextlib.suppress(OSError):
            self._sock.send(octets)

    def abort(self) -> None:
        """Close with a reset (RST) instead of FIN; what was not sent yet is thrown away."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._close()

    async def aclose(self) -> None:
        """Close with FIN; the kernel still delivers what was sent. Ends without a checkpoint."""
        self._close()

    def _close(self) -> None:
        if self._sock.fileno() != -1:
            self._watch.close()
            self._sock.close()
