"""Faults in enhanced status codes (RFC 2034 §4, RFC 3463 §3)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.smtp_state import SmtpState, State

Outgoing = Callable[[SmtpState, bytes, bytes], bytes]
_STATUS: Final = re.compile(rb"(?m)^([245][0-9]{2}[ -])[245]\.[0-9]+\.[0-9]+ ")


def _says(said: bytes, told: bytes, *verbs: bytes) -> Outgoing:
    """Return the function that opens a reply with another code, if it answers one of these verbs or none is named."""

    def outgoing(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
        return octets.replace(said, told, 1) if octets.startswith(said) and (not verbs or verb in verbs) else octets

    return outgoing


def _none_after_helo(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    plain = session.state is not State.START and not session.client.extended
    return _STATUS.sub(rb"\1", octets) if plain else octets


def _none_before_tls(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return _STATUS.sub(rb"\1", octets) if verb == b"STARTTLS" and octets.startswith(b"220") else octets


def _has_a_parameter(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return octets.replace(b"ENHANCEDSTATUSCODES\r\n", b"ENHANCEDSTATUSCODES 2034\r\n")


FAULTS: Final = (
    Fault("esc-parameter", "ENHANCEDSTATUSCODES has a parameter", outgoing=_has_a_parameter),
    Fault("esc-none-after-helo", "there are no codes after HELO", outgoing=_none_after_helo),
    Fault("esc-none-before-tls", "the 220 to STARTTLS has no code", outgoing=_none_before_tls),
    Fault("esc-unknown-command", "an unknown command is bad arguments", outgoing=_says(b"500 5.5.1", b"500 5.5.4")),
    Fault("esc-bad-sequence", "what is out of order is a syntax error", outgoing=_says(b"503 5.5.1", b"503 5.5.2")),
    Fault("esc-bad-argument", "a malformed parameter is a bad command", outgoing=_says(
        b"501 5.5.4", b"501 5.5.1", b"MAIL",
    )),
    Fault("esc-unknown-argument", "an unknown parameter is a bad command", outgoing=_says(b"555 5.5.4", b"555 5.5.1")),
    Fault("esc-bad-mailbox", "an unknown user is bad syntax", outgoing=_says(b"550 5.1.1", b"550 5.1.3")),
    Fault("esc-bad-recipient", "a malformed recipient is unknown", outgoing=_says(b"501 5.1.3", b"501 5.1.1")),
    Fault("esc-bad-sender", "a malformed sender is an unknown system", outgoing=_says(b"501 5.1.7", b"501 5.1.8")),
    Fault("esc-mailbox-full", "a full maildrop is disabled", outgoing=_says(b"552 5.2.2", b"552 5.2.1")),
    Fault("esc-size-too-big", "a size that is too big is a full maildrop", outgoing=_says(
        b"552 5.3.4", b"552 5.2.2", b"MAIL",
    )),
    Fault("esc-message-too-big", "a message that is too big is a full maildrop", outgoing=_says(
        b"552 5.3.4", b"552 5.2.2", b".",
    )),
    Fault("esc-too-many-recipients", "a recipient too many is a full disk", outgoing=_says(b"452 4.5.3", b"452 4.3.1")),
    Fault("esc-relay-denied", "a relay denied is an unknown user", outgoing=_says(b"550 5.7.1", b"550 5.1.1")),
)  # fmt: skip
