"""Faults in who may log in how, who must, and what becomes of those who guess (RFC 4954 §4, §6, §9)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies, sasl
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_auth import begin_exchange
from conformance.refserver.smtp_state import SmtpState

_LATER_S: Final = 0.25


def _outgoing(old: bytes, new: bytes, *, verb: bytes, in_tls: bool | None = None) -> Callable[..., bytes]:
    """Return the function that changes the replies to a verb, inside TLS, outside, or everywhere."""
    found = re.compile(old)

    def outgoing(session: SmtpState, said: bytes, octets: bytes) -> bytes:
        here = in_tls is None or (session.cipher is not None) is in_tls
        return found.sub(new, octets) if said == verb and here else octets

    return outgoing


def _lets_in(mechanism: bytes) -> Around:
    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return replies.AUTHENTICATED if verb == b"AUTH" and argument.startswith(mechanism) else go_on()

    return around


def _takes_in_clear(mechanism: str) -> Around:
    """Take a mechanism that is not on offer before TLS."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        name, _, initial = argument.partition(b" ")
        if verb != b"AUTH" or name != mechanism.encode() or session.cipher is not None or session.account is not None:
            return go_on()
        exchange = sasl.start_exchange(mechanism, session.service.directory, session.service.timestamp())
        return begin_exchange(session, exchange, sasl.decode_base64(initial) if initial else None)

    return around


def _once_refused(*verbs: bytes) -> Around:
    """Refuse other commands too, once MAIL was refused for want of a login."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if session.memory.get("stranger") and verb in verbs:
            return replies.LOGIN_REQUIRED
        reply = go_on()
        if reply is replies.LOGIN_REQUIRED:
            session.memory["stranger"] = True
        return reply

    return around


def _count(session: SmtpState, what: str) -> int:
    number = session.memory.get(what, 0)
    assert isinstance(number, int)
    session.memory[what] = number + 1
    return number + 1


def _two_chances(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    second = reply is replies.AUTH_FAILED and _count(session, "failed") == 2
    return replies.TOO_MANY_FAILED_LOGINS if second else reply


def _forgets_failures(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    session.failed_logins = 0
    return go_on()


def _breaks_on_switches(session: SmtpState, octets: bytes) -> bytes:
    """End the session at the third exchange that is cancelled."""
    if octets == b"*\r\n" and _count(session, "cancelled") == 3:
        session.after = After.CLOSE
    return octets


def _is_unknown(session: SmtpState, verb: bytes, octets: bytes) -> float:
    return _LATER_S if octets.startswith(b"535") and session.memory.get("unknown") else 0.0


def _notes_strangers(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"AUTH":
        fields = (sasl.decode_base64(argument.partition(b" ")[2]) or b"").split(b"\0")
        session.memory["unknown"] = len(fields) == 3 and fields[1].startswith(b"nobody")
    return go_on()


FAULTS: Final = (
    Fault("auth-lists-nothing", "AUTH names no mechanism",
          outgoing=_outgoing(rb"([ -])AUTH [^\r]*", rb"\1AUTH", verb=b"EHLO")),
    Fault("auth-lists-nothing-in-clear", "AUTH names no mechanism before TLS",
          outgoing=_outgoing(rb"([ -])AUTH [^\r]*", rb"\1AUTH", verb=b"EHLO", in_tls=False)),
    Fault("auth-anonymous", "ANONYMOUS is not offered, and lets in", around=_lets_in(b"ANONYMOUS")),
    Fault("auth-external", "EXTERNAL is not offered, and lets in", around=_lets_in(b"EXTERNAL")),
    Fault("auth-plain-in-clear", "PLAIN is not offered before TLS, and lets in", around=_takes_in_clear("PLAIN")),
    Fault("auth-login-in-clear", "LOGIN is not offered before TLS, and lets in", around=_takes_in_clear("LOGIN")),
    Fault("auth-no-plain-in-tls", "PLAIN is not offered in TLS",
          outgoing=_outgoing(rb"AUTH PLAIN ", rb"AUTH ", verb=b"EHLO", in_tls=True)),
    Fault("auth-required-550", "mail without a login is answered 550",
          outgoing=_outgoing(rb"530 5.7.0", rb"550 5.7.1", verb=b"MAIL")),
    Fault("auth-required-of-all", "strangers may not even leave",
          around=_once_refused(b"EHLO", b"HELO", b"NOOP", b"RSET", b"QUIT")),
    Fault("auth-required-of-auth", "a login needs a login", around=_once_refused(b"AUTH")),
    Fault("auth-two-chances", "the second wrong password ends the session", around=_two_chances),
    Fault("auth-endless-chances", "wrong passwords are taken for ever", around=_forgets_failures),
    Fault("auth-slow-to-strangers", "an unknown user is answered later",
          around=_notes_strangers, pause_s=_is_unknown),
    Fault("auth-breaks-on-switches", "the third exchange that is cancelled ends the session",
          incoming=_breaks_on_switches),
    Fault("auth-untold", "the trace field does not tell of the login",
          stored=lambda message: re.sub(rb" with ESMTP(S?)A", rb" with ESMTP\1", message)),
)  # fmt: skip
