"""Faults in RSET, NOOP, HELP, VRFY, EXPN and QUIT (RFC 5321 §4.1.1.5 to §4.1.1.10)."""

from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import (
    Around,
    answers,
    before_hello,
    closes_after,
    does_but_answers,
    forgets_envelope,
    keeps_envelope,
    with_argument,
)
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_state import SmtpState, State


def _rset_ends_the_session(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if verb == b"RSET":
        session.forget_transaction()
        session.state = State.START
    return reply


def _rset_logs_out(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"RSET":
        session.account = None
    return go_on()


def _quit_delivers(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    transaction = session.transaction
    if verb == b"QUIT" and transaction is not None and transaction.recipients:
        transaction.deliver(b"", session.client, session.service, session.dialect.name, each=False)
    return go_on()


def _quit_stays(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if verb == b"QUIT":
        session.after = After.GO_ON
    return reply


def _says_250_of(verb: bytes, *texts: str, known_only: bool = False) -> Around:
    confirmation = replies.reply(250, "2.1.5", *texts)

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        known = not argument.startswith(b"nobody")
        return confirmation if said == verb and argument and (known or not known_only) else go_on()

    return around


def _without_argument(session: SmtpState, argument: bytes) -> bool:
    return not argument


FAULTS: Final = (
    Fault("rset-220", "RSET is answered 220", around=does_but_answers(b"RSET", 220)),
    Fault("rset-keeps-envelope", "RSET forgets nothing", around=keeps_envelope(b"RSET")),
    Fault("rset-wants-hello", "RSET before EHLO is refused", around=answers(b"RSET", 503, before_hello)),
    Fault("rset-closes", "RSET ends the connection", around=closes_after(b"RSET")),
    Fault("rset-ends-session", "after RSET EHLO must be said again", around=_rset_ends_the_session),
    Fault("rset-logs-out", "RSET ends the login", around=_rset_logs_out),
    Fault("noop-251", "NOOP is answered 251", around=answers(b"NOOP", 251)),
    Fault("noop-refuses-argument", "NOOP with an argument is refused", around=answers(b"NOOP", 501, with_argument)),
    Fault("noop-forgets-envelope", "NOOP clears the transaction", around=forgets_envelope(b"NOOP")),
    Fault("noop-wants-hello", "NOOP before EHLO is refused", around=answers(b"NOOP", 503, before_hello)),
    Fault("help-unknown", "there is no HELP", around=answers(b"HELP", 502)),
    Fault("help-forgets-envelope", "HELP clears the transaction", around=forgets_envelope(b"HELP")),
    Fault("help-wants-hello", "HELP before EHLO is out of order", around=answers(b"HELP", 503, before_hello)),
    Fault("vrfy-unknown", "VRFY is not recognised", around=answers(b"VRFY", 500)),
    Fault("vrfy-disabled-550", "a disabled VRFY denies everybody", around=answers(b"VRFY", 550)),
    Fault("vrfy-confirms-anybody", "VRFY confirms any name", around=_says_250_of(b"VRFY", "<somebody@example.test>")),
    Fault("vrfy-names-nobody", "VRFY says 250 and no mailbox", around=_says_250_of(b"VRFY", "Yes", known_only=True)),
    Fault("vrfy-forgets-envelope", "VRFY clears the transaction", around=forgets_envelope(b"VRFY")),
    Fault("vrfy-wants-hello", "VRFY before EHLO is out of order", around=answers(b"VRFY", 503, before_hello)),
    Fault("vrfy-without-name", "VRFY needs no name", around=answers(b"VRFY", 252, _without_argument)),
    Fault("expn-confirms-anybody", "EXPN expands any name", around=_says_250_of(b"EXPN", "<user1@example.test>")),
    Fault(
        "expn-crowded", "EXPN puts two mailboxes on a line",
        around=_says_250_of(b"EXPN", "<user1@example.test> <user2@example.test>", known_only=True),
    ),
    Fault("expn-forgets-envelope", "EXPN clears the transaction", around=forgets_envelope(b"EXPN")),
    Fault("quit-250", "QUIT is answered 250", around=does_but_answers(b"QUIT", 250)),
    Fault("quit-stays", "QUIT is answered, and the session goes on", around=_quit_stays),
    Fault("quit-wants-hello", "QUIT before EHLO is refused", around=answers(b"QUIT", 503, before_hello)),
    Fault("quit-delivers", "QUIT ends a transaction as if its data had come", around=_quit_delivers),
)
