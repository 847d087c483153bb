"""Lines made once, before the run, so that composing a message is cutting from them."""

import random
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from loadgen.wire.transparency import stuff

LINES = 2048
LINE_OCTETS = 72                        # CRLF counted; well under the 78 of RFC 5322 §2.1.1
SHORTEST_LINE = 2                       # a bare CRLF
FILL = b"y"
END_OF_MAIL_DATA = b".\r\n"
ASCII = "abcdefghijklmnopqrstuvwxyz0123456789      "
# Two, three and four octets a letter, from several scripts, and a letter with a combining mark.
BEYOND_ASCII = ASCII + "äöüßéèñçøåłğπλωждя" "あ漢字中文한글अ€–" "𝛼😀🚀" "e\u0301"
BASE64_OCTETS = 57                      # that make one line of 76: RFC 2045 §6.8
Octets = bytes | memoryview


class Block:
    """Lines to be cut from without copying.

    They stand twice, so that a cut of up to one block may begin at any of its lines.
    """

    __slots__ = ("_octets", "_once", "starts")

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._octets = memoryview(b"".join(lines) * 2)
        self.starts = [0, *accumulate(map(len, [*lines, *lines]))]      # Invariant: line n is starts[n]:starts[n + 1]
        self._once = self._octets[: self.starts[len(lines)]]

    def pieces(self, blocks: int, begin: int, end: int) -> list[Octets]:
        """Return that many whole blocks and then the lines from `begin` up to `end`, as views."""
        return [*[self._once] * blocks, self._octets[self.starts[begin] : self.starts[end]]]


class Cut(NamedTuple):
    """Which lines a text is made of."""

    blocks: int      # so many whole blocks come first
    begin: int
    end: int         # line `begin` up to here, itself excluded
    fill: bytes      # the last line


NO_TEXT = Cut(0, 0, 0, b"")


class TextPool:
    """Text of any length, dot-led lines in it, of ASCII letters or of others too."""

    __slots__ = ("_plain", "_stuffed")

    def __init__(self, rng: random.Random, letters: str) -> None:
        lines = [_line(rng, letters, number) for number in range(LINES)]
        self._plain = Block(lines)
        self._stuffed = Block([stuff(line).removesuffix(END_OF_MAIL_DATA) for line in lines])

    def cut(self, begin: int, octets: int) -> Cut:
        """Choose text of exactly so many octets, 0 or at least a line's end, that begins with line `begin`."""
        if octets == 0:
            return NO_TEXT
        starts = self._plain.starts
        blocks, rest = divmod(octets, starts[LINES])
        if rest < SHORTEST_LINE:                      # no room for the last line: one block less
            blocks, rest = blocks - 1, rest + starts[LINES]
        # Whole lines as long as a last one of at least its CRLF still fits after them.
        until = starts[begin] + rest - SHORTEST_LINE
        end = bisect_right(starts, until) - 1
        return Cut(blocks, begin, end, FILL * (until - starts[end]) + b"\r\n")

    def plain(self, cut: Cut) -> list[Octets]:
        """Return the octets as they are."""
        return [*self._plain.pieces(cut.blocks, cut.begin, cut.end), cut.fill]

    def stuffed(self, cut: Cut) -> list[Octets]:
        """Return the octets as transparency has them on the wire (RFC 5321 §4.5.2)."""
        return [*self._stuffed.pieces(cut.blocks, cut.begin, cut.end), cut.fill]


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
        pieces = self._encoded.pieces(blocks, begin, begin + lines)
        if rest:
            at = (begin + lines) % LINES * BASE64_OCTETS
            pieces.append(_base64_line(self._octets[at : at + rest]))
        return pieces


def _line(rng: random.Random, letters: str, number: int) -> bytes:
    """Return one line of text: one in eight begins with a dot, one in 64 is nothing but a dot."""
    if number % 64 == 63:
        return b".\r\n"
    # No line begins or ends with a space: gateways of old drop those at the end.
    first = b"." if number % 8 == 7 else b"x"
    if letters.isascii():
        return first + bytes(rng.choices(letters.encode(), k=LINE_OCTETS - 4)) + b"x\r\n"
    text = "".join(rng.choices(letters, k=LINE_OCTETS)).encode()[: LINE_OCTETS - 4]
    whole = text.decode(errors="ignore").encode()       # the cut may have gone through a letter
    return first + whole.ljust(LINE_OCTETS - 4, b"x") + b"x\r\n"


def _base64_line(octets: bytes) -> bytes:
    return b64encode(octets) + b"\r\n"
