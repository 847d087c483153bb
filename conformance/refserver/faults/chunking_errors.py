"""Faults in what becomes of a BDAT that is none, or is out of order (RFC 3030 §2)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, before_hello
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State
from conformance.refserver.transaction import Transaction

_BDAT: Final = b"BDAT"
_LOOSE_NUMBER: Final = re.compile(rb"[ \t]*([+-]?[0-9]*)")
_LOOSE: Final = re.compile(rb"([0-9]+) ?(LAST)?.*", re.IGNORECASE)


def _without_mail(session: SmtpState, argument: bytes) -> bool:
    return session.state is State.READY


def _without_recipient(session: SmtpState, argument: bytes) -> bool:
    return session.state is State.MAIL and not session.memory.get("refused")


def _read_as(change: Callable[[bytes], bytes]) -> Around:
    """Understand BDAT's argument otherwise than it was said."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return COMMANDS[_BDAT].run(session, change(argument)) if verb == _BDAT else go_on()

    return around


def _nothing_is_none(argument: bytes) -> bytes:
    """Read no size as no octets."""
    return argument if argument[:1].isdigit() or (argument and argument.upper() != b"LAST") else b"0 LAST"


def _loosely(argument: bytes) -> bytes:
    """Read a size as C's atoi does."""
    number, space, last = argument.partition(b" ")
    found = _LOOSE_NUMBER.match(number)
    digits = found[1] if found is not None else b""
    if not argument or argument.upper() == b"LAST":
        return argument
    return b"%d" % max(0, int(digits or 0) if digits not in {b"+", b"-"} else 0) + space + last


def _without_junk(argument: bytes) -> bytes:
    found = _LOOSE.fullmatch(argument)
    return argument if found is None else found[1] + (b" LAST" if found[2] else b"")


def _modulo(bits: int, *, signed: bool = False) -> Callable[[bytes], bytes]:
    """Read a size into a number of so many bits; a negative one is none."""

    def change(argument: bytes) -> bytes:
        number, space, last = argument.partition(b" ")
        if not number.isdigit():
            return argument
        size = int(number) % (1 << bits)
        return b"%d" % (0 if signed and size >> (bits - 1) else size) + space + last

    return change


def _says_nothing_to_no_size(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return None if verb == _BDAT and argument.upper() in {b"", b"LAST"} else go_on()


def _falls_over_digits(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == _BDAT and re.match(rb"[0-9]{21}", argument):
        session.after = After.CLOSE
        return None
    return go_on()


def _notes_the_end(session: SmtpState, transaction: Transaction, final: list[Reply]) -> list[Reply]:
    session.memory["ended"] = True
    return final


def _after_the_last(session: SmtpState) -> bool:
    return bool(session.memory.get("ended")) and session.state is State.READY


def _takes_after_the_last(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    after = verb == _BDAT and octets.startswith(b"503") and _after_the_last(session)
    return replies.CHUNK_TAKEN.octets if after else octets


def _runs_after_the_last(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.OUT_OF_ORDER if verb == _BDAT and _after_the_last(session) else go_on()


def _runs_for_nobody(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse a chunk whose recipient was refused, and read its octets as commands."""
    if verb == _BDAT and session.state is State.MAIL and session.memory.get("refused"):
        return replies.OUT_OF_ORDER
    reply = go_on()
    session.memory["refused"] = verb == b"RCPT" and reply is not None and reply.refuses
    return reply


def _stuck(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take no MAIL any more once a chunk, or DATA behind one, was out of place."""
    if verb == b"MAIL" and session.memory.get("stuck"):
        return replies.OUT_OF_ORDER
    state = session.state
    reply = go_on()
    out_of_place = verb == _BDAT and (reply is not None or state in {State.READY, State.MAIL})
    if out_of_place or (verb == b"DATA" and state is State.CHUNKS):
        session.memory["stuck"] = True
    return reply


def _deaf_after_rset(when: Callable[[bytes], bool]) -> Around:
    """Answer no MAIL any more once RSET was said amid some messages."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb == b"RSET" and session.chunks is not None and when(session.chunks.so_far()):
            session.memory["deaf"] = True
        return None if verb == b"MAIL" and session.memory.get("deaf") else go_on()

    return around


def _asks_for_data_after_an_error(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"DATA" and session.memory.pop("failed", False):
        return replies.SEND_MAIL_DATA
    session.memory["failed"] = verb == _BDAT and session.state is State.READY
    return go_on()


def _deaf_after_nul(session: SmtpState, octets: bytes) -> bytes:
    session.memory["deaf"] = session.memory.get("deaf") or b"\0" in octets
    return b"" if session.memory["deaf"] else octets


FAULTS: Final = (
    Fault("chunk-runs-before-hello", "a chunk before EHLO is run as commands",
          around=answers(_BDAT, 503, before_hello)),
    Fault("chunk-runs-before-mail", "a chunk before MAIL is run as commands",
          around=answers(_BDAT, 503, _without_mail)),
    Fault("chunk-runs-before-rcpt", "a chunk before RCPT is run as commands",
          around=answers(_BDAT, 503, _without_recipient)),
    Fault("chunk-runs-for-nobody", "a chunk for who was refused is run as commands", around=_runs_for_nobody),
    Fault("chunk-runs-after-last", "a chunk after the last is run as commands",
          around=_runs_after_the_last, final=_notes_the_end),
    Fault("chunk-taken-after-last", "a chunk after the last is taken", outgoing=_takes_after_the_last,
          final=_notes_the_end),
    Fault("chunk-errors-stick", "after an error with BDAT there is no mail any more", around=_stuck),
    Fault("chunk-body-then-deaf", "after RSET amid a body that came in chunks MAIL is not answered",
          around=_deaf_after_rset(lambda content: b"\r\n\r\n" in b"\r\n" + content or b":" not in content)),
    Fault("chunk-line-then-deaf", "after RSET amid a line that came in chunks MAIL is not answered",
          around=_deaf_after_rset(lambda content: not content.endswith(b"\r\n"))),
    Fault("chunk-error-then-354", "after an error with BDAT DATA goes on", around=_asks_for_data_after_an_error),
    Fault("chunk-no-size-is-none", "BDAT without a size has no octets", around=_read_as(_nothing_is_none)),
    Fault("chunk-no-size-unanswered", "BDAT without a size is not answered", around=_says_nothing_to_no_size),
    Fault("chunk-size-loosely", "a size is read as far as it goes", around=_read_as(_loosely)),
    Fault("chunk-size-of-64-bits", "a size has 64 bits", around=_read_as(_modulo(64))),
    Fault("chunk-size-of-63-bits", "a size has 63 bits and a sign", around=_read_as(_modulo(64, signed=True))),
    Fault("chunk-size-of-32-bits", "a size has 32 bits", around=_read_as(_modulo(32))),
    Fault("chunk-size-falls-over", "a size of many digits ends the connection", around=_falls_over_digits),
    Fault("chunk-junk-ignored", "what stands behind size and LAST is ignored", around=_read_as(_without_junk)),
    Fault("nul-deafens", "after a NUL nothing is answered", incoming=_deaf_after_nul),
)  # fmt: skip
