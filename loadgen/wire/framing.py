"""Octets into lines and dot-ended blocks, bounded, wherever TCP cut them."""

from dataclasses import dataclass
from enum import Enum

from loadgen.wire.errors import RemoteProtocolError


class LineEnding(Enum):
    """How a line ended."""

    CRLF = b"\r\n"
    LF = b"\n"  # a deviation, but the line has ended: waiting for a CRLF would only hide it


@dataclass(frozen=True, slots=True)
class Line:
    """One line as received. Invariant: `octets` is exactly what was fed."""

    content: bytes
    ending: LineEnding
    over_long: bool

    @property
    def octets(self) -> bytes:
        """Return the line with its ending."""
        return self.content + self.ending.value


class LineFramer:
    """Cut a stream into lines at LF and, on demand, into blocks ended by CRLF.CRLF.

    A line above `limit_octets` (its ending included) is given and marked; one above `hard_limit_octets`
    raises RemoteProtocolError citing `section`, whether or not its end has come, and so does every later
    call.
    """

    __slots__ = ("_at", "_buffer", "_hard_limit_octets", "_limit_octets", "_searched", "_section")

    def __init__(
        self, limit_octets: int = 512, hard_limit_octets: int = 65536, *, section: str = "RFC 5321 §4.5.3.1.5"
    ) -> None:
        self._limit_octets = limit_octets
        self._hard_limit_octets = hard_limit_octets
        self._section = section
        # The chunk last fed, as it is, while lines arrive whole; a bytearray once one was cut: appending to
        # it is amortised, so a peer that trickles octets costs linear time.
        self._buffer: bytes | bytearray = b""
        # Invariant: 0 <= _at <= _searched <= len(_buffer); before _at is taken, before _searched is no end.
        self._at = 0
        self._searched = 0

    def feed(self, octets: bytes) -> None:
        """Append what was received."""
        if self._at == len(self._buffer):
            self._buffer = octets
            self._at = self._searched = 0
            return
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        del self._buffer[: self._at]
        self._searched -= self._at
        self._at = 0
        self._buffer += octets

    @property
    def pending(self) -> bytes:
        """Return a copy of what was fed and not yet given out."""
        return bytes(self._buffer[self._at :])

    @property
    def pending_octets(self) -> int:
        """Return how many octets were fed and not yet given out."""
        return len(self._buffer) - self._at

    def take_pending(self) -> bytes:
        """Take everything fed and not yet given out."""
        pending = self.pending
        self._at = self._searched = len(self._buffer)
        return pending

    def next_line(self) -> Line | None:
        """Take the next line, or None while it has not ended."""
        octets = self.next_octets()
        if octets is None:
            return None
        ending = LineEnding.CRLF if octets.endswith(b"\r\n") else LineEnding.LF
        return Line(octets[: -len(ending.value)], ending, len(octets) > self._limit_octets)

    def next_octets(self) -> bytes | None:
        """Take the next line as received, its ending included: what `next_line` is made from."""
        buffer, at = self._buffer, self._at
        end = buffer.find(b"\n", self._searched) + 1
        if not end:
            self._searched = len(buffer)
            self._refuse_above(self._hard_limit_octets, len(buffer))
            return None
        self._refuse_above(self._hard_limit_octets, end)
        self._at = self._searched = end
        return bytes(buffer[at:end])  # of a chunk that is one line, this is the chunk itself: no copy

    def next_block(self, limit_octets: int) -> bytes | None:
        """Take everything through the line "." CRLF, as received, or None while that line has not come.

        Only CRLF.CRLF ends a block (RFC 1939 §3): a bare LF before the dot is content. Ask again with the
        same method until it is given. Raises RemoteProtocolError above `limit_octets`.
        """
        buffer, at = self._buffer, self._at
        if buffer.startswith(b".\r\n", at):
            end = at + 3
        else:
            found = buffer.find(b"\r\n.\r\n", max(at, self._searched - 4))
            if found < 0:
                self._searched = len(buffer)
                self._refuse_above(limit_octets, len(buffer))
                return None
            end = found + 5
        self._refuse_above(limit_octets, end)
        self._at = self._searched = end
        return bytes(buffer[at:end])

    def _refuse_above(self, limit_octets: int, end: int) -> None:
        if end - self._at > limit_octets:
            raise RemoteProtocolError(
                f"no end within {limit_octets} octets",
                octets=bytes(self._buffer[self._at : self._at + 512]),
                section=self._section,
            )
