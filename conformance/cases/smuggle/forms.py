"""The octets that some server somewhere takes for the end of mail data. Only CRLF.CRLF is (RFC 5321 §4.1.1.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Form:
    """A look-alike of the end of mail data."""

    octets: bytes
    reachable: bool        # a conforming sender passes it on as it is: it stuffs a dot after CRLF, and nowhere else


# By the last part of the requirement's id. Each is sent behind a line that has no end of its own.
FORMS: Final[Mapping[str, Form]] = MappingProxyType({
    "lf-dot-lf":          Form(b"\n.\n", True),
    "lf-dot-crlf":        Form(b"\n.\r\n", True),
    "lf-dot-cr":          Form(b"\n.\r", True),
    "cr-dot-cr":          Form(b"\r.\r", True),
    "cr-dot-lf":          Form(b"\r.\n", True),
    "cr-dot-crlf":        Form(b"\r.\r\n", True),
    "lfcr-dot-crlf":      Form(b"\n\r.\r\n", True),
    "crlf-dot-lf":        Form(b"\r\n.\n", False),
    "crlf-dot-cr":        Form(b"\r\n.\r", False),
    "crlf-dot-crcrlf":    Form(b"\r\n.\r\r\n", False),
    "crcrlf-dot-crcrlf":  Form(b"\r\r\n.\r\r\n", False),
    "nul-before-dot":     Form(b"\r\n\0.\r\n", True),
    "nul-after-dot":      Form(b"\r\n.\0\r\n", False),
    "nul-in-crlf":        Form(b"\r\0\n.\r\0\n", True),
    "dot-space":          Form(b"\r\n. \r\n", False),
    "dot-tab":            Form(b"\r\n.\t\r\n", False),
    "space-dot":          Form(b"\r\n .\r\n", True),
    "8bit-dot":           Form(b"\r\n\xae\r\n", True),
    "fullwidth-dot":      Form("\r\n．\r\n".encode(), True),
    "8bit-crlf":          Form(b"\x8d\x8a.\x8d\x8a", True),
    "next-line":          Form("\x85.\x85".encode(), True),
    "line-separator":     Form("\u2028.\u2028".encode(), True),
    "vertical-tab":       Form(b"\x0b.\x0b", True),
    "form-feed":          Form(b"\x0c.\x0c", True),
})  # fmt: skip

# Requirements that cover more than one form.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "dot-space": ("dot-space", "dot-tab"),
    "8bit-dot": ("8bit-dot", "fullwidth-dot", "8bit-crlf"),
    "unicode-newline": ("next-line", "line-separator", "vertical-tab", "form-feed"),
})
GROUPED: Final = frozenset(name for names in GROUPS.values() for name in names)
REACHABLE: Final = tuple(name for name, form in FORMS.items() if form.reachable)
