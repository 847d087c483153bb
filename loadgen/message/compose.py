"""Compose the mail data of a run: cheap at send time, the same octets for the same seed.

Text and attachments are cut from blocks of lines made once, before the run, so composing a message costs a
header and some slices. One line of text in eight begins with a dot and one in 64 is a lone dot: every
message of some length exercises transparency (RFC 5321 §4.5.2).
"""

import random
from datetime import datetime
from email.utils import format_datetime
from typing import Final

import msgspec

from loadgen.message.header import PLAIN_TEXT, UTF8_TEXT, correspondents, header_section, identity
from loadgen.message.multipart import after_text, before_text, boundary_of, content_fields
from loadgen.message.pool import (
    ASCII,
    BEYOND_ASCII,
    END_OF_MAIL_DATA,
    FILL,
    LINES,
    SHORTEST_LINE,
    AttachmentPool,
    Octets,
    TextPool,
)
from loadgen.message.stamp import DIGEST_OCTETS, Stamp, digest_of
from loadgen.scenario.content import TEXT, Body, Multipart
from loadgen.scenario.corpus import Sample
from loadgen.transport.conversation import Pieces
from loadgen.wire.transparency import stuff

JOINED_MAX_OCTETS: Final = 16_384     # what is larger is sent from where its pieces lie: to copy it costs as much
PIECES_MAX: Final = 64


class Message(msgspec.Struct, frozen=True):
    """One composed message, ready for the wire."""

    stamp: Stamp
    content_octets: int       # what SIZE declares: line ends counted, stuffing not (RFC 1870 §3)
    pieces: Pieces            # of the mail data; one if it is small: to join these costs less than to send them so
    eight_bit: bool           # the body needs 8BITMIME (RFC 6152 §3)
    utf8_header: bool         # the header section needs SMTPUTF8 (RFC 6531 §3.6)

    @property
    def mail_data(self) -> bytes:
        """Return the mail data: stuffed, ends CRLF.CRLF. Joined at each call."""
        return b"".join(self.pieces)

    @property
    def mail_octets(self) -> int:
        """Return the length of the mail data."""
        return sum(map(len, self.pieces))


class _Prepared(msgspec.Struct, frozen=True):
    """A message of a corpus, all of it that is the same whenever it is sent."""

    header: bytes
    stuffed: bytes            # the body, ended by CRLF.CRLF
    digest: bytes
    octets: int               # of header and body
    eight_bit: bool
    utf8_header: bool


class Composer:
    """Make the messages of one run.

    The same (seed, run token, date, arrival, index, addresses, size, body) gives the same octets. The run token
    tells this run's mail from what an earlier run with the same seed left in a maildrop; it and
    the date have a fixed length, so sizes depend on the seed alone. If nobody is going to compare digests with what
    arrives, none are made (`digests`): of a message of 100 KiB they cost more than everything else.
    """

    def __init__(self, *, seed: int, run_token: str, date: datetime, digests: bool = True) -> None:
        self._run_token = run_token
        self._digests = digests
        self._blank_digest = bytes(DIGEST_OCTETS) if digests else b""
        self._date = format_datetime(date).encode("ascii")
        self._ascii = TextPool(random.Random(f"{seed}/text"), ASCII)   # noqa: S311  reproducible is the point
        self._beyond_ascii = TextPool(random.Random(f"{seed}/utf-8"), BEYOND_ASCII)   # noqa: S311
        self._attachments = AttachmentPool(random.Random(f"{seed}/attachments"))   # noqa: S311
        self._prepared: dict[str, _Prepared] = {}      # by file; no more of them than the corpus has

    def compose(
        self, arrival: int, index: int, *, reverse_path: str, recipients: tuple[str, ...], size_octets: int,
        hidden: int = 0, body: Body = TEXT,
    ) -> Message:  # fmt: skip
        """Compose message `index` of arrival `arrival`, exactly `size_octets` long where there is room for it.

        A size too small for the header, an identifying line and the attachments gives just these; a message of a
        corpus has the size it has. The last `hidden` of the recipients are in no header field: Bcc is an
        envelope matter (RFC 5322 §3.6.3).
        """
        message_id = f"{self._run_token}.{arrival}.{index}"
        if isinstance(body, Sample):
            return self._of_corpus(message_id, body)
        identifier = message_id.encode("ascii")
        visible = recipients[: len(recipients) - hidden] if hidden else recipients
        turn = arrival * 31 + index * 7
        pool, before, in_utf8 = self._ascii, b"", False
        after: list[Octets] = []
        if isinstance(body, Multipart):
            boundary = boundary_of(identifier)
            fields, before = content_fields(boundary), before_text(boundary)
            after = after_text(boundary, self._encoded(turn, body.attachments_octets))
        elif body.kind == "text":
            fields = PLAIN_TEXT
        else:
            fields, pool, in_utf8 = UTF8_TEXT, self._beyond_ascii, body.kind == "smtputf8"
        first_fields = correspondents(reverse_path, visible, in_utf8=in_utf8)
        blank = self._blank_digest          # the header's length counts before there is a digest to put into it
        header = header_section(first_fields, identifier, blank, self._date, fields)
        first = b"Message %s\r\n" % identifier
        around = len(before) + sum(map(len, after))
        left = max(0, size_octets - len(header) - len(first) - around)
        if left < SHORTEST_LINE:                      # too little for a line of its own
            first = b"Message %s%s\r\n" % (identifier, FILL * left)
            left = 0
        cut = pool.cut(turn % LINES, left)
        digest = b""
        if self._digests:
            digest = digest_of(before, first, *pool.plain(cut), *after)
            header = header_section(first_fields, identifier, digest, self._date, fields)
        return Message(
            Stamp(message_id, digest),
            len(header) + len(first) + left + around,
            _together((header, before, first, *pool.stuffed(cut), *after, END_OF_MAIL_DATA)),
            pool is self._beyond_ascii,
            not header.isascii(),
        )

    def _encoded(self, turn: int, attachments_octets: tuple[int, ...]) -> list[list[Octets]]:
        """Return attachments of so many octets in base64, each cut from another place."""
        return [self._attachments.cut((turn + 13 * n) % LINES, octets) for n, octets in enumerate(attachments_octets)]

    def _of_corpus(self, message_id: str, sample: Sample) -> Message:
        prepared = self._prepared.get(sample.file)
        if prepared is None:
            prepared = self._prepared[sample.file] = _prepare(sample)
        ours = identity(message_id.encode("ascii"), prepared.digest if self._digests else b"")
        return Message(
            stamp=Stamp(message_id, prepared.digest),
            content_octets=len(ours) + prepared.octets,
            pieces=_together((ours, prepared.header, prepared.stuffed)),
            eight_bit=prepared.eight_bit,
            utf8_header=prepared.utf8_header,
        )


def _together(pieces: Pieces) -> Pieces:
    """Join what is small, or in very many pieces: a system call takes 1,024."""
    if len(pieces) <= PIECES_MAX and sum(map(len, pieces)) > JOINED_MAX_OCTETS:
        return pieces
    return (b"".join(pieces),)


def _prepare(sample: Sample) -> _Prepared:
    header = sample.header + b"\r\n"
    return _Prepared(
        header=header,
        stuffed=stuff(sample.body),
        digest=digest_of(sample.body),
        octets=len(header) + len(sample.body),
        eight_bit=not sample.body.isascii(),
        utf8_header=not header.isascii(),
    )
