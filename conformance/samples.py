"""Messages whose content is known, for cases about what a maildrop gives back. They are delivered once and stay."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sample:
    """One message: its body, and fields of its own behind the usual ones. Lines end with CRLF."""

    name: str                        # letters, digits and hyphens; of this content and no other
    body: bytes
    header: bytes = b""
    eight_bit: bool = False          # needs 8BITMIME on its way in (RFC 6152)
    chunked: bool = False            # … CHUNKING (RFC 3030): its last line has no ending
    utf8: bool = False               # its header needs SMTPUTF8 (RFC 6531)


def bulk(octets: int) -> Sample:
    """Return a message with a body of about so many octets, of dot-led lines."""
    return Sample(f"bulk-{octets}", _TURN * (octets // len(_TURN)))


PLAIN: Final = Sample("plain", b"The first line.\r\nThe second line.\r\n")
OTHER: Final = Sample("other", b"Another message.\r\n")
THIRD: Final = Sample("third", b"A third message.\r\n\r\nIts last line.\r\n")
TEN_LINES: Final = Sample("ten-lines", b"".join(b"Line %d.\r\n" % number for number in range(1, 11)))
DOTTED: Final = Sample(
    "dotted", b".\r\n..\r\n.one dot\r\n..two dots\r\na dot . inside\r\nat the end.\r\n.\r\n\r\n.\r\nThe last line.\r\n"
)
DOT_LAST: Final = Sample("dot-last", b"The first line.\r\n.\r\n")
DOT_ALONE: Final = Sample("dot-alone", b".\r\n")
INNER_DOTS: Final = Sample(
    "inner-dots",
    b"one. two.. three...\r\n .behind a space\r\na\t.\r\na.b\r\nends with a dot.\r\n-.\r\nx" + b"." * 70 + b"\r\n",
)
LONG_LINES: Final = Sample("long-lines", (b"0123456789" * 100)[:998] + b"\r\nshort\r\n" + b"y" * 998 + b"\r\n")
UTF8: Final = Sample("utf8", "Zwölf Boxkämpfer jagen Viktor.\r\n漢字\r\n🎈\r\n".encode(), eight_bit=True)
BODILESS: Final = Sample("bodiless", b"")
UNENDED: Final = Sample("unended", b"The first line.\r\nThe last, which nothing ends", chunked=True)
# 29 octets a turn, 37 once stuffed: 2 is a primitive root of either, so that neither divides 2**n, 2**n - 1 (a buffer
# that fgets fills) or 2**n - 2 for any buffer there is, and an edge comes to stand at another octet in every turn.
_TURN: Final = b".\r\n.\r\n.ab\r\n.\r\n.\r\n.\r\n.\r\n.\r\nx\r\n"
EDGES: Final = Sample("edges-29", _TURN * 3_100)
