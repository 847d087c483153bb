"""Compose the mail data of a run: cheap at send time, the same octets for the same seed.

The text is cut from a block of lines made once, before the run, so composing a message costs a
header and a slice. One line in eight begins with a dot and one in 64 is a lone dot: every
message of some length exercises transparency (RFC 5321 §4.5.2).
"""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import accumulate

from loadgen.message.stamp import ID_FIELD, Stamp, digest_of
from loadgen.wire.transparency import stuff

BLOCK_LINES = 2048
LINE_OCTETS = 72                        # CRLF counted; well under the 78 of RFC 5322 §2.1.1
LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789      "
END_OF_MAIL_DATA = b".\r\n"
SHORTEST_LINE = 2                       # a bare CRLF
FILL = b"y"


@dataclass(frozen=True, slots=True)
class Message:
    """One composed message, ready for the wire."""

    stamp: Stamp
    content_octets: int       # what SIZE declares: line ends counted, stuffing not (RFC 1870 §3)
    mail_data: bytes          # stuffed, ends CRLF.CRLF


class Composer:
    """Make the messages of one run.

    The same (seed, run token, date, arrival, index, addresses, size) gives the same octets. The run token
    tells this run's mail from what an earlier run with the same seed left in a maildrop; it and
    the date have a fixed length, so sizes depend on the seed alone.
    """

    def __init__(self, *, seed: int, run_token: str, date: datetime) -> None:
        rng = random.Random(f"{seed}/text")   # noqa: S311  reproducible is the point
        lines = [_line(rng, number) for number in range(BLOCK_LINES)]
        self._run_token = run_token
        self._date = format_datetime(date).encode("ascii")
        self._plain = Block(lines)
        self._stuffed = Block([stuff(line).removesuffix(END_OF_MAIL_DATA) for line in lines])

    def owns(self, stamp: Stamp) -> bool:
        """Say whether a stamp is of this run."""
        return stamp.message_id.startswith(self._run_token + ".")

    def compose(
        self, arrival: int, index: int, *, reverse_path: str, recipients: tuple[str, ...], size_octets: int
    ) -> Message:
        """Compose message `index` of arrival `arrival`, exactly `size_octets` long where there is room for it.

        A size too small for the header and an identifying line gives just these. The visible To field
        shows the first recipient only: who else gets it is the envelope's matter. An address beyond ASCII
        stands in the header as it is, in UTF-8, which RFC 6532 §3.2 allows: a server that takes its envelope
        takes it.
        """
        message_id = f"{self._run_token}.{arrival}.{index}"
        identifier = message_id.encode("ascii")
        header = (
            b"From: <%s>\r\nTo: <%s>\r\nSubject: mailproof %s\r\nDate: %s\r\n"
            b"Message-ID: <%s@mailproof.invalid>\r\n%s: %s\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        ) % (
            (reverse_path or "postmaster@mailproof.invalid").encode(), recipients[0].encode(), identifier,
            self._date, identifier, ID_FIELD, identifier,
        )
        first = b"Message %s\r\n" % identifier
        left = max(0, size_octets - len(header) - len(first))
        if left < SHORTEST_LINE:                      # too little for a line of its own
            first = b"Message %s%s\r\n" % (identifier, FILL * left)
            left = 0
        blocks, begin, end, fill = self._cut((arrival * 31 + index * 7) % BLOCK_LINES, left)
        plain: tuple[bytes | memoryview, ...] = (first, *self._plain.pieces(blocks, begin, end), fill)
        stuffed = self._stuffed.pieces(blocks, begin, end)
        return Message(
            stamp=Stamp(message_id, digest_of(*plain)),
            content_octets=len(header) + sum(map(len, plain)),
            mail_data=b"".join((header, first, *stuffed, fill, END_OF_MAIL_DATA)),
        )

    def _cut(self, begin: int, octets: int) -> tuple[int, int, int, bytes]:
        """Say what makes text of so many octets: whole blocks, then lines from `begin` to an end, then a last line."""
        if octets == 0:
            return 0, begin, begin, b""
        starts = self._plain.starts
        blocks, rest = divmod(octets, starts[BLOCK_LINES])
        if rest < SHORTEST_LINE:                      # no room for the last line: one block less
            blocks, rest = blocks - 1, rest + starts[BLOCK_LINES]
        # Whole lines as long as a last one of at least its CRLF still fits after them.
        until = starts[begin] + rest - SHORTEST_LINE
        end = bisect_right(starts, until) - 1
        return blocks, begin, end, FILL * (until - starts[end]) + b"\r\n"


class Block:
    """Lines made once, to be cut from without copying.

    They stand twice, so that a cut of up to one block may begin at any of its lines.
    """

    __slots__ = ("_octets", "_once", "starts")

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._octets = memoryview(b"".join(lines) * 2)
        self.starts = [0, *accumulate(map(len, [*lines, *lines]))]      # Invariant: line n is starts[n]:starts[n + 1]
        self._once = self._octets[: self.starts[len(lines)]]

    def pieces(self, blocks: int, begin: int, end: int) -> list[memoryview]:
        """Return that many whole blocks and then the lines from `begin` up to `end`, as views."""
        return [self._once] * blocks + [self._octets[self.starts[begin] : self.starts[end]]]


def _line(rng: random.Random, number: int) -> bytes:
    if number % 64 == 63:
        return b".\r\n"
    # No line begins or ends with a space: gateways of old drop those at the end.
    letters = bytes(rng.choices(LETTERS, k=LINE_OCTETS - 4))
    return (b"." if number % 8 == 7 else b"x") + letters + b"x\r\n"
