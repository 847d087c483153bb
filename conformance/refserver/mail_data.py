"""Mail data as they come in: the end of DATA found, transparency undone, content checked.

Only CRLF.CRLF ends mail data (RFC 5321 §4.1.1.4). A bare CR or LF is never a line end: it is kept while reading,
so that nothing after it is taken for a command, and refused at the end (§2.3.8).
"""

import re
from typing import Final

_END: Final = b"\r\n.\r\n"
_END_OCTETS_MAX: Final = 8      # of any that a faulty server knows
_BCC: Final = re.compile(rb"(?im)^bcc[ \t]*:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
_RETURN_PATH: Final = re.compile(rb"(?im)^return-path[ \t]*:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")


class DataReader:
    """Collect the octets after 354 until CRLF.CRLF. Octets past what the limit can need are counted, not kept."""

    __slots__ = ("_ends", "_kept", "_kept_max", "_received", "_tail", "rest")

    def __init__(self, limit_octets: int, *, other_ends: tuple[bytes, ...] = ()) -> None:
        """`other_ends` is what a faulty server takes for the end besides: eight octets at most."""
        self._ends = (_END, *other_ends)
        self._kept = bytearray()
        # Stuffing adds at most one octet to a line, and a line that is stuffed has at least three.
        self._kept_max = limit_octets + limit_octets // 3 + 8
        self._received = 0
        self._tail = b"\r\n"     # the CRLF that ended the DATA command opens the first line
        self.rest = b""          # what came after the end of data

    def feed(self, octets: bytes) -> bool:
        """Take octets as they arrived and say whether the end of data is among them."""
        window = self._tail + octets
        found = [(at, end) for end in self._ends if (at := window.find(end)) >= 0]
        if not found:
            self._keep(octets)
            self._tail = window[-(_END_OCTETS_MAX - 1):]
            return False
        at, end = min(found)
        after = at + len(end) - len(self._tail)
        self._keep(octets[:after])
        self.rest = octets[after:]
        if end != _END:      # what a faulty server took for the end becomes one
            self._kept[-len(end):] = b""
            self._kept = self._kept.rstrip(b"\r\n") + _END
        return True

    def _keep(self, octets: bytes) -> None:
        self._received += len(octets)
        if self._received <= self._kept_max:
            self._kept += octets

    def so_far(self) -> bytes:
        """Return what has come of mail data whose end has not, as it came: what only a faulty server looks at."""
        return bytes(self._kept)

    def content(self) -> bytes | None:
        """Return the mail data without stuffing and without the final dot line; None when they are too big.

        They are given away, and copied once: now and then somebody sends a large message, and whatever room it needs in
        the heap besides stays there, and is taken for growth.
        """
        if self._received > self._kept_max:
            return None
        kept, self._kept = self._kept, bytearray()
        end = len(kept) - len(b".\r\n")
        stuffed = bytes(memoryview(kept)[1 if kept.startswith(b".", 0, end) else 0:end])
        del kept
        return stuffed.replace(b"\r\n.", b"\r\n")


class ChunkReader:
    """Collect the chunks of BDAT (RFC 3030 §2). The octets of a refused chunk are swallowed, never executed."""

    __slots__ = ("_content", "_limit_octets", "_wanted", "overflowed")

    def __init__(self, limit_octets: int) -> None:
        self._content = bytearray()
        self._limit_octets = limit_octets
        self._wanted = 0
        self.overflowed = False     # the chunks together are larger than the limit

    @property
    def wanted(self) -> int:
        """Octets of the present chunk still to come."""
        return self._wanted

    def expect(self, octets: int) -> None:
        """Begin a chunk of that size."""
        self._wanted = octets
        self.overflowed = len(self._content) + octets > self._limit_octets

    def feed(self, octets: bytes) -> None:
        """Take octets of the present chunk; never more than are wanted."""
        self._wanted -= len(octets)
        if not self.overflowed:
            self._content += octets

    def so_far(self) -> bytes:
        """Return what has come, as it came: what only a faulty server looks at."""
        return bytes(self._content)

    def content(self) -> bytes:
        """Return all chunks joined, with a CRLF added when the last line has none: maildrops hold whole lines."""
        content = bytes(self._content)
        return content if content.endswith(b"\r\n") or not content else content + b"\r\n"


def has_bare_cr_or_lf(content: bytes) -> bool:
    """Say whether a CR or LF stands alone."""
    pairs = content.count(b"\r\n")
    return content.count(b"\n") != pairs or content.count(b"\r") != pairs


def header_section(content: bytes) -> bytes:
    """Return the header section with the CRLF of its last field; all of the content when it has no empty line."""
    if content.startswith(b"\r\n"):
        return b""
    end = content.find(b"\r\n\r\n")
    return content if end < 0 else content[:end + 2]


def count_received(header: bytes) -> int:
    """Return the number of Received fields (RFC 5321 §6.3)."""
    lowered = header.lower()
    return lowered.count(b"\nreceived:") + lowered.startswith(b"received:")


def without_return_path(header: bytes, content: bytes) -> bytes:
    """Return the content without the Return-Path fields it came with: only final delivery sets one (§4.4)."""
    if b"return-path" not in header.lower():
        return content
    return _RETURN_PATH.sub(b"", header) + content[len(header):]


def without_bcc(header: bytes, content: bytes) -> bytes:
    """Return the content without its Bcc fields: what a user submits need not tell whom he hid (RFC 5322 §3.6.3)."""
    if b"bcc" not in header.lower():
        return content
    return _BCC.sub(b"", header) + content[len(header):]


def with_message_id(header: bytes, content: bytes, identity: str) -> bytes:
    """Return the content with a Message-ID, if it came without (RFC 6409 §8.3)."""
    lowered = b"\n" + header.lower()
    return content if b"\nmessage-id:" in lowered else b"Message-ID: <" + identity.encode() + b">\r\n" + content
