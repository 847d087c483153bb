"""AUTH: a SASL exchange in SMTP's words (RFC 4954 §4)."""

from dataclasses import replace

from conformance.refserver import replies, sasl
from conformance.refserver.directory import Account
from conformance.refserver.failed import Failed
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import Reading, SmtpState


def auth(session: SmtpState, argument: bytes) -> Reply:
    """AUTH mechanism [initial-response]."""
    if session.account is not None:
        return replies.ALREADY_AUTHENTICATED
    mechanism_octets, space, encoded = argument.partition(b" ")
    if not mechanism_octets or b" " in encoded:
        return replies.SYNTAX
    mechanism = mechanism_octets.upper().decode("ascii", "replace")
    if mechanism not in session.known_mechanisms():
        return replies.UNKNOWN_MECHANISM
    if mechanism not in session.mechanisms():
        return replies.MECHANISM_NEEDS_TLS
    initial = None
    if space:
        initial = b"" if encoded == b"=" else sasl.decode_base64(encoded)     # "=" stands for no octets
        if initial is None:
            return replies.BAD_SASL_OCTETS
    return begin_exchange(session, _exchange(session, mechanism), initial)


def _exchange(session: SmtpState, mechanism: str) -> sasl.Exchange:
    service = session.service
    for fault in service.behaviour.faults:
        if mechanism in fault.exchanges:
            return fault.exchanges[mechanism](service.directory, service.timestamp())
    return sasl.start_exchange(mechanism, service.directory, service.timestamp())


def begin_exchange(session: SmtpState, exchange: sasl.Exchange, initial: bytes | None) -> Reply:
    """Begin an exchange with the initial response (None: there was none), and return the first reply."""
    session.exchange = exchange
    session.reading = Reading.SASL_RESPONSE
    return _reply_to(session, exchange.begin(initial))


def sasl_response(session: SmtpState, line: bytes) -> Reply:
    """Answer one line of the client in an exchange."""
    assert session.exchange is not None
    if line == b"*":
        end_exchange(session)
        return replies.AUTH_CANCELLED
    response = sasl.decode_base64(line)
    return _reply_to(session, Failed.SYNTAX if response is None else session.exchange.answer(response))


def end_exchange(session: SmtpState) -> None:
    """Go back to reading commands."""
    session.exchange = None
    session.reading = Reading.COMMAND


def _reply_to(session: SmtpState, step: bytes | Account | Failed) -> Reply:
    if isinstance(step, bytes):
        return replies.reply(334, "", sasl.encode_base64(step).decode("ascii"))
    end_exchange(session)
    if isinstance(step, Account):
        session.account = step
        session.client = replace(session.client, authenticated=True)
        return replies.AUTHENTICATED
    if step is Failed.SYNTAX:
        return replies.BAD_SASL_OCTETS
    session.failed_logins += 1
    if session.failed_logins >= session.service.limits.failed_logins:
        return replies.TOO_MANY_FAILED_LOGINS
    return replies.AUTH_FAILED
