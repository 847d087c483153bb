"""Faults in the greeting, and in what is said where there is no service (RFC 5321 §3.1, §4.2, §4.3.1)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.fault_kinds import answers, closes_after
from conformance.refserver.session import After
from conformance.refserver.smtp_state import SmtpState

Outgoing = Callable[[SmtpState, bytes, bytes], bytes]


def _greets(line: bytes) -> Outgoing:
    """Greet otherwise."""
    return lambda session, verb, octets: line + b"\r\n" if verb == b"" else octets


def _adds(verb: bytes, pattern: bytes, by: bytes) -> Outgoing:
    """Change what a verb is answered; the greeting answers nothing."""
    found = re.compile(pattern)
    return lambda session, said, octets: found.sub(by, octets, count=1) if said == verb else octets


def _goes(*, after_greeting: bool) -> Outgoing:
    """End the session at its beginning."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        if verb != b"":
            return octets
        session.after = After.CLOSE
        return octets if after_greeting else b""

    return outgoing


def _greets_late(session: SmtpState, verb: bytes, octets: bytes, *, in_order: bool) -> bytes:
    """Keep the greeting until the client has spoken."""
    if verb == b"":
        session.memory["greeting"] = octets
        return b""
    kept = session.memory.pop("greeting", b"")
    assert isinstance(kept, bytes)
    return kept + octets if in_order else octets + kept


FAULTS: Final = (
    Fault("greet-nothing", "the connection is closed without a word", outgoing=_goes(after_greeting=False)),
    Fault("greet-250", "the greeting is 250", outgoing=_greets(b"250 mail.example.test ready")),
    Fault("greet-550", "the greeting is 550", outgoing=_greets(b"550 mail.example.test takes no mail")),
    Fault("greet-nobody", "the greeting has no name", outgoing=_greets(b"220 ")),
    Fault("greet-stars", "the greeting is made unreadable", outgoing=_greets(b"220 ****************")),
    Fault("greet-space", "two spaces stand before the name", outgoing=_greets(b"220  mail.example.test ESMTP")),
    Fault("greet-bad-literal", "the greeting names what is no address", outgoing=_greets(b"220 [300.1.1.1] ESMTP")),
    Fault("greet-underscore", "the server's name has an underscore", outgoing=_greets(b"220 my_mail.example.test")),
    Fault("greet-hyphen", "the server's name begins with a hyphen", outgoing=_greets(b"220 -mail.example.test ESMTP")),
    Fault("greet-bare-name", "the server's name has no dot", outgoing=_greets(b"220 mail ESMTP ready")),
    Fault("greet-literal", "the server names itself by its address", outgoing=_greets(b"220 [192.0.2.25] ESMTP ready")),
    Fault("greet-when-asked", "the greeting comes once the client has spoken", outgoing=(
        lambda session, verb, octets: _greets_late(session, verb, octets, in_order=True)
    )),
    Fault("greet-second", "the greeting comes behind the first answer", outgoing=(
        lambda session, verb, octets: _greets_late(session, verb, octets, in_order=False)
    )),
    Fault("greet-version", "the greeting tells product and version", outgoing=_adds(b"", rb"ready", b"Mailer 4.96")),
    Fault("ehlo-version", "EHLO tells product and version", outgoing=_adds(b"EHLO", rb"greets you", b"Mailer/1.4.6")),
    Fault("help-version", "HELP tells product and version", outgoing=_adds(
        b"HELP", rb"The protocol is", b"This is Mailer version 8.17, and",
    )),
    Fault("quit-version", "the farewell tells product and version", outgoing=_adds(b"QUIT", rb"closing", b"Mail v2.0")),
    Fault("no-service-goes", "after 554 the session is closed", outgoing=_goes(after_greeting=True)),
    Fault("no-service-goes-on-quit", "QUIT is not answered after 554", around=closes_after(b"QUIT"), outgoing=(
        lambda session, verb, octets: b"" if verb == b"QUIT" else octets
    )),
    Fault("no-service-noop", "NOOP is answered 250 after 554", around=answers(b"NOOP", 250)),
    Fault("no-service-ehlo", "EHLO is answered 250 after 554", around=answers(b"EHLO", 250)),
    Fault("no-service-500", "EHLO is unknown after 554", around=answers(b"EHLO", 500)),
)  # fmt: skip
