"""Faults in answering: too often, or not at all (RFC 5321 §4.2)."""

from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.fault_kinds import answers, says_nothing
from conformance.refserver.smtp_state import SmtpState

Outgoing = Callable[[SmtpState, bytes, bytes], bytes]


def _twice(verb: bytes, code: bytes = b"") -> Outgoing:
    """Answer a verb twice, if the answer begins with a code. The names are those of Fault.outgoing."""

    def outgoing(session: SmtpState, said: bytes, octets: bytes) -> bytes:
        return octets * 2 if said == verb and octets.startswith(code) else octets

    return outgoing


def _in_parts(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Answer DATA's end with a line for the filter and one for the queue."""
    return b"250 2.0.0 Clean\r\n" + octets if verb == b"." and octets.startswith(b"250") else octets


_UNANSWERED: Final = (b"HELO", b"VRFY", b"RSET", b"RCPT", b"DATA", b"QUIT")

FAULTS: Final = (
    Fault("twice-vrfy", "VRFY is answered twice", outgoing=_twice(b"VRFY")),
    Fault("twice-help", "HELP is answered twice", outgoing=_twice(b"HELP")),
    Fault("twice-ehlo", "EHLO is answered twice", outgoing=_twice(b"EHLO")),
    Fault("twice-greeting", "the greeting comes twice", outgoing=_twice(b"")),
    Fault("twice-rcpt", "RCPT is answered twice", outgoing=_twice(b"RCPT")),
    Fault("twice-unknown", "an unknown command is answered twice", outgoing=_twice(b"MAILPROOF")),
    Fault("twice-syntax", "a malformed MAIL is answered twice", outgoing=_twice(b"MAIL", b"501")),
    Fault("twice-long", "a line too long is answered twice", outgoing=_twice(b"?", b"500")),
    Fault("twice-end", "a message is answered twice", outgoing=_in_parts),
    Fault("twice-quit", "QUIT is answered twice", outgoing=_twice(b"QUIT")),
    *(Fault(f"never-{verb.decode().lower()}", f"{verb.decode()} is not answered", around=says_nothing(verb))
      for verb in _UNANSWERED),
    Fault("never-unknown", "an unknown command is not answered", outgoing=(
        lambda session, verb, octets: b"" if verb == b"MAILPROOF" else octets
    )),
    Fault("never-syntax", "a malformed MAIL is not answered", outgoing=(
        lambda session, verb, octets: b"" if verb == b"MAIL" and octets.startswith(b"501") else octets
    )),
    Fault("unknown-is-not-implemented", "an unknown command is answered 502", outgoing=(
        lambda session, verb, octets: octets.replace(b"500", b"502", 1) if verb == b"MAILPROOF" else octets
    )),
    Fault("vrfy-is-unknown", "VRFY is answered as an unknown command", around=answers(b"VRFY", 500)),
)  # fmt: skip
