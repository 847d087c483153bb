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


PLAIN: Final = Sample("plain", b"The first line.\r\nThe second line.\r\n")
OTHER: Final = Sample("other", b"Another message.\r\n")
THIRD: Final = Sample("third", b"A third message.\r\n\r\nIts last line.\r\n")
TEN_LINES: Final = Sample("ten-lines", b"".join(b"Line %d.\r\n" % number for number in range(1, 11)))
DOTTED: Final = Sample(
    "dotted", b".\r\n..\r\n.one dot\r\n..two dots\r\na dot . inside\r\nat the end.\r\n.\r\n\r\n.\r\nThe last line.\r\n"
)
