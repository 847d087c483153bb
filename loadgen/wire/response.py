"""POP3 responses: a status line and, for some commands, the lines that follow. Framed, never repaired."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from loadgen.wire.deviation import Deviation
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.framing import LineFramer
from loadgen.wire.reply import deviant_octets
from loadgen.wire.transparency import unstuff, unstuff_noting

LINE_END: Final = b"\r\n"
END_OF_LINES: Final = b"\r\n.\r\n"
_OK: Final = ("+OK", None)


@dataclass(frozen=True, slots=True)
class Response:
    """One response as received.

    `text` is everything behind the indicator and its space, response code included; of a challenge, its
    base64. `code` is the response code the text begins with, without its brackets: b"IN-USE", b"SYS/TEMP"
    (RFC 2449 §8, RFC 3206); without the RESP-CODES capability brackets may be mere text. `body` is the
    content of a multi-line response, unstuffed; None where there is none.
    """

    ok: bool
    code: bytes | None
    text: bytes
    body: bytes | None
    octets_received: int  # of the whole response as it came: status line, body with its stuffing, last line
    deviations: tuple[Deviation, ...] = ()
    continues: bool = False  # neither +OK nor -ERR: a challenge, amid AUTH (RFC 5034 §4)

    @property
    def counted_as(self) -> tuple[str, str | None]:
        """Return what tells it from others in a count: its indicator and its response code, as text."""
        if self.code is None and self.ok:
            return _OK
        indicator = "+" if self.continues else "+OK" if self.ok else "-ERR"
        return indicator, None if self.code is None else self.code.decode("ascii")

    @property
    def evidence(self) -> bytes:
        """Return the octets that deviate, or begin with what does."""
        return self.text


# resp-code = "[" resp-level *("/" resp-level) "]"; resp-level = 1*rchar, without "[" "/" "]"  (RFC 2449 §3)
_RESPONSE_CODE: Final = re.compile(rb"\[([!-.0-Z\\^-~]+(?:/[!-.0-Z\\^-~]+)*)\]")

# single-line = status [SP text] CRLF; status = "+OK" / "-ERR"   (RFC 2449 §3); "+" challenges: RFC 5034 §4
_LAWFUL_LINE: Final = re.compile(rb"(\+OK|-ERR)(?: ([\t -~]*))?\r\n")
_STATUS_LINE: Final = re.compile(rb"(\+OK|-ERR|\+(?= |\r?\n))([^\n]*)\n", re.IGNORECASE)

_LINE_LIMIT_OCTETS: Final = 512  # RFC 2449 §4
_HARD_LIMIT_OCTETS: Final = 65536


class ResponseReader:
    """Frame responses from octets, wherever TCP cut them.

    Whether lines follow is not in the response: the caller says, and says the same until it is given one.
    Raises RemoteProtocolError where nothing can be framed: no status indicator, a line above 64 KiB, a body
    above `limit_octets`.
    """

    __slots__ = ("_framer", "_limit_octets", "_status")

    def __init__(self, limit_octets: int = 64 << 20) -> None:
        self._framer = LineFramer(_LINE_LIMIT_OCTETS, _HARD_LIMIT_OCTETS, section="RFC 1939 §3")
        self._limit_octets = limit_octets
        self._status: Response | None = None  # read, and its body still to come

    def feed(self, octets: bytes) -> None:
        """Append what was received."""
        self._framer.feed(octets)

    @property
    def pending(self) -> bytes:
        """Return what was fed and not yet read as a status line or a body."""
        return self._framer.pending

    @property
    def has_pending(self) -> bool:
        """Say whether a response has begun and not ended."""
        return self._status is not None or self._framer.pending_octets > 0

    def next_response(self, *, multi_line: bool = False) -> Response | None:
        """Take the next response, or None while it has not ended. On anything but +OK no lines follow."""
        status = self._status
        if status is None:
            line = self._framer.next_octets()
            if line is None:
                return None
            status = _read_status_line_memo(line) if len(line) <= _LINE_LIMIT_OCTETS else read_status_line(line)
            if not (multi_line and status.ok):
                return status
            self._status = status
        block = self._framer.next_block(self._limit_octets)
        if block is None:
            return None
        self._status = None
        body, unstuffed = unstuff_noting(block)
        deviations = (*status.deviations, Deviation.UNSTUFFED_DOT) if unstuffed else status.deviations
        octets_received = status.octets_received + len(block)
        return Response(status.ok, status.code, status.text, body, octets_received, deviations)


def read_status_line(octets: bytes) -> Response:
    """Read one status line, its ending included. Raises RemoteProtocolError if it has no indicator."""
    found = _LAWFUL_LINE.fullmatch(octets)
    if found is not None and len(octets) <= _LINE_LIMIT_OCTETS:
        text = found[2] or b""
        return Response(found[1] == b"+OK", _response_code(text), text, None, len(octets))
    found = _STATUS_LINE.fullmatch(octets)
    if found is None:
        raise RemoteProtocolError("no status indicator", octets=octets[:512], section="RFC 1939 §3")
    indicator = found[1].upper()
    text = found[2].removesuffix(b"\r")
    deviations = [*deviant_octets(octets)]
    if indicator != found[1]:
        deviations.append(Deviation.STATUS_CASE)
    if len(octets) > _LINE_LIMIT_OCTETS:
        deviations.append(Deviation.OVER_LONG)
    if text and not text.startswith(b" "):
        deviations.append(Deviation.BAD_SEPARATOR)
    text = text.removeprefix(b" ")
    ok, continues = indicator == b"+OK", indicator == b"+"
    return Response(ok, _response_code(text), text, None, len(octets), tuple(deviations), continues)


# Status lines repeat: a memo of a pure function over immutable values, as `reply.py` has them, and bounded as there.
_read_status_line_memo: Final = lru_cache(maxsize=128)(read_status_line)


def lawful_response(octets: bytes, *, multi_line: bool = False) -> Response | None:
    """Read octets that are one lawful +OK, with its lines if it has any, and nothing else; None if they are not."""
    found = _LAWFUL_LINE.match(octets)
    if found is None or found[1] != b"+OK" or found.end() > _LINE_LIMIT_OCTETS:
        return None
    if not (has_lawful_lines(octets, found.end()) if multi_line else found.end() == len(octets)):
        return None
    text = found[2] or b""
    return Response(True, _response_code(text), text, lines_of(octets) if multi_line else None, len(octets))


def has_lawful_lines(octets: bytes, at: int) -> bool:
    """Say whether lines that are stuffed as they must be follow a status line, which ends at `at`, and nothing else."""
    end = len(octets) - len(END_OF_LINES)
    if not octets.endswith(END_OF_LINES):
        return False
    if octets.find(b"\r\n.", at - 2) == end:        # nearly always: no other line begins with a dot
        return True
    return octets.find(END_OF_LINES, at - 2) == end and not unstuff_noting(octets[at:])[1]


def lines_of(octets: bytes) -> bytes:
    """Return the content of a whole response whose lines follow its status line, unstuffed."""
    return unstuff(octets[octets.find(b"\n") + 1 :])


def _response_code(text: bytes) -> bytes | None:
    if not text.startswith(b"["):
        return None
    found = _RESPONSE_CODE.match(text)
    return found[1] if found else None


# scan-listing = message-number SP size; what follows is strongly discouraged, and allowed   (RFC 1939 §5)
_SCAN: Final = rb"([0-9]{1,18}) ([0-9]{1,18})(?: [^\r\n]*)?"
_UNIQUE_ID: Final = rb"([0-9]{1,18}) ([!-~]{1,70})"  # RFC 1939 §7


@dataclass(frozen=True, slots=True)
class _Listing:
    """One kind of listing. A maildrop has ten thousand lines: they are read in two searches, not one by one."""

    line: re.Pattern[bytes]
    whole: re.Pattern[bytes]  # all the lines there are
    each: re.Pattern[bytes]
    section: str


def _kind(line: bytes, section: str) -> _Listing:
    each = line + rb"\r\n"
    return _Listing(re.compile(line), re.compile(rb"(?:%b)*+" % each), re.compile(each), section)


_SCAN_LISTING: Final = _kind(_SCAN, "RFC 1939 §5")
_UIDL_LISTING: Final = _kind(_UNIQUE_ID, "RFC 1939 §7")
_NUMBER: Final = re.compile(rb"([0-9]{1,18}) [^\r\n]*\r\n")  # of one line of a listing


def parse_stat(response: Response) -> tuple[int, int]:
    """Return how many messages there are, and their octets. Raises RemoteProtocolError (RFC 1939 §5)."""
    found = _SCAN_LISTING.line.fullmatch(response.text)
    if found is None or not response.ok:
        raise RemoteProtocolError("no drop listing", octets=response.text, section="RFC 1939 §5")
    return int(found[1]), int(found[2])


def parse_scan_listing(response: Response) -> tuple[tuple[int, int], ...]:
    """Return (message-number, octets) of each message listed, by LIST with or without an argument.

    Raises RemoteProtocolError at the first line that is no scan listing (RFC 1939 §5).
    """
    return tuple([(number, int(size)) for number, size in _listing(response, _SCAN_LISTING)])


def parse_uidl(response: Response) -> tuple[tuple[int, bytes], ...]:
    """Return (message-number, unique-id) of each message listed, by UIDL with or without an argument.

    Raises RemoteProtocolError at the first line that is no unique-id listing (RFC 1939 §7).
    """
    return _listing(response, _UIDL_LISTING)


def numbers_in_scan_listing(lines: bytes) -> tuple[int, ...]:
    """Return the message-numbers in the lines behind the +OK to LIST. Raises as `parse_scan_listing` does."""
    _check_listing(lines, _SCAN_LISTING)
    return tuple(map(int, _NUMBER.findall(lines)))


def sizes_in(lines: bytes) -> tuple[tuple[int, int], ...]:
    """Return (message-number, octets) of each message in such lines, which were checked."""
    return tuple([(number, int(size)) for number, size in _each_listed(lines, _SCAN_LISTING)])


def check_unique_ids(lines: bytes) -> None:
    """Raise as `parse_uidl` does if these are not the lines behind the +OK to UIDL."""
    _check_listing(lines, _UIDL_LISTING)


def unique_ids_in(lines: bytes) -> tuple[tuple[int, bytes], ...]:
    """Return (message-number, unique-id) of each message in such lines, which were checked."""
    return _each_listed(lines, _UIDL_LISTING)


def parse_capabilities(response: Response) -> Mapping[str, tuple[str, ...]]:
    """Return the capabilities by upper-case tag, with their parameters (RFC 2449 §5); none if not +OK."""
    lines = (response.body or b"").decode("ascii", "backslashreplace").split("\r\n")
    capabilities = {}
    for tag, *parameters in filter(None, map(str.split, lines)):
        capabilities[tag.upper()] = tuple(parameters)
    return MappingProxyType(capabilities)


def _listing(response: Response, kind: _Listing) -> tuple[tuple[int, bytes], ...]:
    lines = response.text + LINE_END if response.body is None else response.body
    if not response.ok:
        raise RemoteProtocolError("no listing", octets=response.text[:512], section=kind.section)
    _check_listing(lines, kind)
    return _each_listed(lines, kind)


def _check_listing(lines: bytes, kind: _Listing) -> None:
    if kind.whole.fullmatch(lines) is None:
        first = next((line for line in lines.split(LINE_END)[:-1] if kind.line.fullmatch(line) is None), b"")
        raise RemoteProtocolError("no listing", octets=first[:512], section=kind.section)


def _each_listed(lines: bytes, kind: _Listing) -> tuple[tuple[int, bytes], ...]:
    return tuple([(int(number), rest) for number, rest in kind.each.findall(lines)])
