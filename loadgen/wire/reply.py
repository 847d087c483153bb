"""SMTP replies: an instrument, not a parser. It frames everything, repairs nothing, records what deviates."""

import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Final

from loadgen.wire.deviation import Deviation
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.framing import LineFramer


class ReplyClass(IntEnum):
    """The first digit, by its name in RFC 5321 §4.2.1."""

    UNDEFINED = 0  # 0yz, 6yz-9yz, or no code at all
    PRELIMINARY = 1  # RFC 821's; RFC 5321 has none, and its grammar allows none
    POSITIVE_COMPLETION = 2
    POSITIVE_INTERMEDIATE = 3
    TRANSIENT_NEGATIVE = 4
    PERMANENT_NEGATIVE = 5


# By code: looked up for every reply, and an enum's member by its name costs more than everything else here.
_CLASSES: Final = tuple([ReplyClass(code // 100) if code < 600 else ReplyClass.UNDEFINED for code in range(1000)])


@dataclass(frozen=True, slots=True)
class EnhancedStatus:
    """An enhanced status code (RFC 3463 §2). Its class may disagree with the reply's: a case says so."""

    status_class: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.status_class}.{self.subject}.{self.detail}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as received.

    `code` is the last line's, the one that ended the reply (0: that line had no three digits). `texts` has
    what followed code and separator, line by line. Each deviation is named once, in the order met.
    """

    code: int
    texts: tuple[bytes, ...]
    octets: bytes  # Invariant: the octets of successive replies, joined, are the octets fed.
    deviations: tuple[Deviation, ...] = ()
    reply_class: ReplyClass = field(init=False, repr=False, compare=False)  # what the first digit means
    positive: bool = field(init=False, repr=False, compare=False)  # 2yz
    # What tells it from others in a count: its code and its enhanced status code, as text.
    counted_as: tuple[str, str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reply_class", _CLASSES[self.code])
        object.__setattr__(self, "positive", 200 <= self.code < 300)
        object.__setattr__(self, "counted_as", (str(self.code), _enhanced_text(self.texts[0].partition(b" ")[0])))

    @property
    def evidence(self) -> bytes:
        """Return the octets that deviate."""
        return self.octets

    @property
    def text(self) -> bytes:
        """Return the first line's text."""
        return self.texts[0]

    @property
    def enhanced(self) -> EnhancedStatus | None:
        """Return the enhanced status code the text begins with, if any (RFC 2034 §3)."""
        return _enhanced_status(self.texts[0].partition(b" ")[0])


# status-code = class "." subject "." detail; no leading zeros (RFC 3463 §2)
_STATUS: Final = re.compile(rb"([245])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")


@lru_cache(maxsize=256)
def _enhanced_status(word: bytes) -> EnhancedStatus | None:
    found = _STATUS.fullmatch(word)
    return EnhancedStatus(*map(int, found.groups())) if found else None


@lru_cache(maxsize=256)
def _enhanced_text(word: bytes) -> str | None:
    enhanced = _enhanced_status(word)
    return None if enhanced is None else str(enhanced)


class Expect(IntEnum):
    """Where in a reply the next line falls."""

    FIRST_LINE = 0
    MORE_LINES = 1


class AfterCode(IntEnum):
    """What stands after the three digits."""

    HYPHEN = 0
    SPACE = 1
    NOTHING = 2
    OTHER = 3
    NO_CODE = 4  # there are no three digits to stand after


class Then(IntEnum):
    """Whether the line ends its reply."""

    KEEP = 0
    EMIT = 1


# Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF   (RFC 5321 §4.2)
REPLY_LINE: Final = {
    # expecting          after the code       now expect         and        recorded
    (Expect.FIRST_LINE, AfterCode.HYPHEN): (Expect.MORE_LINES, Then.KEEP, None),
    (Expect.FIRST_LINE, AfterCode.SPACE): (Expect.FIRST_LINE, Then.EMIT, None),
    (Expect.FIRST_LINE, AfterCode.NOTHING): (Expect.FIRST_LINE, Then.EMIT, None),  # clients MUST cope: §4.2.1
    (Expect.FIRST_LINE, AfterCode.OTHER): (Expect.FIRST_LINE, Then.EMIT, Deviation.BAD_SEPARATOR),
    (Expect.FIRST_LINE, AfterCode.NO_CODE): (Expect.FIRST_LINE, Then.EMIT, Deviation.BAD_CODE),
    (Expect.MORE_LINES, AfterCode.HYPHEN): (Expect.MORE_LINES, Then.KEEP, None),
    (Expect.MORE_LINES, AfterCode.SPACE): (Expect.FIRST_LINE, Then.EMIT, None),
    (Expect.MORE_LINES, AfterCode.NOTHING): (Expect.FIRST_LINE, Then.EMIT, None),
    (Expect.MORE_LINES, AfterCode.OTHER): (Expect.FIRST_LINE, Then.EMIT, Deviation.BAD_SEPARATOR),
    # Garbage amid a reply says neither "last" nor "more": the hyphen before it does, and a last line must
    # come.
    (Expect.MORE_LINES, AfterCode.NO_CODE): (Expect.MORE_LINES, Then.KEEP, Deviation.BAD_CODE),
}

# What the octets of a line must not be, each with its name. textstring = 1*(%d09 / %d32-126)   (RFC 5321
# §4.2)
DEVIANT_OCTETS: Final = (
    (re.compile(rb"(?<!\r)\n"), Deviation.BARE_LF),
    (re.compile(rb"\r(?!\n)"), Deviation.BARE_CR),
    (re.compile(rb"\x00"), Deviation.NUL),
    (re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]"), Deviation.CONTROL),
    (re.compile(rb"[\x80-\xff]"), Deviation.NON_ASCII),
)

_CODE: Final = re.compile(rb"[0-9]{3}")
_AFTER: Final = {b"-": AfterCode.HYPHEN, b" ": AfterCode.SPACE, b"": AfterCode.NOTHING}

# Reply-code = %x32-35 %x30-35 %x30-39   (RFC 5321 §4.2)
_LAWFUL_CODE: Final = re.compile(rb"[2-5][0-5][0-9]")

# Reply-line as above, the code the same on every line (§4.2.1): what most replies are, read in one match.
_LAWFUL_REPLY: Final = re.compile(rb"([2-5][0-5][0-9])(?:-[\t -~]*\r\n\1)*(?: [\t -~]*)?\r\n")

# Lines and replies repeat: "250 2.1.0 Ok" comes a million times in a run. These are memos of pure functions
# over immutable values, bounded in entries and in octets; nothing else in wire outlives a machine.
_MEMO_ENTRIES: Final = 128
USUAL_OCTETS: Final = 512      # what is longer is read afresh each time


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One line of a reply, read on its own."""

    code: int
    after_code: AfterCode
    text: bytes
    deviations: tuple[Deviation, ...]


def deviant_octets(octets: bytes) -> tuple[Deviation, ...]:
    """Return the names of what a line's octets, its ending included, hold beyond textstring."""
    return tuple(deviation for pattern, deviation in DEVIANT_OCTETS if pattern.search(octets))


def read_line(octets: bytes) -> ReplyLine:
    """Read one line, its ending included, as a line of a reply. Anything is a line of some kind."""
    content = octets[:-2] if octets.endswith(b"\r\n") else octets[:-1]
    deviations = deviant_octets(octets)
    if not _CODE.match(content):
        return ReplyLine(0, AfterCode.NO_CODE, content, deviations)
    if not _LAWFUL_CODE.match(content):
        deviations = (*deviations, Deviation.BAD_CODE)
    after_code = _AFTER.get(content[3:4], AfterCode.OTHER)
    text = content[3:] if after_code is AfterCode.OTHER else content[4:]
    return ReplyLine(int(content[:3]), after_code, text, deviations)


_read_line_memo: Final = lru_cache(maxsize=_MEMO_ENTRIES)(read_line)


@lru_cache(maxsize=_MEMO_ENTRIES)
def lawful_reply(octets: bytes) -> Reply | None:
    """Return the one reply these octets are by the grammar; None: they are something else, or not whole."""
    found = _LAWFUL_REPLY.fullmatch(octets)
    if found is None:
        return None
    return Reply(int(found[1]), tuple([line[4:] for line in octets[:-2].split(b"\r\n")]), octets)


class ReplyReader:
    """Frame replies from octets, wherever TCP cut them.

    `max_line` is where OVER_LONG begins. The bounds beyond which there is no reply to be had, and only these,
    raise RemoteProtocolError: a line above `hard_limit_octets`, a reply above `max_lines` or `max_octets`.
    """

    __slots__ = (
        "_expect", "_framer", "_lines", "_max_line", "_max_lines", "_max_octets", "_octets", "_whole_max",
        "has_pending",
    )  # fmt: skip

    def __init__(
        self,
        max_line: int = 512,
        *,
        hard_limit_octets: int = 65536,
        max_lines: int = 4096,
        max_octets: int = 1 << 20,
    ) -> None:
        self._framer = LineFramer(max_line, hard_limit_octets)
        self._whole_max = min(USUAL_OCTETS, max_line, hard_limit_octets)
        self.has_pending = False  # says whether anything was fed that is part of no reply given out yet
        self._max_line = max_line
        self._max_lines = max_lines
        self._max_octets = max_octets
        self._expect = Expect.FIRST_LINE
        self._lines: list[tuple[ReplyLine, bytes, Deviation | None]] = []
        self._octets = 0

    def feed(self, octets: bytes) -> None:
        """Append what was received."""
        self._framer.feed(octets)
        self.has_pending = True

    @property
    def pending(self) -> bytes:
        """Return what was fed and is part of no reply given out yet."""
        return b"".join(octets for _, octets, _ in self._lines) + self._framer.pending

    def next_reply(self, octets: bytes = b"") -> Reply | None:
        """Feed octets, if there are any, and take the next reply, or None while its last line has not ended."""
        if octets:
            # Most often one whole lawful reply comes at a time, behind nothing: no framer is needed then.
            if not self.has_pending and len(octets) <= self._whole_max:
                reply = lawful_reply(octets)
                if reply is not None:
                    return reply
            self.feed(octets)
        if not self.has_pending:
            return None
        reply = self._next_framed()
        self.has_pending = bool(self._lines) or self._framer.pending_octets > 0
        return reply

    def _next_framed(self) -> Reply | None:
        while (octets := self._framer.next_octets()) is not None:
            if not self._lines and len(octets) <= self._max_line:
                reply = self._try_lawful(octets)
                if reply is not None:
                    return reply
            line = _read_line_memo(octets) if len(octets) <= USUAL_OCTETS else read_line(octets)
            self._expect, then, recorded = REPLY_LINE[self._expect, line.after_code]
            self._lines.append((line, octets, recorded))
            self._octets += len(octets)
            if then is Then.EMIT:
                return self._emit()
            self._refuse_endless()
        return None

    def _try_lawful(self, octets: bytes) -> Reply | None:
        """Return the reply that begins with this line if it has arrived whole and is by the grammar."""
        if octets[3:4] != b"-":
            return lawful_reply(octets) if len(octets) <= USUAL_OCTETS else None
        if self._framer.pending_octets > self._whole_max:
            return None
        reply = lawful_reply(octets + self._framer.pending)
        if reply is not None:
            self._framer.take_pending()
        return reply

    def _emit(self) -> Reply:
        lines, self._lines, self._octets = self._lines, [], 0
        deviations: dict[Deviation, None] = {}  # ordered, each once
        first_code: int | None = None
        for line, octets, recorded in lines:
            deviations.update(dict.fromkeys(line.deviations))
            if recorded is not None:
                deviations[recorded] = None
            if len(octets) > self._max_line:
                deviations[Deviation.OVER_LONG] = None
            if line.after_code is not AfterCode.NO_CODE:
                if first_code is None:
                    first_code = line.code
                elif line.code != first_code:
                    deviations[Deviation.CHANGED_CODE] = None
        return Reply(
            lines[-1][0].code,
            tuple([line.text for line, _, _ in lines]),
            b"".join([octets for _, octets, _ in lines]),
            tuple(deviations),
        )

    def _refuse_endless(self) -> None:
        if len(self._lines) >= self._max_lines or self._octets > self._max_octets:
            raise RemoteProtocolError(
                f"a reply without a last line within {self._max_lines} lines and {self._max_octets} octets",
                octets=self._lines[-1][1],
                section="RFC 5321 §4.2.1",
            )
