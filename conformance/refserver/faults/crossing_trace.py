"""Faults in what of an envelope comes to stand in a message (RFC 5321 §7.2, RFC 5322 §3.6.3)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.smtp_state import Reading, SmtpState

_FIELD: Final = re.compile(rb"X-Injected:[^\r\n>)\]\"]*")
_XTEXT: Final = re.compile(rb"\+([0-9A-F]{2})")

Incoming = Callable[[SmtpState, bytes], bytes]


def _finds_a_field(verbs: tuple[bytes, ...], pattern: bytes, by: bytes) -> Incoming:
    """Return what notes a field in some commands' arguments, and hears them without whatever fits a pattern."""
    odd = re.compile(pattern, re.DOTALL)

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        heard = _XTEXT.sub(lambda code: bytes([int(code[1], 16)]), octets)
        found = _FIELD.search(heard)
        if session.reading is not Reading.COMMAND or not octets.startswith(verbs) or found is None:
            return octets
        session.memory["field"] = found[0]
        return odd.sub(by, octets)

    return incoming


def _writes_it(session: SmtpState, content: bytes) -> bytes:
    field = session.memory.pop("field", None)
    return field + b"\r\n" + content if isinstance(field, bytes) else content


def _hides_bcc(session: SmtpState, content: bytes) -> bytes:
    """Hide a Bcc field from what takes it off."""
    return re.sub(rb"(?mi)^bcc:", b"X-Bcc:", content)


def _shows_bcc(message: bytes) -> bytes:
    return message.replace(b"\r\nX-Bcc:", b"\r\nBcc:")


FAULTS: Final = (
    Fault("x-hello-makes-fields", "what stands amid the argument of EHLO becomes a field", incoming=_finds_a_field(
        (b"EHLO", b"LHLO"), rb"(?<=LO ).*\r\n", b"odd.example\r\n",
    ), content=_writes_it),
    Fault("x-sender-makes-fields", "what stands amid the reverse-path becomes a field", incoming=_finds_a_field(
        (b"MAIL",), rb"<.*@", b"<odd@",
    ), content=_writes_it),
    Fault("x-parameters-make-fields", "what xtext says becomes a field", incoming=_finds_a_field(
        (b"MAIL", b"RCPT"), rb" (?:ENVID|AUTH|ORCPT)=\S*", b"",
    ), content=_writes_it),
    Fault("x-keeps-bcc", "Bcc is left where it is", content=_hides_bcc, stored=_shows_bcc),
)  # fmt: skip
