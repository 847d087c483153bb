"""Faults in reading groups of commands, and in answering them (RFC 2920 §3.2)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState

_BEHIND_THE_DOT: Final = re.compile(rb"(\r\n\.\r\n).+", re.DOTALL)
_BEHIND_NONSENSE: Final = re.compile(rb"(X[A-Z]+\r\n).+", re.DOTALL)
_LAST_LINE: Final = re.compile(rb"[^\n]*\n\Z")

Incoming = Callable[[SmtpState, bytes], bytes]


def _notes_groups(session: SmtpState, octets: bytes) -> bytes:
    session.memory["group"] = octets.count(b"\r\n") > 1
    return octets


def _holds(verb: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Return the function that keeps the answer to a group's command until something else is answered."""

    def outgoing(session: SmtpState, said: bytes, octets: bytes) -> bytes:
        held = session.memory.pop("held", b"")
        assert isinstance(held, bytes)
        if said == verb and session.memory.get("group"):
            session.memory["held"] = octets
            return held
        return held + octets

    return outgoing


def _swaps_recipients(session: SmtpState, octets: bytes) -> bytes:
    """Read the last two RCPT of a group the other way round."""
    lines = octets.splitlines(keepends=True)
    if len(lines) > 3 and lines[-1].startswith(b"RCPT") and lines[-2].startswith(b"RCPT"):
        lines[-2:] = reversed(lines[-2:])
    return b"".join(lines)


def _loses(pattern: re.Pattern[bytes]) -> Incoming:
    """Return the function that loses what stands behind something in one segment."""
    return lambda session, octets: pattern.sub(rb"\1", octets)


def _loses_last_line_of(least_octets: int, least_lines: int) -> Incoming:
    def incoming(session: SmtpState, octets: bytes) -> bytes:
        big = len(octets) >= least_octets and octets.count(b"\n") >= least_lines
        return _LAST_LINE.sub(b"", octets) if big else octets

    return incoming


def _waits_for_whole_lines(session: SmtpState, octets: bytes) -> bytes:
    """Read nothing of a segment that ends within a line until the rest has come."""
    waiting = session.memory.pop("waiting", b"")
    assert isinstance(waiting, bytes)
    octets = waiting + octets
    if b"\r\n" in octets and not octets.endswith(b"\r\n"):
        session.memory["waiting"] = octets
        return b""
    return octets


def _counts_on_data(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse the next MAIL if a group's transaction ended in RSET."""
    if verb == b"RSET" and session.transaction is not None and session.memory.get("group"):
        session.memory["expects"] = True
    elif verb == b"MAIL" and session.memory.pop("expects", False) and not session.memory.get("group"):
        return replies.OUT_OF_ORDER
    return go_on()


def _no_leading_rset(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse RSET in a group once a transaction is open."""
    in_group = bool(session.memory.get("group"))
    return replies.OUT_OF_ORDER if verb == b"RSET" and in_group and session.transaction is not None else go_on()


def _begins_with_lf(in_tls: bool) -> Incoming:
    """Return the function that loses the LF of a CRLF which two segments share."""

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        here = (session.cipher is not None) is in_tls
        return octets[1:] if here and octets.startswith(b"\n") and (in_tls or len(octets) > 1) else octets

    return incoming


def _loses_lone_spaces(session: SmtpState, octets: bytes) -> bytes:
    return b"" if octets == b" " and session.cipher is None else octets


def _same_words(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"250 2.0.0 OK\r\n" if verb in {b"MAIL", b"RCPT"} and octets.startswith(b"250") else octets


def _takes_somebody_else(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse a recipient, and have the message for another."""
    reply = go_on()
    if verb == b"RCPT" and reply is replies.NO_SUCH_MAILBOX:
        COMMANDS[b"RCPT"].run(session, b"TO:<user1@example.test>")
    return reply


def _one_refusal_is_enough(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse DATA if any recipient of the transaction was refused."""
    if verb == b"DATA" and session.memory.get("refused"):
        return replies.reply(554, "5.5.1", "No valid recipients")
    reply = go_on()
    if verb in {b"MAIL", b"RCPT"}:
        session.memory["refused"] = reply is replies.NO_SUCH_MAILBOX
    return reply


_HELD: Final = {
    "ehlo": b"EHLO", "noop": b"NOOP", "vrfy": b"VRFY", "expn": b"EXPN", "quit": b"QUIT", "unknown": b"XMAILPROOF",
    "rcpt": b"RCPT",
}  # fmt: skip

FAULTS: Final = (
    Fault("pipe-parameter", "the keyword PIPELINING has a parameter",
          outgoing=lambda session, verb, octets: octets.replace(b"250-PIPELINING", b"250-PIPELINING 10")),
    *[Fault(f"pipe-holds-{name}", f"the answer to {verb.decode()} in a group waits for the next command",
            incoming=_notes_groups, outgoing=_holds(verb)) for name, verb in _HELD.items()],
    Fault("pipe-swaps", "two commands of a group change places", incoming=_swaps_recipients),
    Fault("pipe-loses-of-many", "of a thousand commands the last is lost", incoming=_loses_last_line_of(0, 900)),
    Fault("pipe-loses-of-much", "of 256 KiB of commands the last is lost", incoming=_loses_last_line_of(200_000, 1)),
    Fault("pipe-loses-behind-dot", "what comes with the end of mail data is lost", incoming=_loses(_BEHIND_THE_DOT)),
    Fault("pipe-loses-behind-error", "what comes behind an unknown command is lost",
          incoming=_loses(_BEHIND_NONSENSE)),
    Fault("pipe-waits-for-whole-lines", "half a command holds back the answer to the one before",
          incoming=_waits_for_whole_lines),
    Fault("pipe-counts-on-data", "a group that ends in RSET upsets the next", incoming=_notes_groups,
          around=_counts_on_data),
    Fault("pipe-no-leading-rset", "RSET is refused in a group", incoming=_notes_groups, around=_no_leading_rset),
    Fault("pipe-loses-a-lf", "a CRLF that two segments share is lost", incoming=_begins_with_lf(in_tls=False)),
    Fault("pipe-loses-a-lf-in-tls", "a CRLF that two records share is lost", incoming=_begins_with_lf(in_tls=True)),
    Fault("pipe-loses-lone-spaces", "a segment that holds one space is lost", incoming=_loses_lone_spaces),
    Fault("pipe-same-words", "MAIL and RCPT are answered in the same words", outgoing=_same_words),
    Fault("pipe-takes-somebody-else", "mail for who was refused goes to another", around=_takes_somebody_else),
    Fault("pipe-one-refusal", "one recipient that is refused refuses the message", around=_one_refusal_is_enough),
)  # fmt: skip
