"""How a lawful server's octets may travel: late, in small pieces, with a reset at the end, to few clients at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio
from trio.testing import MemoryReceiveStream, MemorySendStream

from conformance.mailbox import Fetched, Reader

_ENDS: Final = 6         # octets at either end of a reply that come one by one; the middle comes as a whole


@dataclass(frozen=True)
class Wire:
    """The choices. Seconds are of the loop's clock."""

    greeting_s: float = 0.0              # how long a client waits for the greeting
    reply_s: float = 0.0                 # … and for every reply
    error_s: float = 0.0                 # … and for a 5yz, or -ERR
    in_pieces: bool = False
    resets: bool = False                 # the connection ends with a reset, not in good order
    sessions: int | None = None          # that are taken at once; 421 to the others
    narrow: bool = False                 # what one side sends waits until the other reads it
    delivery_s: float = 0.0              # until what was accepted is in the maildrop
    busy_s: Callable[[], float] | None = None    # how much longer the next reply takes, at this load


USUAL: Final = Wire()


class ServerSide(trio.abc.Stream):
    """The server's end."""

    def __init__(self, stream: trio.abc.Stream, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire
        self._greeted = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        octets = bytes(data)
        wait_s = self._wire.reply_s if self._greeted else self._wire.greeting_s
        self._greeted = True
        busy_s = 0.0 if self._wire.busy_s is None else self._wire.busy_s()
        await trio.sleep(busy_s + max(wait_s, self._wire.error_s if octets.startswith((b"5", b"-ERR")) else 0.0))
        for piece in _pieces(octets) if self._wire.in_pieces else [octets]:
            await self._stream.send_all(piece)
            await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._stream.receive_some(max_bytes))

    async def aclose(self) -> None:
        await self._stream.aclose()


class ClientSide(ServerSide, trio.abc.HalfCloseableStream):
    """The client's end, which sees an end of the stream as a reset."""

    def __init__(self, stream: trio.StapledStream[MemorySendStream, MemoryReceiveStream], wire: Wire) -> None:
        super().__init__(stream, wire)
        self._halves = stream

    async def send_eof(self) -> None:
        """Close our direction."""
        await self._halves.send_stream.aclose()

    def close(self) -> None:
        """Close it without waiting, as the halves of a memory stream can be."""
        self._halves.send_stream.close()
        self._halves.receive_stream.close()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        octets = await super().receive_some(max_bytes)
        if not octets:
            raise trio.BrokenResourceError("reset by the server")
        return octets


class LateReader:
    """Shows of a maildrop what has lain there long enough."""

    def __init__(self, reader: Reader, delivery_s: float) -> None:
        self._reader = reader
        self._delivery_s = delivery_s
        self._seen_s: dict[bytes, float] = {}

    async def keys(self) -> frozenset[bytes]:
        return await self._reader.keys()

    async def fetch(self, known: frozenset[bytes]) -> Fetched:
        now_s = trio.current_time()
        found = await self._reader.fetch(known)
        lain_s = {key: now_s - self._seen_s.setdefault(key, now_s) for key in found.messages}
        lain = {key: one for key, one in found.messages.items() if lain_s[key] >= self._delivery_s}
        return Fetched(lain, found.refused, found.unreadable)


def _pieces(octets: bytes) -> list[bytes]:
    if len(octets) <= 2 * _ENDS:
        return [octets[at:at + 1] for at in range(len(octets))]
    first, middle, last = octets[:_ENDS], octets[_ENDS:-_ENDS], octets[-_ENDS:]
    return [*(first[at:at + 1] for at in range(_ENDS)), middle, *(last[at:at + 1] for at in range(_ENDS))]
