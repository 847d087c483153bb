"""What a server said it can do: the reply to EHLO or LHLO as a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

# ehlo-line    = ehlo-keyword *( SP ehlo-param )
# ehlo-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
# ehlo-param   = 1*(%d33-126)                                    (RFC 5321 §4.1.1.1)
_EHLO_LINE: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*(?: [!-~]+)*")

# "AUTH=LOGIN PLAIN": from before RFC 2554, still sent beside the lawful line for the clients of that day.
_OLD_AUTH: Final = re.compile(rb"AUTH=([!-~]+(?: [!-~]+)*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extensions:
    """The keywords of one EHLO reply, upper-cased, with their parameters as sent."""

    greeting_name: bytes = b""  # the domain the server called itself
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    old_auth: tuple[str, ...] = ()  # the mechanisms of an "AUTH=" line
    malformed: tuple[bytes, ...] = ()  # lines that are no ehlo-line, as sent
    auth: frozenset[str] = field(init=False)  # every mechanism offered, upper-cased, whichever way

    def __post_init__(self) -> None:
        offered = (*self.keywords.get("AUTH", ()), *self.old_auth)
        object.__setattr__(self, "auth", frozenset(mechanism.upper() for mechanism in offered))

    @property
    def pipelining(self) -> bool:
        """RFC 2920."""
        return "PIPELINING" in self.keywords

    @property
    def starttls(self) -> bool:
        """RFC 3207."""
        return "STARTTLS" in self.keywords

    @property
    def eight_bit_mime(self) -> bool:
        """RFC 6152."""
        return "8BITMIME" in self.keywords

    @property
    def smtputf8(self) -> bool:
        """RFC 6531."""
        return "SMTPUTF8" in self.keywords

    @property
    def chunking(self) -> bool:
        """RFC 3030 §2."""
        return "CHUNKING" in self.keywords

    @property
    def binarymime(self) -> bool:
        """RFC 3030 §3."""
        return "BINARYMIME" in self.keywords

    @property
    def enhanced_status_codes(self) -> bool:
        """RFC 2034."""
        return "ENHANCEDSTATUSCODES" in self.keywords

    @property
    def dsn(self) -> bool:
        """RFC 3461."""
        return "DSN" in self.keywords

    @property
    def etrn(self) -> bool:
        """RFC 1985."""
        return "ETRN" in self.keywords

    @property
    def size(self) -> int | None:
        """Return the largest message taken, in octets; 0: no limit named, None: no SIZE (RFC 1870 §4)."""
        parameters = self.keywords.get("SIZE")
        if parameters is None:
            return None
        return _number(parameters[0]) if parameters else 0

    @property
    def limits(self) -> Mapping[str, int]:
        """Return the LIMITS that are numbers, by upper-case name (RFC 9422 §3)."""
        pairs = (parameter.partition("=") for parameter in self.keywords.get("LIMITS", ()))
        return {name.upper(): _number(value) for name, _, value in pairs if value.isdecimal()}


NO_EXTENSIONS: Final = Extensions()


def _number(digits: str) -> int:
    """Return digits as an integer, 0 for anything else; 20 digits are the most RFC 1870 §4 allows."""
    return int(digits) if len(digits) <= 20 and digits.isdecimal() else 0


@lru_cache(maxsize=64)  # a server says the same to every session; a memo of a pure function, as in reply.py
def parse_extensions(texts: tuple[bytes, ...]) -> Extensions:
    """Read the texts of a 250 reply to EHLO: its first line greets, each further one is an extension.

    A keyword named twice has the parameters of both. Nothing is refused: what is no ehlo-line is kept as
    malformed.
    """
    keywords: dict[str, tuple[str, ...]] = {}
    old_auth: tuple[str, ...] = ()
    malformed: list[bytes] = []
    for text in texts[1:]:
        if _EHLO_LINE.fullmatch(text):
            keyword, *parameters = text.decode("ascii").split(" ")
            keywords[keyword.upper()] = (*keywords.get(keyword.upper(), ()), *parameters)
        elif found := _OLD_AUTH.fullmatch(text):
            old_auth = (*old_auth, *found[1].decode("ascii").split(" "))
        else:
            malformed.append(text)
    greeting_name = texts[0].partition(b" ")[0]
    return Extensions(greeting_name, MappingProxyType(keywords), old_auth, tuple(malformed))
