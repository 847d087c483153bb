"""Faults in MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3)."""

import re
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers, does_but_answers, hears, holds, says_nothing
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State


def _nests(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take MAIL inside a transaction, and keep the recipients."""
    return replies.SENDER_TAKEN if verb == b"MAIL" and session.transaction is not None else go_on()


def _once_refused_always_refused(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """After a refused MAIL take no other one before RSET."""
    if verb == b"RSET":
        session.memory.pop("refused", None)
    if verb == b"MAIL" and "refused" in session.memory:
        return replies.OUT_OF_ORDER
    reply = go_on()
    if verb == b"MAIL" and reply is not None and reply.refuses:
        session.memory["refused"] = True
    return reply


def _one_message_a_session(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"MAIL" and "sent" in session.memory:
        return replies.OUT_OF_ORDER
    if verb == b"DATA" and session.state is State.RCPT:
        session.memory["sent"] = True
    return go_on()


def _one_bad_ends_all(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if verb == b"RCPT" and reply is replies.NO_SUCH_MAILBOX:
        session.forget_transaction()
    return reply


def _last_one_decides(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse DATA if the last recipient was refused."""
    if verb == b"DATA" and session.memory.get("last refused"):
        return replies.OUT_OF_ORDER
    reply = go_on()
    if verb == b"RCPT" and reply is not None:
        session.memory["last refused"] = reply.refuses
    return reply


def _second_recipient(session: SmtpState, argument: bytes) -> bool:
    return session.state is State.RCPT


def _hangs_up_on_empty_quotes(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"RCPT" and b'""@' in argument:
        session.after = After.CLOSE
        return None
    return go_on()


def _lowers_return_path(message: bytes) -> bytes:
    first, end, rest = message.partition(b"\r\n")
    return first.lower().replace(b"return-path", b"Return-Path") + end + rest


def _takes_any_path(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take a reverse-path whatever it looks like."""
    if verb != b"MAIL" or session.state is not State.READY or b"@" not in argument:
        return go_on()
    return COMMANDS[b"MAIL"].run(session, b"FROM:<user1@example.test>") if _MALFORMED.search(argument) else go_on()


_MALFORMED: Final = re.compile(rb"@@|<[^>]*$|\AFROM<|\A<")
_ROUTE: Final = rb"<@[^:>]*:"

FAULTS: Final = (
    Fault("mail-354", "MAIL is answered 354", around=does_but_answers(b"MAIL", 354)),
    Fault("mail-null-unknown", "the null reverse-path is a syntax error", around=answers(b"MAIL", 501, holds(rb"<>"))),
    Fault("mail-null-refused", "the null reverse-path is refused", around=answers(b"MAIL", 550, holds(rb"<>"))),
    Fault("mail-without-path", "MAIL needs no path", around=hears(b"MAIL", rb"\A(FROM:)?\Z", b"FROM:<>")),
    Fault("mail-takes-anything", "a malformed reverse-path is taken", around=_takes_any_path),
    Fault("mail-refused-once", "a refused MAIL must be followed by RSET", around=_once_refused_always_refused),
    Fault("mail-nests", "MAIL inside a transaction keeps its recipients", around=_nests),
    Fault("mail-any-parameter", "MAIL passes over what it does not know", around=hears(
        b"MAIL", rb" (XMAILPROOF=1|=x|SIZE=1=2|SIZE=)\Z", b"",
    )),
    Fault("mail-no-routes", "a source route before a sender is a syntax error", around=answers(
        b"MAIL", 501, holds(_ROUTE),
    )),
    Fault("mail-no-literals", "an address literal is a syntax error", around=answers(b"MAIL", 501, holds(rb"@\["))),
    Fault("mail-lowers-case", "the sender is kept in lower case", stored=_lowers_return_path),
    Fault("mail-once", "a session takes one message", around=_one_message_a_session),
    Fault("rcpt-354", "RCPT is answered 354", around=does_but_answers(b"RCPT", 354)),
    Fault("rcpt-before-mail-554", "RCPT without MAIL is answered 554", around=answers(
        b"RCPT", 554, lambda session, argument: session.transaction is None,
    )),
    Fault("rcpt-takes-rejected", "mail for nobody is taken", around=hears(b"RCPT", rb"nobody", b"user2")),
    Fault("rcpt-refuses-with-500", "a bad recipient is answered 500", around=answers(b"RCPT", 500, holds(rb"nobody"))),
    Fault("rcpt-only-one", "a second recipient is out of order", around=answers(b"RCPT", 503, _second_recipient)),
    Fault("rcpt-bad-ends-all", "a bad recipient ends the transaction", around=_one_bad_ends_all),
    Fault("rcpt-last-decides", "DATA is refused after a bad recipient", around=_last_one_decides),
    Fault("rcpt-no-routes", "a source route is a syntax error", around=answers(b"RCPT", 501, holds(_ROUTE))),
    Fault("rcpt-loses-routed", "mail for a source route is taken and lost", around=hears(
        b"RCPT", rb"<@[^:>]*:user1@", b"<user3@",
    )),
    Fault("rcpt-domain-case", "the domain must be in lower case", around=answers(
        b"RCPT", 550, lambda session, argument: b"EXAMPLE.TEST" in argument,
    )),
    Fault("rcpt-no-quotes", "a quoted local-part is unknown", around=answers(b"RCPT", 550, holds(rb'<"[a-z]'))),
    Fault("rcpt-no-quoted-pairs", "quoted pairs are unknown", around=answers(b"RCPT", 550, holds(rb'<"\\'))),
    Fault("rcpt-any-parameter", "RCPT passes over what it does not know", around=hears(b"RCPT", rb" XM.*\Z", b"")),
    Fault("rcpt-null", "the null path is a recipient", around=hears(
        b"RCPT", rb"\ATO:<>", b"TO:<user1@example.test>",
    )),
    Fault("rcpt-without-path", "RCPT needs no path", around=hears(
        b"RCPT", rb"\A(TO:)?\Z", b"TO:<user1@example.test>",
    )),
    Fault("rcpt-hangs-up", "an empty quoted local-part ends the session", around=_hangs_up_on_empty_quotes),
    Fault("rcpt-no-literals", "an address literal is a syntax error", around=answers(b"RCPT", 501, holds(rb"@\["))),
    Fault("rcpt-unanswered", "RCPT is never answered", around=says_nothing(b"RCPT")),
)  # fmt: skip
