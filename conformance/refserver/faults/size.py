"""Faults in SIZE (RFC 1870)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, holds
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import Reading, SmtpState

_DECLARED: Final = re.compile(rb" SIZE=([0-9]{1,20})(?![^ ])", re.IGNORECASE)
_OFFER: Final = re.compile(rb"(?m)^(250[- ])SIZE( [^\r]*)?\r$")
_MUCH: Final = re.compile(rb" SIZE=[1-9][0-9]{19}")
_KEYWORD: Final = re.compile(rb" (size|SiZe)=")


def _offers(value: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Return the function that offers SIZE with another value."""
    return lambda session, verb, octets: _OFFER.sub(rb"\1SIZE" + value + b"\r", octets) if verb == b"EHLO" else octets


def _hears(pattern: bytes, by: bytes | Callable[[re.Match[bytes]], bytes]) -> Around:
    """Run MAIL with what fits a pattern replaced."""
    found = re.compile(pattern, re.IGNORECASE)

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        command = COMMANDS[b"MAIL"]
        heard = found.sub(by, argument)
        if verb != b"MAIL" or heard == argument or session.state not in command.permitted:
            return go_on()
        return command.run(session, heard)

    return around


def _reads_as(number: Callable[[int], int]) -> Around:
    """Read declared sizes in a register too small for them; what becomes negative is above no limit."""
    return _hears(rb" SIZE=([0-9]+)", lambda match: b" SIZE=%d" % max(0, number(int(match[1]))))


def _signed(bits: int) -> Callable[[int], int]:
    return lambda value: (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def _above(limit_excluded: bool) -> Callable[[SmtpState, bytes], bool]:
    def found(session: SmtpState, argument: bytes) -> bool:
        size = _DECLARED.search(argument)
        limit = session.service.limits.message_octets
        return size is not None and (int(size[1]) == limit if limit_excluded else int(size[1]) > limit)

    return found


def _hangs_up_on_much(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb != b"MAIL" or _MUCH.search(argument) is None:
        return go_on()
    session.after = After.CLOSE
    return None


def _remembers(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Remember the declared size for what becomes of the message."""
    if verb == b"MAIL":
        found = _DECLARED.search(argument)
        session.memory["declared"] = int(found[1]) if found else None
        session.memory["left"] = session.memory["declared"]
    return go_on()


def _declared(session: SmtpState) -> int | None:
    size = session.memory.get("declared")
    return size if isinstance(size, int) else None


def _ends_where_declared(session: SmtpState, octets: bytes) -> bytes:
    """Take the last of so many octets as were declared for the end of the mail data."""
    left = session.memory.get("left")
    if session.reading is not Reading.MAIL_DATA or not isinstance(left, int):
        return octets
    session.memory["left"] = left - len(octets) if left > len(octets) else None
    return octets if left > len(octets) else octets[:left] + b"\r\n.\r\n" + octets[left:]


def _cuts_where_declared(session: SmtpState, content: bytes) -> bytes:
    size = _declared(session)
    return content if size is None or size >= len(content) else content[:size] + b"\r\n"


def _wants_as_many(session: SmtpState, content: bytes) -> bytes:
    size = _declared(session)
    return content + b"\n" if size is not None and len(content) < size else content


def _refuses_late(session: SmtpState, content: bytes) -> bytes:
    """Make what is much, and was declared, too big."""
    much = _declared(session) is not None and len(content) > 30_000
    return content + b"x" * session.service.limits.message_octets if much else content


def _cuts_what_is_too_big(session: SmtpState, content: bytes) -> bytes:
    return content if len(content) <= session.service.limits.message_octets else content[:1000] + b"\r\n"


def _counted(how: Callable[[bytes], int]) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function that holds a message's size against the limit as it counts it."""

    def content(session: SmtpState, octets: bytes) -> bytes:
        limit = session.service.limits.message_octets
        return octets + b"x" * (limit + 1 - len(octets)) if len(octets) <= limit < how(octets) else octets

    return content


def _too_big_answered(hang_up: bool) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Return the function that says nothing where 552 is due to mail data."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        if verb != b"." or octets != replies.MESSAGE_TOO_BIG.octets:
            return octets
        if hang_up:
            session.after = After.CLOSE
        return b""

    return outgoing


def _refuses_at_once(session: SmtpState, octets: bytes) -> bytes:
    """Answer as soon as there is too much, and read what follows as commands."""
    if session.reading is not Reading.MAIL_DATA or session.data is None:
        return octets
    limit = session.service.limits.message_octets
    room = limit + 100 - len(session.data.so_far())
    return octets if len(octets) <= room else octets[:room] + b"\r\n.\r\n" + octets[room:]


def _keyword_in_small_letters(session: SmtpState, argument: bytes) -> bool:
    return _KEYWORD.search(argument) is not None


FAULTS: Final = (
    Fault("size-two-numbers", "two limits are offered", outgoing=_offers(b" 100000 200000")),
    Fault("size-with-unit", "the limit is offered in kilobytes", outgoing=_offers(b" 100K")),
    Fault("size-tiny", "a limit of 1,000 octets is offered", outgoing=_offers(b" 1000")),
    Fault(
        "size-zero-takes-nothing", "no limit is offered, and every size is above it",
        outgoing=_offers(b" 0"), around=answers(b"MAIL", 552, holds(rb" SIZE=[1-9]")),
    ),
    Fault("size-unknown", "SIZE is offered, and unknown to MAIL", around=answers(b"MAIL", 555, holds(rb" SIZE="))),
    Fault("size-alone", "SIZE goes with no other parameter", around=answers(b"MAIL", 501, holds(rb" SIZE=\d+ B"))),
    Fault("size-limit-excluded", "the limit is above the limit", around=answers(b"MAIL", 552, _above(True))),
    Fault("size-passed-over", "a declared size is not looked at", around=_hears(rb" SIZE=\d{1,20}\Z", b"")),
    Fault("size-over-554", "a size above the limit is answered 554", around=answers(b"MAIL", 554, _above(False))),
    Fault("size-zero-malformed", "SIZE=0 is malformed", around=answers(b"MAIL", 501, holds(rb" SIZE=0\Z"))),
    Fault("size-32-bits", "sizes are read in 32 bits", around=_reads_as(lambda value: value % 2**32)),
    Fault("size-31-bits", "sizes are read in 32 bits, one of them the sign", around=_reads_as(_signed(32))),
    Fault("size-64-bits", "sizes are read in 64 bits", around=_reads_as(lambda value: value % 2**64)),
    Fault("size-63-bits", "sizes are read in 64 bits, one of them the sign", around=_reads_as(_signed(64))),
    Fault("size-long-passed-over", "20 digits are not looked at", around=_hears(rb" SIZE=\d{20,}", b"")),
    Fault("size-long-hangs-up", "20 digits end the connection", around=_hangs_up_on_much),
    Fault("size-any-digits", "21 digits are not looked at", around=_hears(rb" SIZE=\d{21,}", b"")),
    Fault("size-few-digits", "eleven digits are malformed", around=answers(b"MAIL", 501, holds(rb" SIZE=\d{11}"))),
    Fault("size-reads-what-it-can", "the digits before other signs are the size", around=_hears(
        rb" SIZE=(\d*)(?!\d)[^ ]*\Z", lambda match: b" SIZE=" + (match[1] or b"0"),
    )),
    Fault("size-without-number", "SIZE needs no number", around=_hears(rb" SIZE\Z", b"")),
    Fault("size-signs", "a size may have a sign and underscores", around=_hears(rb" SIZE=(\+1|-1|1_000)\Z", b"")),
    Fault("size-hexadecimal", "a size may be hexadecimal", around=_hears(rb" SIZE=0x[0-9a-f]+\Z", b"")),
    Fault("size-twice", "the second of two sizes counts", around=_hears(rb" SIZE=\d+( SIZE=\d+)\Z", rb"\1")),
    Fault("size-capital", "the keyword is known in capitals", around=answers(b"MAIL", 555, _keyword_in_small_letters)),
    Fault("size-ends-data", "mail data end where was declared", around=_remembers, incoming=_ends_where_declared),
    Fault("size-cuts-data", "a message is cut where was declared", around=_remembers, content=_cuts_where_declared),
    Fault("size-wants-as-many", "less than declared is refused", around=_remembers, content=_wants_as_many),
    Fault("size-late-552", "552 comes after the message", around=_remembers, content=_refuses_late),
    Fault("size-not-enforced", "a message above the limit is taken, and cut", content=_cuts_what_is_too_big),
    Fault("size-over-silent", "too big a message is not answered", outgoing=_too_big_answered(False)),
    Fault("size-over-hangs-up", "too big a message ends the connection", outgoing=_too_big_answered(True)),
    Fault("size-over-at-once", "what is too much is read as commands", incoming=_refuses_at_once),
    Fault("size-boundary", "a message of the limit is too big", content=_counted(lambda octets: len(octets) + 1)),
    Fault("size-counts-stuffing", "the dots added count", content=_counted(
        lambda octets: len(octets) + octets.count(b"\r\n."),
    )),
)  # fmt: skip
