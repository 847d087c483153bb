"""Faults in RSET, NOOP, HELP, VRFY, EXPN and QUIT (RFC 5321 §4.1.1.5 to §4.1.1.10)."""

from typing import Final

from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import (
    answers,
    before_hello,
    closes_after,
    does_but_answers,
    forgets_envelope,
    keeps_envelope,
    with_argument,
)
from conformance.refserver.replies import Reply
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
)
