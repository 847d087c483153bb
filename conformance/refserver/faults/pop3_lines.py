"""Faults in how a command line of POP3 is read: its length, its end, its octets (RFC 1939 §3, RFC 2449 §4)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import LINE_TOO_LONG
from conformance.refserver.pop3_fault_kinds import Around
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State
from conformance.refserver.session import After

_TOO_LONG: Final = b"-ERR Argument too long\r\n"
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_BARE_CR: Final = re.compile(rb"\r(?!\n)")
_MANY: Final = 3                       # errors after which nobody can log in any more

Incoming = Callable[[Pop3State, bytes], bytes]


def _refuses_long(octets_max: int, *verbs: bytes) -> Around:
    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return _TOO_LONG if verb in verbs and len(argument) > octets_max else go_on()

    return around


def _cuts_lines(octets_max: int) -> Incoming:
    """Take the rest of a long line for another line."""
    found = re.compile(rb"([^\r\n]{%d})(?=[^\r\n])" % octets_max)
    return lambda session, octets: found.sub(rb"\1\r\n", octets)


def _ends_at_lf(session: Pop3State, octets: bytes) -> bytes:
    """Take LF for the end of a line, with a CR before it or not."""
    after_cr = session.memory.get("cr", False)
    session.memory["cr"] = octets.endswith(b"\r")
    if after_cr and octets.startswith(b"\n"):
        return b"\n" + _BARE_LF.sub(b"\r\n", octets[1:])
    return _BARE_LF.sub(b"\r\n", octets)


def _ends_at_cr(session: Pop3State, octets: bytes) -> bytes:
    """Take CR for the end of a line, and an LF behind it for nothing more."""
    after_cr = session.memory.get("cr", False)
    session.memory["cr"] = octets.endswith(b"\r")
    return _BARE_CR.sub(b"\r\n", octets[1:] if after_cr and octets.startswith(b"\n") else octets)


def _says_nothing_to(*verbs: bytes, closes: bool = False) -> Around:
    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if verb not in verbs:
            return go_on()
        if closes:
            session.after = After.CLOSE
        return b""

    return around


def _takes(*verbs: bytes) -> Around:
    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return b"+OK\r\n" if verb in verbs else go_on()

    return around


def _one_read_one_line(session: Pop3State, octets: bytes) -> bytes:
    """Take whatever came in one segment for a line."""
    return octets if octets.endswith(b"\r\n") and octets != b"\r\n" else b""


def _loses_half_an_end(session: Pop3State, octets: bytes) -> bytes:
    """Take a CR that comes without its LF for nothing."""
    return octets[:-1] if octets.endswith(b"\r") else octets


def _is_offended(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Refuse every login after some errors."""
    if verb in {b"PASS", b"APOP", b"AUTH"} and session.memory.get("errors", 0) >= _MANY:
        return b"-ERR Too many errors\r\n"
    response = go_on()
    if response.startswith(b"-ERR"):
        session.memory["errors"] = session.memory.get("errors", 0) + 1
    return response


def _fault(name: str, does: str, around: Around | None = None, incoming: Incoming | None = None) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around, incoming=incoming))


FAULTS: Final = (
    _fault("pop3-names-of-30", "USER takes 30 octets.", _refuses_long(30, b"USER")),
    _fault("pop3-passwords-of-30", "PASS takes 30 octets, and says so.", _refuses_long(30, b"PASS")),
    _fault("pop3-lines-of-128", "USER and PASS take 120 octets.", _refuses_long(120, b"USER", b"PASS")),
    _fault("pop3-cuts-at-200", "The rest of a line behind 200 octets is another line.", incoming=_cuts_lines(200)),
    _fault("pop3-cuts-at-512", "The rest of a line behind 512 octets is another line.", incoming=_cuts_lines(512)),
    Fault("pop3-echoes-long-lines", "A line too long is sent back.", pop3=Pop3Points(
        outgoing=lambda session, verb, octets: b"X" * 2000 + b"\r\n" if octets == LINE_TOO_LONG else octets)),
    _fault("pop3-empty-line-unanswered", "An empty line is not answered.", _says_nothing_to(b"")),
    _fault("pop3-empty-line-ends", "An empty line ends the session, without an answer.",
           _says_nothing_to(b"", closes=True)),
    _fault("pop3-empty-line-taken", "An empty line is answered +OK.", _takes(b"")),
    _fault("pop3-odd-verb-ends", "A colon, a dot, or a percent sign ends the session without an answer.",
           _says_nothing_to(b":", b".", b"*", b"%S%N%X", b"USER:", closes=True)),
    _fault("pop3-binary-unanswered", "NUL, and octets beyond ASCII, are not answered.",
           _says_nothing_to(b"\0", b"\xff")),
    _fault("pop3-lf-is-a-line", "LF ends a line.", incoming=_ends_at_lf),
    _fault("pop3-cr-is-a-line", "CR ends a line.", incoming=_ends_at_cr),
    _fault("pop3-reads-segments", "A segment that holds no whole line is lost.", incoming=_one_read_one_line),
    _fault("pop3-loses-cr", "A CR that comes without its LF is lost.", incoming=_loses_half_an_end),
    _fault("pop3-offended", "After three errors nobody can log in.", _is_offended),
)  # fmt: skip
