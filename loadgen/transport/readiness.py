"""How a task waits for a socket: the seam where a shared poller can take the place of trio's own."""

import socket
from typing import Final, Protocol

import trio


class Readiness(Protocol):
    """Tells a task when its socket can be read or written. Stateless towards the octets themselves.

    An implementation may be edge-triggered: `SocketChannel` waits to read only after a read that emptied the
    kernel's buffer (or before the first one), and to write only after a write that did not fit. An edge that
    arrives between two waits must therefore be remembered, not lost.
    """

    def register(self, sock: socket.socket) -> None:
        """Take note of a non-blocking socket, before the first wait on it."""

    def forget(self, sock: socket.socket) -> None:
        """Forget a socket that is about to be closed; whoever waits on it gets `trio.ClosedResourceError`."""

    async def readable(self, sock: socket.socket, deadline: float) -> bool:
        """Wait until the socket can be read; False if `deadline` (trio's clock, seconds) came first."""

    async def writable(self, sock: socket.socket, deadline: float) -> bool:
        """Wait until the socket can be written; False if `deadline` (trio's clock, seconds) came first."""


class TrioReadiness:
    """Waits with trio's own poller, one cancel scope around each wait."""

    def register(self, sock: socket.socket) -> None:
        """Do nothing: trio registers a socket anew for every wait."""

    def forget(self, sock: socket.socket) -> None:
        """Wake whoever waits on the socket with `trio.ClosedResourceError`."""
        trio.lowlevel.notify_closing(sock)

    async def readable(self, sock: socket.socket, deadline: float) -> bool:
        """Wait until the socket can be read; False if `deadline` came first. Always a checkpoint."""
        with trio.CancelScope(deadline=deadline):
            await trio.lowlevel.wait_readable(sock)
            return True
        return False

    async def writable(self, sock: socket.socket, deadline: float) -> bool:
        """Wait until the socket can be written; False if `deadline` came first. Always a checkpoint."""
        with trio.CancelScope(deadline=deadline):
            await trio.lowlevel.wait_writable(sock)
            return True
        return False


TRIO_READINESS: Final = TrioReadiness()
