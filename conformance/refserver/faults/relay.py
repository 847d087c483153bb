"""Faults in relay control (RFC 5321 §3.6.2, §7.9): ways in which a stranger's mail is sent on."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.address import parse_mailbox
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around
from conformance.refserver.parameters import NO_RCPT_PARAMETERS
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State
from conformance.refserver.transaction import Recipient

_USER: Final = rb"(?P<user>[a-z0-9-]+)"
_DOMAIN: Final = rb"(?P<domain>(?!example\.test\b)[a-z0-9.-]+)"
_OURS: Final = rb"example\.test"
_LITERAL: Final = rb"\[192\.0\.2\.25\]"
_LOCAL: Final = rb"(?:" + _OURS + rb"|" + _LITERAL + rb")"
_PLAIN: Final = _USER + rb"@" + _DOMAIN
_SENDER_WITHOUT_DOMAIN: Final = re.compile(rb"FROM:<[^@>]+>", re.IGNORECASE)

When = Callable[[SmtpState], bool]


def _always(session: SmtpState) -> bool:
    return True


def _sends_on(path: bytes, when: When = _always) -> Around:
    """Take a forward-path of a form for somebody outside, and send it on there."""
    found = re.compile(rb"TO:<" + path + rb">", re.IGNORECASE)

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        match = found.fullmatch(argument) if verb == b"RCPT" and session.transaction is not None else None
        if match is None or session.transaction is None or not when(session):
            return go_on()
        outside = parse_mailbox(match["user"] + b"@" + match["domain"])
        if outside is None:
            return go_on()
        session.transaction.recipients.append(Recipient(outside, "", NO_RCPT_PARAMETERS, sent_on=True))
        session.state = State.RCPT
        return replies.RECIPIENT_TAKEN

    return around


def _sender(pattern: bytes) -> When:
    """Return the question whether the reverse-path fits a pattern."""
    found = re.compile(pattern, re.IGNORECASE)
    return lambda session: session.transaction is not None and bool(
        found.fullmatch(session.transaction.reverse_path.mailbox)
    )


def _hello(pattern: bytes) -> When:
    found = re.compile(pattern.decode("ascii"), re.IGNORECASE)
    return lambda session: found.fullmatch(session.client.helo) is not None


def _after_a_recipient(session: SmtpState) -> bool:
    return session.state is State.RCPT


def _remembers(*verbs: bytes) -> Callable[[SmtpState, bytes, bytes], bytes]:
    """Return the function that remembers of each verb the last reply."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        if verb in verbs:
            session.memory[verb.decode("ascii", "replace")] = octets[:3]
        return octets

    return outgoing


def _last(verb: bytes, code: bytes) -> When:
    return lambda session: session.memory.get(verb.decode("ascii")) == code


def _anybody_without_domain(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take a reverse-path without a domain as one of the server's own, who may send anywhere."""
    if verb == b"MAIL":
        session.memory["own"] = bool(_SENDER_WITHOUT_DOMAIN.fullmatch(argument))
        if session.memory["own"] and session.state is State.READY:
            return COMMANDS[b"MAIL"].run(session, b"FROM:<user1@example.test>")
    return _sends_on(_PLAIN, lambda session: session.memory.get("own") is True)(session, verb, argument, go_on)


def _refuses_with(code: int) -> Around:
    refusal = replies.reply(code, "5.7.1", "No relaying")

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        return refusal if reply is replies.NO_RELAYING else reply

    return around


FAULTS: Final = (
    Fault("open-relay", "mail for anybody is taken and sent on", around=_sends_on(_PLAIN)),
    Fault("relays-after-helo", "who said HELO may send anywhere", around=_sends_on(
        _PLAIN, lambda session: not session.client.extended,
    )),
    Fault("relays-in-tls", "who speaks TLS may send anywhere", around=_sends_on(
        _PLAIN, lambda session: session.cipher is not None,
    )),
    Fault("relays-by-auth-parameter", "who is said to have logged in elsewhere may send anywhere", around=_sends_on(
        _PLAIN, lambda session: session.transaction is not None and session.transaction.parameters.auth is not None,
    )),
    Fault(
        "relays-second-message", "who has sent a message may send anywhere",
        around=_sends_on(_PLAIN, _last(b".", b"250")), outgoing=_remembers(b"."),
    ),
    Fault("relay-refused-554", "a refusal to relay is answered 554", around=_refuses_with(554)),
    Fault("relays-for-null", "the null reverse-path may send anywhere", around=_sends_on(_PLAIN, _sender(rb""))),
    Fault("relays-for-local", "who says he is a local user may send anywhere", around=_sends_on(
        _PLAIN, _sender(rb"user1@" + _OURS),
    )),
    Fault("relays-for-postmaster", "who says he is postmaster may send anywhere", around=_sends_on(
        _PLAIN, _sender(rb"postmaster@" + _OURS),
    )),
    Fault("relays-for-literal", "who says he is at the server's address may send anywhere", around=_sends_on(
        _PLAIN, _sender(rb"[^@]+@" + _LITERAL),
    )),
    Fault("relays-for-short-names", "who gives no domain may send anywhere", around=_anybody_without_domain),
    Fault("relays-percent", "percent is read as at", around=_sends_on(
        rb'(?:"?' + _USER + rb"%" + _DOMAIN + rb'"?)(?:@' + _LOCAL + rb")?",
    )),
    Fault("relays-quoted", "quotes around an address are taken off", around=_sends_on(
        rb'"' + _PLAIN + rb'"(?:@' + _LOCAL + rb")?",
    )),
    Fault("relays-double-at", "the first of two at signs counts", around=_sends_on(_PLAIN + rb"@" + _LOCAL)),
    Fault("relays-bang", "a bang path is followed", around=_sends_on(
        _DOMAIN + rb"!" + _USER + rb"(?:@" + _LOCAL + rb")?",
    )),
    Fault("relays-capitals", "a domain in capitals is not known as another's", around=_sends_on(
        _USER + rb"@(?P<domain>(?-i:[a-z.]*[A-Z][A-Za-z.]*))",
    )),
    Fault("relays-routes", "a source route is followed", around=_sends_on(
        rb"@" + _LOCAL + rb"(?:,@[a-z.]+)?:" + _PLAIN,
    )),
    Fault("relays-trailing-dot", "a dot behind the domain hides it", around=_sends_on(_PLAIN + rb"\.")),
    Fault("relays-colon", "a colon is read as a route", around=_sends_on(_DOMAIN + rb":" + _USER)),
    Fault("relays-suffixes", "a domain in which ours stands is taken for ours", around=_sends_on(
        _USER + rb"@(?P<domain>" + _OURS + rb"\.[a-z.]+|not" + _OURS + rb")",
    )),
    Fault("relays-subdomains", "mail for any subdomain is taken and sent on", around=_sends_on(
        _USER + rb"@(?P<domain>[a-z]+\." + _OURS + rb")",
    )),
    Fault("relays-after-valid", "after a valid recipient anybody may follow", around=_sends_on(
        _PLAIN, _after_a_recipient,
    )),
    Fault(
        "relays-after-failed-auth", "who failed to log in may send anywhere",
        around=_sends_on(_PLAIN, _last(b"AUTH", b"535")), outgoing=_remembers(b"AUTH"),
    ),
    Fault(
        "relays-after-aborted-auth", "who broke a login off may send anywhere",
        around=_sends_on(_PLAIN, _last(b"AUTH", b"501")), outgoing=_remembers(b"AUTH"),
    ),
    Fault("relays-for-own-names", "who says EHLO with our name may send anywhere", around=_sends_on(
        _PLAIN, _hello(rb"example\.test|mail\.example\.test|\[192\.0\.2\.25\]|localhost"),
    )),
    Fault("relays-loopback", "an address of loopback is sent on", around=_sends_on(
        _USER + rb"@(?P<domain>\[(?:127\.0\.0\.1|IPv6:::1)\])",
    )),
    Fault("relays-to-nul", "an address ends for some of the server at NUL or a space", around=_sends_on(
        _PLAIN + rb"[\0 ]@" + _LOCAL,
    )),
    Fault("relays-past-nul", "the domain is looked at up to NUL", around=_sends_on(
        _USER + rb"@" + _LOCAL + rb"\0@" + rb"(?P<domain>[a-z.-]+)",
    )),
)  # fmt: skip
