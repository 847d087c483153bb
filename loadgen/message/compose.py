"""Compose the mail data of a run: cheap at send time, the same octets for the same seed.

The text is cut from a block of lines made once, before the run, so composing a message costs a
header and a slice. One line in eight begins with a dot and one in 64 is a lone dot: every
message of some length exercises transparency (RFC 5321 §4.5.2).
"""

import random
from bisect import bisect_right
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


@dataclass(frozen=True, slots=True)
class Message:
    """One composed message, ready for the wire."""

    stamp: Stamp
    content_octets: int       # what SIZE declares: line ends counted, stuffing not (RFC 1870 §3)
    mail_data: bytes          # stuffed, ends CRLF.CRLF


class Composer:
    """Make the messages of one run.

    The same (seed, run token, date, arrival, index, size) gives the same octets. The run token
    tells this run's mail from what an earlier run with the same seed left in a maildrop; it and
    the date have a fixed length, so sizes depend on the seed alone.
    """

    def __init__(self, *, seed: int, run_token: str, date: datetime) -> None:
        rng = random.Random(f"{seed}/text")   # noqa: S311  reproducible is the point
        lines = [_line(rng, number) for number in range(BLOCK_LINES)]
        stuffed = [stuff(line).removesuffix(END_OF_MAIL_DATA) for line in lines]
        self._run_token = run_token
        self._date = format_datetime(date).encode("ascii")
        self._block_octets = sum(map(len, lines))
        # The block stands twice, so that a cut of up to one block may begin at any of its lines.
        # Invariant: line n of _plain starts at _plain_starts[n] and, stuffed, at _stuffed_starts[n].
        self._plain = b"".join(lines) * 2
        self._plain_starts = [0, *accumulate(map(len, lines * 2))]
        self._stuffed = b"".join(stuffed) * 2
        self._stuffed_starts = [0, *accumulate(map(len, stuffed * 2))]

    def owns(self, stamp: Stamp) -> bool:
        """Say whether a stamp is of this run."""
        return stamp.message_id.startswith(self._run_token + ".")

    def compose(
        self, arrival: int, index: int, *, reverse_path: str, recipients: tuple[str, ...], size_octets: int
    ) -> Message:
        """Compose message `index` of arrival `arrival`, about `size_octets` long.

        A size smaller than the header gives the header and an identifying line; otherwise the
        content has exactly the size asked for. The visible To field shows the first recipient
        only: who else gets it is the envelope's matter.
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
        plain, stuffed = self._text(arrival, index, size_octets - len(header) - len(first))
        body = first + plain
        return Message(
            stamp=Stamp(message_id, digest_of(body)),
            content_octets=len(header) + len(body),
            mail_data=b"".join((header, first, stuffed, END_OF_MAIL_DATA)),
        )

    def _text(self, arrival: int, index: int, octets: int) -> tuple[bytes, bytes]:
        """Return `octets` octets of lines, as they are and stuffed; nothing if a line end would not fit."""
        if octets < SHORTEST_LINE:
            return b"", b""
        blocks, rest = divmod(octets, self._block_octets)
        if rest < SHORTEST_LINE and blocks:
            blocks, rest = blocks - 1, rest + self._block_octets
        first = (arrival * 31 + index * 7) % BLOCK_LINES
        start = self._plain_starts[first]
        # Whole lines as long as a last one of at least its CRLF still fits after them.
        last = bisect_right(self._plain_starts, start + rest - SHORTEST_LINE) - 1
        end = self._plain_starts[last]
        tail = b"y" * (start + rest - end - SHORTEST_LINE) + b"\r\n"
        stuffed_block = self._stuffed[: self._stuffed_starts[BLOCK_LINES]]
        plain = self._plain[: self._block_octets] * blocks + self._plain[start:end] + tail
        cut = self._stuffed[self._stuffed_starts[first] : self._stuffed_starts[last]]
        return plain, stuffed_block * blocks + cut + tail


def _line(rng: random.Random, number: int) -> bytes:
    if number % 64 == 63:
        return b".\r\n"
    # No line begins or ends with a space: gateways of old drop those at the end.
    letters = bytes(rng.choices(LETTERS, k=LINE_OCTETS - 4))
    return (b"." if number % 8 == 7 else b"x") + letters + b"x\r\n"
