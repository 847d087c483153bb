"""Faults of a submission server (RFC 6409, RFC 8314)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies, sasl
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState
from conformance.refserver.transaction import Transaction


def _in_ehlo(pattern: bytes, by: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    found = re.compile(pattern)
    return lambda session, verb, octets: found.sub(by, octets) if verb == b"EHLO" else octets


def _takes_strangers(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take mail without a login, for anywhere."""
    if session.account is not None:
        return go_on()
    if verb == b"MAIL":
        return COMMANDS[verb].run(session, argument)
    foreign = verb == b"RCPT" and session.transaction is not None and b"elsewhere" in argument
    return replies.RECIPIENT_TAKEN if foreign else go_on()


def _null(session: SmtpState, argument: bytes) -> bool:
    return session.account is not None and argument == b"FROM:<>"


def _as_it_is(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take any reverse-path from who is logged in."""
    reply = go_on()
    if verb != b"MAIL" or reply not in {replies.NOT_QUALIFIED, replies.SOMEBODY_ELSE}:
        return reply
    account, session.account = session.account, None
    taken = COMMANDS[verb].run(session, argument)
    session.account = account
    return taken


def _unqualified(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return _as_it_is(session, verb, argument, go_on) if b"mailproofhost" in argument else go_on()


def _somebody(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return go_on() if b"mailproofhost" in argument else _as_it_is(session, verb, argument, go_on)


def _one_label(session: SmtpState, argument: bytes) -> bool:
    return b"@mailproofhost>" in argument and isinstance(session.transaction, Transaction)


def _confirms(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Look at the password before saying that it should not have been sent."""
    reply = go_on()
    if reply is not replies.MECHANISM_NEEDS_TLS:
        return reply
    fields = (sasl.decode_base64(argument.partition(b" ")[2]) or b"").split(b"\0")
    known = len(fields) == 3 and session.service.directory.authenticate(fields[1], fields[2]) is not None
    return reply if known else replies.AUTH_FAILED


def _without(keyword: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    return _in_ehlo(rb"250-" + keyword + rb"\b[^\r]*\r\n", b"")


FAULTS: Final = (
    Fault("submit-hides-auth", "AUTH is not offered", outgoing=_without(b"AUTH")),
    Fault("submit-takes-strangers", "mail is taken without a login", around=_takes_strangers),
    Fault("submit-no-notices", "the null reverse-path is refused", around=answers(b"MAIL", 550, _null)),
    Fault("submit-unqualified-senders", "a reverse-path may be unqualified", around=_unqualified),
    Fault("submit-unqualified-recipients", "a recipient may be unqualified", around=answers(b"RCPT", 250, _one_label)),
    Fault("submit-any-sender", "a user may send as somebody else", around=_somebody),
    Fault("submit-550", "a malformed address is answered 550", outgoing=lambda session, verb, octets: (
        b"550 5.1.7 Bad\r\n" if verb == b"MAIL" and octets.startswith(b"501") else octets)),
    Fault("submit-etrn", "ETRN is offered", outgoing=_in_ehlo(rb"250-SIZE", b"250-ETRN\r\n250-SIZE")),
    Fault("submit-no-pipelining", "PIPELINING is not offered", outgoing=_without(b"PIPELINING")),
    Fault("submit-no-esc", "ENHANCEDSTATUSCODES is not offered", outgoing=_without(b"ENHANCEDSTATUSCODES")),
    Fault("submit-no-dsn", "DSN is not offered", outgoing=_without(b"DSN")),
    Fault("submit-no-8bitmime", "8BITMIME is not offered", outgoing=_without(b"8BITMIME")),
    Fault("submit-no-id", "a message does not get a Message-ID",
          stored=lambda message: re.sub(rb"Message-ID: <t\d+@[^\r]*\r\n", b"", message)),
    Fault("submit-no-starttls", "STARTTLS is not offered", outgoing=_without(b"STARTTLS")),
    Fault("submit-confirms", "a right password is confirmed in clear text", around=_confirms),
)  # fmt: skip
