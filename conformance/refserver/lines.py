"""Octets cut into lines that end in CRLF, and in nothing else (RFC 5321 §2.3.8, RFC 1939 §3)."""

from typing import Final

_CR: Final = b"\r"


class LineTooLong(Exception):
    """A whole line was longer than allowed; it has been skipped and the next line can be read."""


class EndlessLine(Exception):
    """So much came without a CRLF that the peer cannot be meant seriously."""


class LineReader:
    """Buffer octets and give them back as lines, or as they are.

    Holds at most one over-long line's limit plus what was fed last: the rest of such a line is dropped unread.
    """

    __slots__ = ("_at", "_endless_octets", "_lf_ends", "_octets", "_skipped")

    def __init__(self, endless_octets: int, *, lf_ends: bool = False) -> None:
        self._octets = b""
        self._at = 0              # Invariant: everything before it was given out
        self._skipped = 0         # octets dropped of the over-long line now being read
        self._endless_octets = endless_octets
        self._lf_ends = lf_ends   # LF alone ends a line too (RFC 1090 §8)

    @property
    def pending(self) -> int:
        """Octets fed and not given out."""
        return len(self._octets) - self._at

    def feed(self, octets: bytes) -> None:
        """Add octets as they arrived."""
        self._octets = self._octets[self._at:] + octets if self._at < len(self._octets) else octets
        self._at = 0

    def next_line(self, limit_octets: int) -> bytes | None:
        """Return the next line without its CRLF, or None when it has not all arrived.

        `limit_octets` counts the CRLF. Raises LineTooLong once per over-long line, when its end has been seen, and
        EndlessLine when that end does not come.
        """
        start = self._at
        end = self._octets.find(b"\n" if self._lf_ends else b"\r\n", start)
        if end < 0:
            self._skip_if_over(limit_octets)
            return None
        self._at = end + (1 if self._lf_ends else 2)
        if self._lf_ends and self._octets[start:end].endswith(_CR):
            end -= 1
        if self._skipped or self._at - start > limit_octets:
            length = self._skipped + end - start
            self._skipped = 0
            if length > self._endless_octets:
                raise EndlessLine
            raise LineTooLong
        return self._octets[start:end]

    def _skip_if_over(self, limit_octets: int) -> None:
        pending = len(self._octets) - self._at
        if not self._skipped and pending < limit_octets:
            return
        kept = self._octets[-1:] if self._octets.endswith(_CR) else b""      # it may be half of a CRLF
        self._skipped += pending - len(kept)
        self._octets, self._at = kept, 0
        if self._skipped > self._endless_octets:
            raise EndlessLine

    def take(self, count: int | None = None) -> bytes:
        """Return up to `count` octets as they are; all that is there when `count` is None."""
        start = self._at
        self._at = len(self._octets) if count is None else min(len(self._octets), start + count)
        return self._octets[start:self._at]

    def clear(self) -> None:
        """Forget everything not yet given out."""
        self._octets, self._at, self._skipped = b"", 0, 0
