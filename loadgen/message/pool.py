"""Lines made once, before the run, so that composing a message is cutting from them."""

import random
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import msgspec

from loadgen.wire.transparency import stuff

LINES = 2048
BEGINNINGS = 256                        # lines that a text may begin with
LINE_OCTETS = 72                        # CRLF counted; well under the 78 of RFC 5322 §2.1.1
CYCLE = 64                              # of so many lines the last is a lone dot; all others are of LINE_OCTETS
SHORTEST_LINE = 2                       # a bare CRLF
FILL = b"y"
LONE_DOT = b".\r\n"
END_OF_MAIL_DATA = LONE_DOT
CYCLE_OCTETS = (CYCLE - 1) * LINE_OCTETS + len(LONE_DOT)
ASCII = "abcdefghijklmnopqrstuvwxyz0123456789      "
# Two, three and four octets a letter, from several scripts, and a letter with a combining mark.
BEYOND_ASCII = ASCII + "äöüßéèñçøåłğπλωждя" "あ漢字中文한글अ€–" "𝛼😀🚀" "e\u0301"
BASE64_OCTETS = 57                      # that make one line of 76: RFC 2045 §6.8
Octets = bytes | memoryview


class Cut(msgspec.Struct, frozen=True, gc=False):
    """Which lines are cut from a block."""

    blocks: int      # so many times the whole block comes first
    begin: int
    end: int         # line `begin` up to here, itself excluded
    last: bytes      # a line of its own, after them


NO_LINES = Cut(0, 0, 0, b"")


class Block:
    """Lines to be cut from without copying.

    They stand twice, so that a cut of up to one block may begin at any of its lines.
    """

    __slots__ = ("_once", "octets", "starts")

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.octets = memoryview(b"".join(lines) * 2)
        self.starts = [0, *accumulate(map(len, [*lines, *lines]))]      # Invariant: line n is starts[n]:starts[n + 1]
        self._once = self.octets[: self.starts[len(lines)]]

    def pieces(self, cut: Cut) -> list[Octets]:
        """Return the octets of a cut, as views."""
        starts = self.starts
        pieces: list[Octets] = [self.octets[starts[cut.begin] : starts[cut.end]], cut.last]
        return [*[self._once] * cut.blocks, *pieces] if cut.blocks else pieces


class TextPool:
    """Text of any length, dot-led lines in it, of ASCII letters or of others too."""

    def __init__(self, rng: random.Random, letters: str) -> None:
        lines = [_line(rng, letters, number) for number in range(LINES)]
        self.lines = Block(lines)
        self.on_the_wire = stuffed = Block([stuff(line).removesuffix(END_OF_MAIL_DATA) for line in lines])
        starts = self.lines.starts

        # Where all messages are of one size or three, few are cut twice: our ids of different lengths leave some
        # five lengths of a size. No larger than for that: some 500 octets each, and where sizes are drawn it is filled
        # with what is never asked for again. Of no method: pool and cache would hold each other.
        @lru_cache(maxsize=16 * BEGINNINGS)
        def stuffed_text(begin: int, octets: int) -> list[Octets]:
            """Return the same text as transparency has it on the wire (RFC 5321 §4.5.2)."""
            return stuffed.pieces(_cut(starts, begin, octets))

        self.stuffed = stuffed_text

    def plain(self, begin: int, octets: int) -> list[Octets]:
        """Return text of exactly so many octets, nothing or at least a line's end, that begins with line `begin`."""
        return self.lines.pieces(_cut(self.lines.starts, begin, octets))


class AttachmentPool:
    """Random octets, in base64 already: lines of 76 characters, none of which begins with a dot."""

    __slots__ = ("_encoded", "_octets")

    def __init__(self, rng: random.Random) -> None:
        self._octets = rng.randbytes(LINES * BASE64_OCTETS)
        starts = range(0, len(self._octets), BASE64_OCTETS)
        self._encoded = Block([_base64_line(self._octets[at : at + BASE64_OCTETS]) for at in starts])

    def cut(self, begin: int, octets: int) -> list[Octets]:
        """Return so many octets in base64, beginning with line `begin`; the last line is encoded now."""
        lines, rest = divmod(octets, BASE64_OCTETS)
        blocks, lines = divmod(lines, LINES)
        last = b""
        if rest:
            at = (begin + lines) % LINES * BASE64_OCTETS
            last = _base64_line(self._octets[at : at + rest])
        return self._encoded.pieces(Cut(blocks, begin, begin + lines, last))


def _cut(starts: Sequence[int], begin: int, octets: int) -> Cut:
    """Return which lines of text are so many octets; `starts` says where the block's plain lines begin."""
    if not octets:
        return NO_LINES
    blocks, room = divmod(octets - SHORTEST_LINE, starts[LINES])    # for whole lines; the last is made here
    # Where it ends is no search: cycles are equally long, and so are lines until the dot at the end of theirs.
    cycles, left = divmod(starts[begin] + room, CYCLE_OCTETS)
    lines, fill = divmod(left, LINE_OCTETS)
    return Cut(blocks, begin, CYCLE * cycles + lines, FILL * fill + b"\r\n")


def _line(rng: random.Random, letters: str, number: int) -> bytes:
    """Return one line of text: one in eight begins with a dot, one in 64 is nothing but a dot."""
    if number % CYCLE == CYCLE - 1:
        return LONE_DOT
    # No line begins or ends with a space: gateways of old drop those at the end.
    first = b"." if number % 8 == 7 else b"x"
    if letters.isascii():
        return first + bytes(rng.choices(letters.encode(), k=LINE_OCTETS - 4)) + b"x\r\n"
    text = "".join(rng.choices(letters, k=LINE_OCTETS)).encode()[: LINE_OCTETS - 4]
    whole = text.decode(errors="ignore").encode()       # the cut may have gone through a letter
    return first + whole.ljust(LINE_OCTETS - 4, b"x") + b"x\r\n"


def _base64_line(octets: bytes) -> bytes:
    return b64encode(octets) + b"\r\n"
