"""Faults in transparency (RFC 5321 §4.5.2)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.mail_data import header_section
from conformance.refserver.smtp_state import Reading, SmtpState

Incoming = Callable[[SmtpState, bytes], bytes]
EDGES: Final = (512, 1023, 1024, 2047, 2048, 4095, 4096, 8191, 8192, 16384, 32768, 65536)


def _in_mail_data(pattern: bytes, by: bytes, count: int = 0) -> Incoming:
    """Return the function that hears mail data otherwise than they were sent."""
    found = re.compile(pattern)

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        return found.sub(by, octets, count=count) if session.reading is Reading.MAIL_DATA else octets

    return incoming


def _misses_the_edge(edge: int) -> Incoming:
    """Return the function that takes a dot for text where it stands just behind the edge of a buffer."""

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        if session.reading is not Reading.MAIL_DATA or len(octets) <= edge:
            return octets
        for at in (edge - 2, edge - 1, edge):
            if octets[at - 2 : at + 2] == b"\r\n..":
                return octets[:at] + b"." + octets[at:]
        return octets

    return incoming


def _needs_the_end_whole(session: SmtpState, octets: bytes) -> bytes:
    """Overlook the end of mail data unless it comes in one piece."""
    if session.reading is not Reading.MAIL_DATA or len(octets) > 5 or b"\r\n.\r\n" in octets:
        return octets
    return b""


def _acts_on_the_dot(session: SmtpState, octets: bytes) -> bytes:
    if session.reading is Reading.MAIL_DATA and octets.endswith(b"\r\n."):
        return octets + b"\r\n"
    return octets


def _forgets_what_follows(session: SmtpState, octets: bytes) -> bytes:
    """Throw away what came in one piece with the end of mail data."""
    if session.reading is not Reading.MAIL_DATA:
        return octets
    before, end, _ = octets.partition(b"\r\n.\r\n")
    return before + end


def _keeps_dots_of_the_header(session: SmtpState, content: bytes) -> bytes:
    head = header_section(content)
    return head.replace(b"\r\n.", b"\r\n..") + content[len(head):]


def _keeps_all_but_the_first_dot(session: SmtpState, content: bytes) -> bytes:
    first, dot, rest = content.partition(b"\r\n.")
    return first + dot + rest.replace(b"\r\n.", b"\r\n..")


def _keeps_the_first_dot(session: SmtpState, content: bytes) -> bytes:
    return b"." + content if content.startswith(b".") else content


FAULTS: Final = (
    Fault("dots-never-undone", "stuffed dots are kept", incoming=_in_mail_data(rb"\r\n\.(?!\r\n)", b"\r\n..")),
    Fault("dots-undone-once", "only the first stuffed dot is undone", content=_keeps_all_but_the_first_dot),
    Fault("dots-undone-twice", "two dots of three are undone", content=lambda session, content: (
        content.replace(b"\r\n..", b"\r\n.")
    )),
    Fault("dots-of-two-end", "a line of two dots ends the mail data", ends_of_data=(b"\r\n..\r\n",)),
    Fault("dots-end-lines", "a dot at the end of a line ends the mail data", ends_of_data=(b"dot.\r\n",)),
    Fault("dots-in-long-lines-end", "a dot before CRLF ends the mail data", ends_of_data=(b"x.\r\n",)),
    Fault("dots-single-kept", "a dot that was not stuffed is kept", incoming=_in_mail_data(
        rb"\r\n\.(?=[^.\r])", b"\r\n..",
    )),
    Fault("dots-of-the-first-line", "the first line's dot is kept", content=_keeps_the_first_dot),
    Fault("dots-of-the-header", "stuffed dots in the header are kept", content=_keeps_dots_of_the_header),
    *(Fault(f"dots-at-{n}", f"a dot behind octet {n} is overlooked", incoming=_misses_the_edge(n)) for n in EDGES),
    Fault("end-must-be-whole", "the end of mail data must come in one piece", incoming=_needs_the_end_whole),
    Fault("end-at-the-dot", "a dot ends the mail data before its CRLF has come", incoming=_acts_on_the_dot),
    Fault("end-of-the-segment", "what follows the end of mail data is lost", incoming=_forgets_what_follows),
)  # fmt: skip
