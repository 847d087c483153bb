"""Faults of a server that is asked as over X.25 (RFC 1090): line ends, packets, times."""

from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.smtp_state import SmtpState

_PACKET: Final = 2_048


def _deaf_to_lf(session: SmtpState, octets: bytes) -> bytes:
    """Wait for the CRLF that does not come."""
    return octets.removesuffix(b"\n") if octets.endswith(b"\n") and not octets.endswith(b"\r\n") else octets


def _deaf_to_lf_inside(session: SmtpState, octets: bytes) -> bytes:
    return _deaf_to_lf(session, octets) if octets.startswith((b"MAIL", b"RCPT")) else octets


def _takes_packets_for_lines(session: SmtpState, octets: bytes) -> bytes:
    """End every full packet with a CRLF of its own."""
    return octets + b"\r\n" if len(octets) == _PACKET else octets


def _loses_a_dot_across_packets(session: SmtpState, octets: bytes) -> bytes:
    """Forget at the end of a packet that a dot was to be undone: both dots stay."""
    return octets + b"." if len(octets) == _PACKET and octets.endswith(b"\n.") else octets


def _loses_a_cr(session: SmtpState, octets: bytes) -> bytes:
    return octets[:-1] + b" \r" if len(octets) == _PACKET and octets.endswith(b"\r") else octets


FAULTS: Final = (
    Fault("lf-is-no-end", "a line that ends with LF alone is never answered", incoming=_deaf_to_lf),
    Fault("lf-is-no-end-inside", "MAIL and RCPT that end with LF alone are never answered",
          incoming=_deaf_to_lf_inside),
    Fault("packets-are-lines", "the end of a packet is taken for the end of a line", incoming=_takes_packets_for_lines),
    Fault("packets-end-stuffing", "the end of a packet is forgotten by what undoes dots",
          incoming=_loses_a_dot_across_packets),
    Fault("packets-part-line-ends", "CR and LF in two packets are no line end", incoming=_loses_a_cr),
    Fault("never-ready", "nobody is greeted", outgoing=lambda session, verb, octets: octets if verb else b""),
    Fault("message-unanswered", "nothing follows the end of a message", outgoing=lambda session, verb, octets: (
        b"" if verb == b"." else octets
    ), idle_s=1_000.0),
)  # fmt: skip
