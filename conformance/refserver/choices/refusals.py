"""Whom and what a server refuses, when, and in which code: policy (RFC 5321 §7.9), and the latitude of §4.3.2."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, When, always, answers
from conformance.refserver.replies import Reply, reply
from conformance.refserver.smtp_state import SmtpState, State

_DOOMED: Final = "doomed"          # the transaction has a recipient who is to be refused later
_UNKNOWN: Final = reply(550, "5.1.1", "No valid recipients")
_NO_LATER: Final = (replies.NO_SUCH_MAILBOX, replies.NO_RELAYING)
# RFC 3207 §4, and BDAT, whose octets must be read before it is refused.
_FREE_OF_TLS: Final = {b"EHLO", b"HELO", b"LHLO", b"NOOP", b"STARTTLS", b"QUIT", b"RSET", b"HELP", b"BDAT"}
_NEEDS_LOGIN: Final = {b"MAIL", b"RCPT", b"DATA", b"VRFY", b"EXPN", b"ETRN"}


def _instead(*told: Reply, told_as: Reply) -> Around:
    """Answer otherwise where the lawful answer would be one of these."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        given = go_on()
        return told_as if given in told else given

    return around


def _takes_for_now(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take a recipient who will be refused later, and the others with him."""
    if verb == b"MAIL":
        session.memory.pop(_DOOMED, None)
    given = go_on()
    if verb != b"RCPT" or given not in _NO_LATER:
        return given
    session.memory[_DOOMED] = True
    session.state = State.RCPT
    return replies.RECIPIENT_TAKEN


def _refuses_at_data(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"DATA" and session.state is State.RCPT and session.memory.get(_DOOMED):
        return _UNKNOWN
    return _takes_for_now(session, verb, argument, go_on)


def _drop_doomed(session: SmtpState, content: bytes) -> bytes | None:
    return None if session.memory.get(_DOOMED) else content


def _say_doomed(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb in {b".", b"BDAT"} and octets.startswith(b"552") and session.memory.get(_DOOMED):
        return _as_offered(session, _UNKNOWN)
    return octets


def _as_offered(session: SmtpState, made: Reply) -> bytes:
    with_status = "ENHANCEDSTATUSCODES" in session.service.behaviour.extensions
    return made.octets if with_status else made.bare


def _from(pattern: bytes) -> When:
    """Say whether a reverse-path is one of those."""
    found = re.compile(rb"FROM: ?<" + pattern, re.IGNORECASE)
    return lambda session, argument: found.match(argument) is not None and session.state is State.READY


def _refuses(verb: bytes, told: Reply, when: When = always) -> Around:
    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return told if said == verb and when(session, argument) else go_on()

    return around


def _unless(free: Callable[[SmtpState, bytes], bool], told: Reply) -> Around:
    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return go_on() if free(session, verb) else told

    return around


def _content_is_spam(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    if verb in {b".", b"BDAT"} and octets.startswith(b"552") and session.memory.pop("spam", None):
        return _as_offered(session, reply(554, "5.7.1", "Rejected as spam"))
    return octets


def _refuse_content(session: SmtpState, content: bytes) -> bytes | None:
    session.memory["spam"] = True
    return None


_ELSEWHERE: Final = _from(rb"[^>]*@(?!(?:[^>]*\.)?example\.test>)[^>]*>")
_HERE: Final = _from(rb"[^>]*@example\.test>")

CHOICES: Final = (
    *(
        Fault(f"no-such-mailbox-{code}", "another code", around=_instead(replies.NO_SUCH_MAILBOX, told_as=told))
        for code, told in (
            (551, reply(551, "5.1.6", "User not local; please try <somebody@elsewhere.invalid>")),
            (553, reply(553, "5.1.1", "Mailbox name not allowed")),
            (554, reply(554, "5.7.1", "Recipient address rejected: access denied")),
            (450, reply(450, "4.1.1", "Unverified address: in progress")),
        )
    ),
    *(
        Fault(f"no-relaying-{code}", "another code", around=_instead(replies.NO_RELAYING, told_as=told))
        for code, told in (
            (551, reply(551, "5.7.1", "User not local; please try <somebody@elsewhere.invalid>")),
            (553, reply(553, "5.7.1", "Sorry, that domain is not in my list")),
            (554, reply(554, "5.7.1", "Relay access denied")),
            (454, reply(454, "4.7.1", "Relay access denied")),
        )
    ),
    Fault("refuses-at-data", "recipients are looked up at DATA", around=_refuses_at_data),
    Fault(
        "refuses-at-the-end", "recipients are looked up after the mail data",
        around=_takes_for_now, content=_drop_doomed, outgoing=_say_doomed,
    ),
    Fault("refuses-content", "every message is spam", content=_refuse_content, outgoing=_content_is_spam),
    Fault(
        "unknown-domains-450", "senders' domains must exist, and a name server does not answer",
        around=_refuses(b"MAIL", reply(450, "4.1.8", "Sender address rejected: Domain not found"), _ELSEWHERE),
    ),
    Fault(
        "unknown-domains-550", "senders' domains must exist",
        around=_refuses(b"MAIL", reply(550, "5.1.8", "Sender address rejected: Domain not found"), _ELSEWHERE),
    ),
    Fault(
        "own-senders-553", "its own users must log in to send",
        around=_refuses(
            b"MAIL", reply(553, "5.7.1", "Sender address rejected: not logged in"),
            lambda session, argument: session.account is None and _HERE(session, argument),
        ),
    ),
    Fault(
        "needs-tls", "RFC 3207 §4: nothing without TLS",
        around=_unless(
            lambda session, verb: session.cipher is not None or verb in _FREE_OF_TLS,
            reply(530, "5.7.0", "Must issue a STARTTLS command first"),
        ),
    ),
    Fault(
        "needs-login", "RFC 4954 §6: nothing without a login",
        around=_unless(
            lambda session, verb: session.account is not None or verb not in _NEEDS_LOGIN,
            reply(530, "5.7.0", "Authentication required"),
        ),
    ),
    Fault("vrfy-502", "RFC 5321 §3.5.3: not implemented", around=answers(b"VRFY", 502)),
    Fault("vrfy-needs-login", "RFC 4954 §6", around=_refuses(b"VRFY", reply(530, "5.7.0", "Authentication required"))),
    Fault("expn-550", "no list is told of", around=answers(b"EXPN", 550)),
    Fault("help-211", "RFC 5321 §4.2.2: a system status", around=answers(b"HELP", 211)),
    Fault("starttls-454", "RFC 3207 §4: not just now", around=answers(b"STARTTLS", 454)),
    Fault("auth-454", "RFC 4954 §4.7.1: not just now", around=answers(b"AUTH", 454)),
)
