"""Faults in the order of commands (RFC 5321 §4.1.4)."""

from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, answers, in_transaction
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState, State


def _loses_on_refusal(verb: bytes) -> Around:
    """Clear the transaction when a command is out of order in it."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        if said == verb and reply is replies.OUT_OF_ORDER:
            session.forget_transaction()
        return reply

    return around


def _sticks_after(verb: bytes, *, for_ever: bool) -> Around:
    """Refuse MAIL once a command was out of order; `for_ever`: after RSET too."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said == b"RSET" and not for_ever:
            session.memory.pop("stuck", None)
        if said == b"MAIL" and "stuck" in session.memory:
            return replies.OUT_OF_ORDER
        reply = go_on()
        if said == verb and reply is replies.OUT_OF_ORDER:
            session.memory["stuck"] = True
        return reply

    return around


def _rcpt_after_a_message(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"DATA" and session.state is State.RCPT:
        session.memory["sent"] = True
    if verb == b"RCPT" and session.state is State.READY and "sent" in session.memory:
        return replies.RECIPIENT_TAKEN
    return go_on()


def _recipients_survive(what: bytes) -> Around:
    """Let the recipients of a transaction that was cut short belong to the next one."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb == what and session.transaction is not None:
            session.memory["recipients"] = session.transaction.recipients
        reply = go_on()
        recipients = session.memory.get("recipients")
        if verb == b"MAIL" and reply is replies.SENDER_TAKEN and isinstance(recipients, list) and recipients:
            assert session.transaction is not None
            session.transaction.recipients.extend(recipients)
            session.state = State.RCPT
        return reply

    return around


def _nothing_between(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Want RCPT directly behind MAIL."""
    if verb == b"RCPT" and session.state is State.MAIL and session.memory.get("last") != b"MAIL":
        return replies.OUT_OF_ORDER
    session.memory["last"] = verb
    return go_on()


def _no_recipient_after_an_error(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse further recipients once MAIL was refused inside the transaction."""
    if verb == b"RCPT" and session.memory.get("erred") is session.transaction is not None:
        return replies.OUT_OF_ORDER
    reply = go_on()
    if verb == b"MAIL" and reply is replies.OUT_OF_ORDER:
        session.memory["erred"] = session.transaction
    return reply


FAULTS: Final = (
    Fault("order-data-loses", "DATA out of order clears the transaction", around=_loses_on_refusal(b"DATA")),
    Fault("order-mail-loses", "MAIL out of order clears the transaction", around=_loses_on_refusal(b"MAIL")),
    Fault("order-rcpt-sticks", "after RCPT out of order RSET is needed", around=_sticks_after(
        b"RCPT", for_ever=False,
    )),
    Fault("order-data-sticks", "after DATA out of order there is no MAIL", around=_sticks_after(
        b"DATA", for_ever=True,
    )),
    Fault("order-rcpt-after-message", "RCPT after a message is taken", around=_rcpt_after_a_message),
    Fault("order-no-vrfy-inside", "VRFY in a transaction is out of order", around=answers(
        b"VRFY", 503, in_transaction,
    )),
    Fault("order-recipients-survive-rset", "recipients outlive RSET", around=_recipients_survive(b"RSET")),
    Fault("order-recipients-survive-ehlo", "recipients outlive EHLO", around=_recipients_survive(b"EHLO")),
    Fault("order-nothing-between", "nothing may be said between MAIL and RCPT", around=_nothing_between),
    Fault("order-no-second-chance", "no recipient after a MAIL out of order", around=_no_recipient_after_an_error),
)  # fmt: skip
