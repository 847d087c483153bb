"""Transparency both ways: the dot before a dot (RFC 5321 §4.5.2, RFC 1939 §3).

A line begins after CRLF and nowhere else. A bare LF begins none, here or there: taking it for a line's end is
how messages are smuggled. Whole-buffer searches throughout; no loop over octets.
"""

END_OF_DATA = b".\r\n"  # the last line; before it stands the CRLF of the line before


def stuff(body: bytes) -> bytes:
    """Return the body as mail data: leading dots doubled, ended by CRLF (added if missing) and `.` CRLF."""
    stuffed = body.replace(b"\r\n.", b"\r\n..")  # nothing to replace: the body itself, not a copy
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (END_OF_DATA if not body or body.endswith(b"\r\n") else b"\r\n.\r\n")


def unstuff(block: bytes) -> bytes:
    """Return what a whole block, its last line `.` CRLF included, stands for. The converse of `stuff`."""
    return unstuff_noting(block)[0]


def unstuff_noting(block: bytes) -> tuple[bytes, bool]:
    """Return what a whole block stands for, and whether the sender did not stuff.

    He did not if a line before the last begins with one dot only. RFC 1939 §3 has that dot stripped all the same.
    """
    assert block.endswith(END_OF_DATA)
    stuffed = block[: -len(END_OF_DATA)]
    content = stuffed.replace(b"\r\n.", b"\r\n")
    stripped = len(stuffed) - len(content)
    unstuffed = stripped > 0 and stuffed.count(b"\r\n..") < stripped
    if stuffed.startswith(b"."):
        return content[1:], unstuffed or not stuffed.startswith(b"..")
    return content, unstuffed


class Stuffer:
    """Stuff a body that comes in pieces, cut anywhere."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        # The last octets already sent, two at most: a CRLF may be cut in two. A body begins where a line
        # does.
        self._tail = b"\r\n"

    def feed(self, octets: bytes) -> bytes:
        """Return the piece, stuffed."""
        joined = self._tail + octets
        stuffed = joined.replace(b"\r\n.", b"\r\n..")[len(self._tail) :]
        self._tail = joined[-2:]
        return stuffed

    def finish(self) -> bytes:
        """Return what ends the mail data after the last piece."""
        return END_OF_DATA if self._tail == b"\r\n" else b"\r\n.\r\n"


class Unstuffer:
    """Unstuff a block that comes in pieces, cut anywhere. Holds back at most two octets."""

    __slots__ = ("_held", "_tail", "done", "rest")

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last octets given out, as received, two at most
        self._held = b""  # a dot, or dot CR, at the start of a line: not yet known what it is
        self.done = False
        self.rest = b""  # what came behind the block's last line

    def feed(self, octets: bytes) -> bytes:
        """Return the content the piece completes. Once done, everything further is `rest`."""
        if self.done:
            self.rest += octets
            return b""
        joined = self._tail + self._held + octets
        end = joined.find(b"\r\n.\r\n")
        if end >= 0:
            self.done = True
            self.rest = joined[end + 5 :]
            return self._content(joined[: end + 2])
        held = 2 if joined.endswith(b"\r\n.\r") else 1 if joined.endswith(b"\r\n.") else 0
        decided = joined[: len(joined) - held]
        self._held = joined[len(decided) :]
        content = self._content(decided)
        self._tail = decided[-2:]
        return content

    def _content(self, joined: bytes) -> bytes:
        return joined.replace(b"\r\n.", b"\r\n")[len(self._tail) :]
