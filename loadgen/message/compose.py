"""Compose the mail data of a run: cheap at send time, the same octets for the same seed.

Text and attachments are cut from blocks of lines made once, before the run, so composing a message costs a
header and some slices. One line of text in eight begins with a dot and one in 64 is a lone dot: every
message of some length exercises transparency (RFC 5321 §4.5.2).
"""

import random
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Final

import msgspec

from loadgen.message.header import (
    DIGEST_FIELD_OCTETS,
    LINE_END,
    OUR_ID,
    PLAIN_TEXT,
    UTF8_TEXT,
    dated,
    digest_field,
    end_of_header,
    identity,
    opening,
    opening_to_one,
)
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
from loadgen.message.stamp import Stamp, digest_of
from loadgen.scenario.content import TEXT, Body, Multipart, Plain, PlainKind
from loadgen.scenario.corpus import Sample
from loadgen.transport.conversation import Pieces
from loadgen.wire.transparency import stuff

JOINED_MAX_OCTETS: Final = 16_384     # what is larger is sent from where its pieces lie: to copy it costs as much
PIECES_MAX: Final = 64
MESSAGE: Final = b"Message "          # what the line begins with that tells our id again, first of the text


class Message(msgspec.Struct, frozen=True, gc=False):
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


class _Frame(msgspec.Struct, frozen=True, gc=False):
    """What a message has around its text, and where the text is cut from."""

    pool: TextPool
    header_end: bytes
    before: bytes             # in the body
    after: Sequence[Octets]
    around: bytes             # all between the last id of the header and the one in the body, but the digest
    octets: int               # of all but the text
    in_utf8: bool             # the header section, too


class _Prepared(msgspec.Struct, frozen=True, gc=False):
    """A message of a corpus, all of it that is the same whenever it is sent."""

    header: bytes             # with the empty line
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
        self._dated = dated(format_datetime(date))
        self._digests = digests
        self._around_ids = len(self._dated) + len(OUR_ID) + (DIGEST_FIELD_OCTETS if digests else 0)
        self._ascii = TextPool(random.Random(f"{seed}/text"), ASCII)   # noqa: S311  reproducible is the point
        self._beyond_ascii = TextPool(random.Random(f"{seed}/utf-8"), BEYOND_ASCII)   # noqa: S311
        self._attachments = AttachmentPool(random.Random(f"{seed}/attachments"))   # noqa: S311
        self._texts: dict[PlainKind, _Frame] = {
            "text": _framed(self._ascii, PLAIN_TEXT),
            "8bit": _framed(self._beyond_ascii, UTF8_TEXT),
            "smtputf8": _framed(self._beyond_ascii, UTF8_TEXT, in_utf8=True),
        }
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
        identifier = message_id.encode("ascii")
        turn = arrival * 31 + index * 7
        if isinstance(body, Plain):
            frame = self._texts[body.kind]
        elif isinstance(body, Multipart):
            frame = self._multipart(identifier, turn, body.attachments_octets)
        else:
            return self._of_corpus(message_id, identifier, body)
        visible = recipients[: len(recipients) - hidden] if hidden else recipients
        opened = opening_to_one if len(visible) == 1 else opening
        beginning = opened(reverse_path, visible, in_utf8=frame.in_utf8)
        octets = len(beginning) + 4 * len(identifier) + self._around_ids + frame.octets
        left = size_octets - octets
        pool = frame.pool
        if left >= SHORTEST_LINE:
            octets, filled = size_octets, LINE_END
        else:                                         # too little for a line of its own
            octets, filled, left = max(octets, size_octets), FILL * left + LINE_END, 0
        digest, around = b"", frame.around
        if self._digests:
            digest = digest_of(frame.before, MESSAGE, identifier, filled, *pool.plain(turn % LINES, left), *frame.after)
            around = b"".join((LINE_END, digest_field(digest), frame.header_end, frame.before, MESSAGE))
        # Our id stands four times in what comes before the text.
        before = identifier.join((beginning, self._dated, OUR_ID, around, filled))
        return Message(
            Stamp(message_id, digest),
            octets,
            _together((before, *pool.stuffed(turn % LINES, left), *frame.after, END_OF_MAIL_DATA), octets),
            pool is self._beyond_ascii,
            not beginning.isascii(),
        )

    def _multipart(self, identifier: bytes, turn: int, attachments_octets: tuple[int, ...]) -> _Frame:
        """Return what stands around the text of a message with attachments, each cut from another place."""
        boundary = boundary_of(identifier)
        attachments = [
            self._attachments.cut((turn + 13 * n) % LINES, octets) for n, octets in enumerate(attachments_octets)
        ]
        after = after_text(boundary, attachments)
        return _framed(self._ascii, content_fields(boundary), before_text(boundary), after)

    def _of_corpus(self, message_id: str, identifier: bytes, sample: Sample) -> Message:
        prepared = self._prepared.get(sample.file)
        if prepared is None:
            prepared = self._prepared[sample.file] = _prepare(sample)
        ours = identity(identifier)
        if self._digests:
            ours += digest_field(prepared.digest)
        octets = len(ours) + prepared.octets
        return Message(
            Stamp(message_id, prepared.digest),
            octets,
            _together((ours, prepared.header, prepared.stuffed), octets),
            prepared.eight_bit,
            prepared.utf8_header,
        )


def _framed(
    pool: TextPool, content: bytes, before: bytes = b"", after: Sequence[Octets] = (), *, in_utf8: bool = False
) -> _Frame:
    header_end = end_of_header(content)
    around = b"".join((LINE_END, header_end, before, MESSAGE))
    octets = len(around) + len(LINE_END) + sum(map(len, after))
    return _Frame(pool, header_end, before, after, around, octets, in_utf8)


def _together(pieces: Pieces, octets: int) -> Pieces:
    """Join what is small, of so many octets, or in very many pieces: a system call takes 1,024."""
    if octets > JOINED_MAX_OCTETS and len(pieces) <= PIECES_MAX:
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
