"""A byte stream straight over a non-blocking socket.

trio's SocketStream adds locks and conflict detection to every call. One task owns each of our connections, so they
would guard against nothing. (An edge-triggered poller of our own was tried: a tenth less for sessions that are
reused, nothing for those that carry one message, so it was not worth its code.)
"""

import socket
import threading
from typing import Final

import trio

_RECEIVE_OCTETS = 64 * 1024


class _Place(threading.local):
    """Where octets arrive, of whichever connection, until it is known how many there are; of each thread its own.

    An object of the most that may come, shrunk to what has come, would leave a hole in the heap, and what is made
    meanwhile lies in the midst of it, OpenSSL's buffers of a new connection say: no other read fits in there.
    """

    def __init__(self) -> None:
        self.octets = memoryview(bytearray(_RECEIVE_OCTETS))


_PLACE: Final = _Place()


class SocketLink(trio.abc.HalfCloseableStream):
    """One connection. Used by one task at a time; TLS can be laid over it (`TlsLink`)."""

    __slots__ = ("_fd", "_socket")

    def __init__(self, connected: socket.socket) -> None:
        """Own a connected, non-blocking socket."""
        self._socket = connected
        self._fd = connected.fileno()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for octets; b"" is the end. Raises trio.BrokenResourceError when the peer reset the connection."""
        while True:
            await trio.lowlevel.wait_readable(self._fd)
            try:
                octets = _PLACE.octets[: max_bytes or _RECEIVE_OCTETS]
                return octets[: self._socket.recv_into(octets)].tobytes()
            except BlockingIOError:
                continue
            except OSError as exc:
                raise trio.BrokenResourceError(str(exc)) from exc

    def send_now(self, octets: bytes) -> int:
        """Send what the kernel takes at once and return how many octets that was."""
        try:
            return self._socket.send(octets)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise trio.BrokenResourceError(str(exc)) from exc

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it. Ends without a checkpoint when the kernel takes it at once."""
        with memoryview(data) as left:
            sent = 0
            while sent < len(left):
                try:
                    sent += self._socket.send(left[sent:])
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(self._fd)
                except OSError as exc:
                    raise trio.BrokenResourceError(str(exc)) from exc

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the kernel has room."""
        await trio.lowlevel.wait_writable(self._fd)

    async def send_eof(self) -> None:
        """Send FIN; the peer can still send."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as exc:
            raise trio.BrokenResourceError(str(exc)) from exc

    def unread(self) -> bool:
        """Say whether the peer sent something that was not read: closing now would reset the connection."""
        try:
            return bool(self._socket.recv(_RECEIVE_OCTETS))
        except OSError:
            return False

    def close(self) -> None:
        """Close at once."""
        self._socket.close()

    async def aclose(self) -> None:
        """Close at once."""
        self._socket.close()
        await trio.lowlevel.checkpoint()


class Unread(trio.abc.Stream):
    """A stream of which the first octets were read, and are given back."""

    def __init__(self, stream: trio.abc.Stream, octets: bytes) -> None:
        """Own the stream."""
        self._stream = stream
        self._octets = octets

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return what was read before, then what comes."""
        if not self._octets:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        count = len(self._octets) if max_bytes is None else max_bytes
        octets, self._octets = self._octets[:count], self._octets[count:]
        return octets

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()
