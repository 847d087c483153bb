"""Faults in PIPELINING: commands that came together are lost, reordered, or answered too late (RFC 2449 §6.6)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_fault_kinds import Around
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State
from conformance.refserver.session import After

_LINE: Final = re.compile(rb"[^\n]*\n")
Incoming = Callable[[Pop3State, bytes], bytes]


def _hears(change: Callable[[list[bytes]], list[bytes]]) -> Incoming:
    """Return the function that hears the lines of a segment otherwise, where there are several."""

    def incoming(session: Pop3State, octets: bytes) -> bytes:
        lines = _LINE.findall(octets)
        rest = octets[sum(map(len, lines)):]
        return b"".join(change(lines)) + rest if len(lines) > 1 else octets

    return incoming


def _one_of_a_kind(lines: list[bytes]) -> list[bytes]:
    """Leave out a line that has been heard in the same segment."""
    return list(dict.fromkeys(lines))


def _bounded(session: Pop3State, octets: bytes) -> bytes:
    return b"".join(_LINE.findall(octets)[:500]) if octets.count(b"\n") > 500 else octets


def _whole_lines_only(session: Pop3State, octets: bytes) -> bytes:
    """Lose what stands behind the last line end of a segment, unless that is all there is."""
    return octets[: octets.rfind(b"\n") + 1] if b"\n" in octets else octets


def _loses_behind(*verbs: bytes) -> Incoming:
    """Return the function that loses what stands in one segment behind some commands."""
    pattern = re.compile(rb"((?:\A|\n)(?:%b)[^\n]*\n).*" % b"|".join(verbs), re.DOTALL | re.IGNORECASE)
    return lambda session, octets: pattern.sub(rb"\1", octets)


def _goes_on_after_login(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let a wrong password in where STAT is waiting behind it."""
    if verb == b"STAT" and session.view is None:
        return b"+OK 0 0\r\n"
    return go_on()


def _quits_before(lines: list[bytes]) -> list[bytes]:
    return [b"QUIT\r\n"] if lines[-1].upper() == b"QUIT\r\n" else lines


def _holds(session: Pop3State, octets: bytes) -> bytes:
    """Hear the last line of a segment of several only with the next segment."""
    lines = _LINE.findall(session.memory.pop("held", b"") + octets)
    if octets.count(b"\n") > 1 and len(lines) > 1:
        session.memory["held"] = lines.pop()
    return b"".join(lines)


def _holds_single(session: Pop3State, octets: bytes) -> bytes:
    """Hear a STAT that comes alone only with the next segment."""
    held = session.memory.pop("held", b"")
    if octets == b"STAT\r\n" and not held:
        session.memory["held"] = octets
        return b""
    return bytes(held + octets)


def _is_unknown(line: bytes) -> bool:
    return line.startswith(b"MAILPROOF")


def _answers_errors_last(session: Pop3State, octets: bytes) -> bytes:
    lines: list[bytes] = _LINE.findall(octets)
    if len(lines) < 2:
        return octets
    lines.sort(key=_is_unknown)
    return b"".join(lines)


def _stops_at_errors(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Note that a command of this segment was refused."""
    session.memory["refused"] = octets.startswith(b"-ERR") or session.memory.get("refused", False)
    return octets


def _new_segment(session: Pop3State, octets: bytes) -> bytes:
    session.memory["refused"] = False
    return octets


def _flushes(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Say nothing more in this segment once a command was refused."""
    return b"" if session.memory.get("refused") else go_on()


def _closes_when_many(session: Pop3State, octets: bytes) -> bytes:
    if octets.count(b"\n") > 100:
        session.after = After.CLOSE
    return octets


def _fault(name: str, does: str, incoming: Incoming | None = None, around: Around | None = None) -> Fault:
    return Fault(name, does, pop3=Pop3Points(incoming=incoming, around=around))


FAULTS: Final = (
    _fault("pipe-first-only", "of a segment the first command only is heard", _hears(lambda lines: lines[:1])),
    _fault("pipe-last-lost", "the last command of a segment is lost", _hears(lambda lines: lines[:-1])),
    _fault("pipe-reversed", "the commands of a segment are answered from the last", _hears(lambda lines: lines[::-1])),
    _fault("pipe-once-each", "a command that comes twice in a segment is answered once", _hears(_one_of_a_kind)),
    _fault("pipe-five-hundred", "more than 500 commands in a segment are lost", _bounded),
    _fault("pipe-closes-on-many", "more than a hundred commands in a segment end the session", _closes_when_many),
    _fault("pipe-cut-lines", "half a line at the end of a segment is lost", _whole_lines_only),
    _fault("pipe-lost-behind-login", "what comes in one segment with a login is lost",
           _loses_behind(b"PASS", b"APOP", b"AUTH")),
    _fault("pipe-lost-behind-apop", "what comes in one segment with APOP is lost", _loses_behind(b"APOP")),
    _fault("pipe-lost-behind-retr", "what comes in one segment with RETR is lost", _loses_behind(b"RETR")),
    _fault("pipe-stat-for-anybody", "STAT is answered though the login failed", around=_goes_on_after_login),
    _fault("pipe-quits-first", "QUIT at the end of a segment is heard before the rest", _hears(_quits_before)),
    _fault("pipe-held", "the last answer to a segment waits for the next", _holds),
    _fault("pipe-held-single", "an answer waits for the next command", _holds_single),
    _fault("pipe-errors-last", "unknown commands are answered last", _answers_errors_last),
    Fault("pipe-flushed-by-errors", "after an error the rest of a segment goes unanswered",
          pop3=Pop3Points(incoming=_new_segment, around=_flushes, outgoing=_stops_at_errors)),
)  # fmt: skip
