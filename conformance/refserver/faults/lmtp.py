"""Faults in LMTP, but for the replies to mail data: its hello, what it offers, what it keeps (RFC 2033)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import (
    Around,
    answers,
    before_hello,
    closes_after,
    holds,
    keeps_envelope,
    out_of_order,
)
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State

_LHLO: Final = b"LHLO"
_GROUP_LINES_MAX: Final = 40


def _without_name(session: SmtpState, argument: bytes) -> bool:
    return not argument


def _said_before(session: SmtpState, argument: bytes) -> bool:
    return session.state is not State.START


def _of_one_label(session: SmtpState, argument: bytes) -> bool:
    return b"." not in argument


def _for_nobody(session: SmtpState, argument: bytes) -> bool:
    return session.state is State.MAIL


def _takes(verb: bytes) -> Around:
    """Take a hello of the other dialect."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return COMMANDS[verb].run(session, argument) if said == verb else go_on()

    return around


def _data_after_refusals(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Ask for mail data although the only recipients were refused."""
    if verb == b"DATA" and session.state is State.MAIL and session.memory.get("refused"):
        return COMMANDS[verb].run(session, argument)
    reply = go_on()
    session.memory["refused"] = verb == b"RCPT" and reply is not None and reply.refuses
    return reply


def _hides(keyword: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    line = b"250-" + keyword + b"\r\n"
    return lambda session, verb, octets: octets.replace(line, b"") if verb == _LHLO else octets


def _names_nobody(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"mail.example.test", b"(nobody)") if verb == _LHLO else octets


def _loses_of_long_groups(session: SmtpState, octets: bytes) -> bytes:
    """Lose what is amid a long group of commands."""
    lines = octets.split(b"\r\n")
    if not lines[0].startswith(b"MAIL") or len(lines) <= _GROUP_LINES_MAX:
        return octets
    return b"\r\n".join([*lines[: _GROUP_LINES_MAX - 2], *lines[-2:]])


def _without_return_path(message: bytes) -> bytes:
    return re.sub(rb"\AReturn-Path:[^\n]*\n", b"", message)


def _came_by_smtp(message: bytes) -> bytes:
    return message.replace(b" with LMTP", b" with ESMTP", 1)


FAULTS: Final = (
    Fault("lhlo-unknown", "LHLO is not known", around=answers(_LHLO, 500)),
    Fault("lhlo-names-nobody", "the reply to LHLO does not begin with a name", outgoing=_names_nobody),
    Fault("lhlo-without-name", "LHLO needs no name", around=answers(_LHLO, 250, _without_name)),
    Fault("lhlo-no-literals", "an address literal is refused", around=answers(_LHLO, 501, holds(rb"\A\["))),
    Fault("lhlo-wants-dots", "a name of one label is refused", around=answers(_LHLO, 501, _of_one_label)),
    Fault("lhlo-only-once", "a second LHLO is out of order", around=answers(_LHLO, 503, _said_before)),
    Fault("lhlo-keeps-envelope", "LHLO does not clear the transaction", around=keeps_envelope(_LHLO)),
    Fault("speaks-lmtp", "an SMTP server takes LHLO", around=_takes(_LHLO)),
    Fault("takes-ehlo", "an LMTP server takes EHLO", around=_takes(b"EHLO")),
    Fault("takes-helo", "an LMTP server takes HELO", around=_takes(b"HELO")),
    Fault("ehlo-502", "EHLO is known to LMTP, and not implemented", around=answers(b"EHLO", 502)),
    Fault("helo-502", "HELO is known to LMTP, and not implemented", around=answers(b"HELO", 502)),
    Fault("mail-without-lhlo", "MAIL needs no LHLO", around=out_of_order(b"MAIL", before_hello)),
    Fault("lhlo-hides-pipelining", "PIPELINING is not offered", outgoing=_hides(b"PIPELINING")),
    Fault("lhlo-hides-codes", "ENHANCEDSTATUSCODES is not offered", outgoing=_hides(b"ENHANCEDSTATUSCODES")),
    Fault("lhlo-hides-8bitmime", "8BITMIME is not offered", outgoing=_hides(b"8BITMIME")),
    Fault("data-554-for-nobody", "DATA for nobody is refused with 554", around=answers(b"DATA", 554, _for_nobody)),
    Fault("data-after-refusals", "DATA goes on once a recipient was refused", around=_data_after_refusals),
    Fault("group-loses-its-middle", "what is amid a long group is lost", incoming=_loses_of_long_groups),
    Fault("no-return-path", "delivery adds no Return-Path", stored=_without_return_path),
    Fault("received-with-esmtp", "the trace field says ESMTP", stored=_came_by_smtp),
    Fault("empty-quotes-close", "an empty quoted local-part ends the connection",
          around=closes_after(b"RCPT", holds(rb'<""'))),
    Fault("long-noop-closes", "NOOP with a long argument ends the connection",
          around=closes_after(b"NOOP", holds(rb".{400}"))),
)  # fmt: skip
