"""Faults in what ends mail data and command lines (RFC 5321 §2.3.8, §4.1.1.4)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.smtp_state import Reading, SmtpState

# What a server may take for the end of mail data, by the name of the fault.
ENDS: Final = {
    "lf-dot-lf": b"\n.\n",
    "lf-dot-crlf": b"\n.\r\n",
    "lf-dot-cr": b"\n.\r",
    "cr-dot-cr": b"\r.\r",
    "cr-dot-lf": b"\r.\n",
    "cr-dot-crlf": b"\r.\r\n",
    "lfcr-dot-crlf": b"\n\r.\r\n",
    "crlf-dot-lf": b"\r\n.\n",
    "crlf-dot-cr": b"\r\n.\r",
    "crlf-dot-crcrlf": b"\r\n.\r\r\n",
    "crcrlf-dot-crcrlf": b"\r\r\n.\r\r\n",
    "nul-before-dot": b"\r\n\0.\r\n",
    "nul-after-dot": b"\r\n.\0\r\n",
    "nul-in-crlf": b"\r\0\n.\r\0\n",
    "dot-space": b"\r\n. \r\n",
    "dot-tab": b"\r\n.\t\r\n",
    "space-dot": b"\r\n .\r\n",
    "8bit-dot": b"\r\n\xae\r\n",
    "fullwidth-dot": "\r\n．\r\n".encode(),
    "8bit-crlf": b"\x8d\x8a.\x8d\x8a",
    "next-line": "\x85.\x85".encode(),
    "line-separator": "\u2028.\u2028".encode(),
    "vertical-tab": b"\x0b.\x0b",
    "form-feed": b"\x0c.\x0c",
}
WRAPS: Final = (998, 1000, 1024, 2048, 4096, 8192)     # where some server's line buffer ends
BUFFER: Final = 512
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_BARE_CR: Final = re.compile(rb"\r(?!\n)")


def _in_commands(session: SmtpState) -> bool:
    return session.reading is Reading.COMMAND


def _lf_ends_commands(session: SmtpState, octets: bytes) -> bytes:
    return _BARE_LF.sub(b"\r\n", octets) if _in_commands(session) else octets


def _cr_ends_commands(session: SmtpState, octets: bytes) -> bytes:
    return _BARE_CR.sub(b"\r\n", octets) if _in_commands(session) else octets


def _nul_ends_addresses(session: SmtpState, octets: bytes) -> bytes:
    return re.sub(rb"\0[^>]*", b"", octets) if _in_commands(session) else octets


def _wraps_lines_at(length: int) -> Callable[[SmtpState, bytes], bytes]:
    full_buffer = re.compile(rb"([^\r\n]{%d})(?=[^\r\n])" % length)

    def incoming(session: SmtpState, octets: bytes) -> bytes:
        return full_buffer.sub(rb"\1\r\n", octets) if session.reading is Reading.MAIL_DATA else octets

    return incoming


def _loses_its_place(session: SmtpState, octets: bytes) -> bytes:
    """Forget, where a buffer ends behind CRLF and a dot, that a dot came already."""
    if session.reading is not Reading.MAIL_DATA:
        return octets
    return octets.replace(b"\r\n..\r\n", b"\r\n.\r\n") if len(octets) > BUFFER else octets


def _normalises_then_looks_for_dots(session: SmtpState, content: bytes) -> bytes:
    """Make bare line ends whole, and take what has become a line of dots for the end."""
    return _BARE_CR.sub(b"\r\n", _BARE_LF.sub(b"\r\n", content)).partition(b"\r\n..\r\n")[0] + b"\r\n"


def _unstuffs_badly(session: SmtpState, content: bytes) -> bytes:
    """Lose the CR of the line end before a dot; the line feed that is left is then refused as a bare one."""
    return content.replace(b"\r\n.", b"\n.")


FAULTS: Final = (
    Fault("normalises-then-looks-for-dots", "bare line ends make new ends", content=_normalises_then_looks_for_dots),
    Fault("refuses-stuffed-lines", "mail data with stuffed dots are refused", content=_unstuffs_badly),
    *(Fault(f"ends-at-{name}", f"{end!r} ends mail data", ends_of_data=(end,)) for name, end in ENDS.items()),
    *(Fault(f"wraps-at-{n}", f"a line is cut in two after {n} octets", incoming=_wraps_lines_at(n)) for n in WRAPS),
    Fault("loses-its-place", "a stuffed dot is undone twice where a buffer ends", incoming=_loses_its_place),
    Fault("lf-ends-commands", "a bare LF ends a command line", incoming=_lf_ends_commands),
    Fault("cr-ends-commands", "a bare CR ends a command line", incoming=_cr_ends_commands),
    Fault("nul-ends-addresses", "an address ends at NUL", incoming=_nul_ends_addresses),
)
