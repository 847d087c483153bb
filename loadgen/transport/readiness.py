"""How a task waits for a socket: the seam between the transport and whoever watches descriptors for it."""

import select
import socket
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import trio

from loadgen.transport.conversation import Conversation
from loadgen.transport.instants import Chore, by_sleeping

if TYPE_CHECKING:
    from loadgen.transport.native import Lanes


class Watch(Protocol):
    """Tells a task when one socket can be read or written. One task may wait to read while another waits to write.

    A watch may be edge-triggered: wait to read only after a read that emptied the kernel's buffer (or before the
    first one), and to write only after a write that did not fit. What arrives between two waits is remembered.
    A wait may end although nothing can be read or written: try, and wait again. A second task that waits for the
    same is our bug (`trio.BusyResourceError`), and so is a wait after `close` (`trio.ClosedResourceError`).
    """

    def readable(self, deadline: float) -> Awaitable[bool]:
        """Wait until the socket can be read; False if `deadline` (trio's clock, seconds) came first.

        To be awaited at once. Always a checkpoint. Cancelled or late, it has consumed nothing.
        """

    async def writable(self, deadline: float) -> bool:
        """Wait until the socket can be written, or has connected or failed to; False if `deadline` came first.

        Always a checkpoint.
        """

    def converse(self, sock: socket.socket, conversation: Conversation, peer: str) -> Awaitable[None] | None:
        """Lead a conversation to its end, to be awaited at once; None: this watch cannot."""

    def close(self) -> None:
        """End the watch, before the socket is closed; whoever waits gets `trio.ClosedResourceError`."""


class Readiness(Protocol):
    """Watches sockets. Passed as a value to `connect`; nobody has to know which kind it is."""

    @property
    def lanes(self) -> "Lanes | None":
        """The native lanes that it polls; None: it has none."""

    def watch(self, sock: socket.socket) -> Watch:
        """Return a new watch over a non-blocking socket that is connected, or connecting.

        One that does neither yet would be reported as hung up.
        """

    def at_instants(self, instant_s: float, chore: Chore) -> Awaitable[None]:
        """Have a chore done at instants, at less cost than to sleep until each. To be awaited at once."""


class TrioWatch:
    """Waits with trio's own poller, one cancel scope around each wait."""

    __slots__ = ("_sock",)

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    async def readable(self, deadline: float) -> bool:
        """Wait until the socket can be read; False if `deadline` came first."""
        if self._sock.fileno() < 0:
            raise trio.ClosedResourceError("this transport was already closed")
        with trio.CancelScope(deadline=deadline):
            await trio.lowlevel.wait_readable(self._sock)
            return True
        return False

    async def writable(self, deadline: float) -> bool:
        """Wait until the socket can be written; False if `deadline` came first."""
        with trio.CancelScope(deadline=deadline):
            await trio.lowlevel.wait_writable(self._sock)
            return True
        return False

    def converse(self, sock: socket.socket, conversation: Conversation, peer: str) -> None:
        """Nobody but a task reads with trio's own poller."""

    def close(self) -> None:
        """Wake whoever waits with `trio.ClosedResourceError`."""
        trio.lowlevel.notify_closing(self._sock)


class TrioReadiness:
    """trio's own poller: needs nothing to be started, and is there on every system."""

    lanes: Final = None

    def watch(self, sock: socket.socket) -> TrioWatch:
        """Return a watch; trio registers the socket anew for every wait."""
        return TrioWatch(sock)

    def at_instants(self, instant_s: float, chore: Chore) -> Awaitable[None]:
        """Sleep until each instant."""
        return by_sleeping(instant_s, chore)


TRIO_READINESS: Final = TrioReadiness()


async def best_readiness(nursery: trio.Nursery, *, punctual: bool = False) -> Readiness:
    """Return the readiness that costs least on this system, for every connection of this trio run.

    Where there is epoll (Linux) it is served by a task in `nursery`, which must outlive the connections; that
    task never ends by itself, so cancel the nursery when they are closed. Elsewhere: `TRIO_READINESS`. With `punctual`
    chores are done as exactly as the system can, which costs more where many are due in a millisecond.
    """
    if not hasattr(select, "epoll"):
        return TRIO_READINESS
    from loadgen.transport.epoll import serve_epoll  # noqa: PLC0415  names what only Linux's select has

    readiness: Readiness = await nursery.start(partial(serve_epoll, punctual=punctual))
    return readiness
