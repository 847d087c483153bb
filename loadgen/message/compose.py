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
)
from loadgen.message.multipart import after_text, before_text, boundary_of, content_fields
from loadgen.message.pool import (
    ASCII,
    BEGINNINGS,
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
LETTERS_MAX: Final = 4096            # held for a recipient each, some 1,000 octets: a run says the same over and over
FIRST_WORD: Final = b"Message "      # of the text; our id follows
IDS: Final = 4                       # so many times it stands before the text


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


class Letter(msgspec.Struct, frozen=True, gc=False):
    """A message to somebody, all of it that is the same whatever its id."""

    pool: TextPool            # what its text is cut from
    header_end: bytes
    body_begin: bytes
    joined: tuple[bytes, ...]      # by our id: all before the text, without a digest
    after: Sequence[Octets]
    octets: int               # of all but the ids and the text
    eight_bit: bool
    utf8_header: bool


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
        self.run_token = run_token
        self._dated = dated(format_datetime(date))
        self.digests = digests
        self._digest_octets = DIGEST_FIELD_OCTETS if digests else 0
        self._ascii = TextPool(random.Random(f"{seed}/text"), ASCII)   # noqa: S311  reproducible is the point
        self._beyond_ascii = TextPool(random.Random(f"{seed}/utf-8"), BEYOND_ASCII)   # noqa: S311
        self._attachments = AttachmentPool(random.Random(f"{seed}/attachments"))   # noqa: S311
        self._pools: dict[PlainKind, TextPool] = {
            "text": self._ascii, "8bit": self._beyond_ascii, "smtputf8": self._beyond_ascii
        }  # fmt: skip
        self._letters: dict[tuple[str, tuple[str, ...], PlainKind], Letter] = {}
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
        message_id = f"{self.run_token}.{arrival}.{index}"
        identifier = message_id.encode("ascii")
        turn = arrival * 31 + index * 7
        visible = recipients[: len(recipients) - hidden] if hidden else recipients
        if isinstance(body, Plain):
            letter = self._letters.get((reverse_path, visible, body.kind)) or self._text(
                reverse_path, visible, body.kind
            )
        elif isinstance(body, Multipart):
            letter = self._multipart(reverse_path, visible, identifier, turn, body.attachments_octets)
        else:
            return self._of_corpus(message_id, identifier, body)
        joined, octets = letter.joined, letter.octets + IDS * len(identifier)
        left = size_octets - octets
        if left >= SHORTEST_LINE:
            octets = size_octets
        else:                                         # too little for a line of its own
            joined = (*joined[:-1], FILL * left + LINE_END)
            octets, left = max(octets, size_octets), 0
        digest = b""
        if self.digests:
            text = letter.pool.plain(turn % BEGINNINGS, left)
            digest = digest_of(letter.body_begin, identifier, joined[-1], *text, *letter.after)
            marked = b"".join((LINE_END, digest_field(digest), letter.header_end, letter.body_begin))
            joined = (*joined[:-2], marked, joined[-1])
        pieces = (
            identifier.join(joined), *letter.pool.stuffed(turn % BEGINNINGS, left), *letter.after, END_OF_MAIL_DATA
        )  # fmt: skip
        return Message(
            Stamp(message_id, digest), octets, _together(pieces, octets), letter.eight_bit, letter.utf8_header
        )

    def _text(self, reverse_path: str, visible: tuple[str, ...], kind: PlainKind) -> Letter:
        letter = self.letter(reverse_path, visible, kind)
        if len(visible) == 1 and len(self._letters) < LETTERS_MAX:
            self._letters[reverse_path, visible, kind] = letter
        return letter

    def letter(
        self, reverse_path: str, visible: tuple[str, ...], kind: PlainKind, content: bytes | None = None,
        before: bytes = b"", after: Sequence[Octets] = (),
    ) -> Letter:  # fmt: skip
        """Return a letter of a text, or of what stands around it in a body of this `content`."""
        pool = self._pools[kind]
        begin = opening(reverse_path, visible, in_utf8=kind == "smtputf8")
        header_end = end_of_header(content or (PLAIN_TEXT if kind == "text" else UTF8_TEXT))
        body_begin = before + FIRST_WORD
        joined = (begin, self._dated, OUR_ID, b"".join((LINE_END, header_end, body_begin)), LINE_END)
        octets = sum(map(len, (*joined, *after))) + self._digest_octets
        eight_bit, utf8_header = pool is self._beyond_ascii, not begin.isascii()
        return Letter(pool, header_end, body_begin, joined, after, octets, eight_bit, utf8_header)

    def _multipart(
        self, reverse_path: str, visible: tuple[str, ...], identifier: bytes, turn: int,
        attachments_octets: tuple[int, ...],
    ) -> Letter:  # fmt: skip
        """Return a letter of text and attachments, each cut from another place."""
        boundary = boundary_of(identifier)
        attachments = [
            self._attachments.cut((turn + 13 * n) % LINES, octets) for n, octets in enumerate(attachments_octets)
        ]
        after = after_text(boundary, attachments)
        return self.letter(reverse_path, visible, "text", content_fields(boundary), before_text(boundary), after)

    def _of_corpus(self, message_id: str, identifier: bytes, sample: Sample) -> Message:
        prepared = self._prepared.get(sample.file)
        if prepared is None:
            prepared = self._prepared[sample.file] = _prepare(sample)
        ours = identity(identifier)
        if self.digests:
            ours += digest_field(prepared.digest)
        octets = len(ours) + prepared.octets
        return Message(
            Stamp(message_id, prepared.digest),
            octets,
            _together((ours, prepared.header, prepared.stuffed), octets),
            prepared.eight_bit,
            prepared.utf8_header,
        )


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
