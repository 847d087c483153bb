"""Paths, mailboxes and domains, by the grammar of RFC 5321 §4.1.2 with the UTF-8 of RFC 6531 §3.3.

One grammar for both: octets above 0x7F parse, and `Path.is_ascii` tells the caller whether SMTPUTF8 was needed.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_ATEXT: Final = rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff]"
_DOT_STRING: Final = _ATEXT + rb"+(?:\." + _ATEXT + rb"+)*"
_QUOTED_STRING: Final = rb'"(?:[ !#-\[\]-~\x80-\xff]|\\[ -~])*"'
_LABEL: Final = rb"[A-Za-z0-9\x80-\xff](?:[A-Za-z0-9\x80-\xff-]*[A-Za-z0-9\x80-\xff])?"
_DOMAIN: Final = _LABEL + rb"(?:\." + _LABEL + rb")*"
_LITERAL: Final = rb"\[[!-Z^-~]+\]"
_ROUTE: Final = rb"@" + _DOMAIN + rb"(?:,@" + _DOMAIN + rb")*:"

_LOCAL_PART: Final = rb"(" + _DOT_STRING + rb"|" + _QUOTED_STRING + rb")"
_PATH: Final = re.compile(rb"<(?:" + _ROUTE + rb")?" + _LOCAL_PART + rb"@(" + _DOMAIN + rb"|" + _LITERAL + rb")>")
_POSTMASTER: Final = re.compile(rb"<(?i:postmaster)>")
_ONLY_DOMAIN: Final = re.compile(_DOMAIN)

LOCAL_PART_OCTETS_MAX: Final = 64     # RFC 5321 §4.5.3.1.1
DOMAIN_OCTETS_MAX: Final = 255        # §4.5.3.1.2
PATH_OCTETS_MAX: Final = 256          # §4.5.3.1.3, with its brackets
LABEL_OCTETS_MAX: Final = 63          # RFC 1035 §2.3.4


@dataclass(frozen=True, slots=True)
class Path:
    """A path as it was sent, without its source route, and its parts with the quoting taken off."""

    mailbox: bytes       # local-part "@" domain, octet for octet; b"" is the null reverse-path
    local_part: str      # unquoted, case kept; "" for the null reverse-path
    domain: str          # case kept; "" for the null reverse-path and for <Postmaster>

    @property
    def is_null(self) -> bool:
        """Whether this is the null reverse-path `<>` (RFC 5321 §4.5.5)."""
        return not self.mailbox

    @property
    def is_ascii(self) -> bool:
        """Whether the path could travel without SMTPUTF8."""
        return self.mailbox.isascii()


NULL_PATH: Final = Path(b"", "", "")


def parse_reverse_path(octets: bytes) -> tuple[Path, bytes] | None:
    """Return the path that opens `octets` and what follows it, or None when the grammar has no such path."""
    if octets.startswith(b"<>"):
        return NULL_PATH, octets[2:]
    return _parse_path(octets)


def parse_forward_path(octets: bytes) -> tuple[Path, bytes] | None:
    """Return the path that opens `octets` and what follows it, or None. `<Postmaster>` needs no domain."""
    if match := _POSTMASTER.match(octets):
        word = match[0][1:-1]
        return Path(word, word.decode("ascii"), ""), octets[match.end():]
    return _parse_path(octets)


def parse_mailbox(octets: bytes) -> Path | None:
    """Return the mailbox that is all of `octets`, written without brackets, or None."""
    parsed = _parse_path(b"<" + octets + b">")
    return parsed[0] if parsed is not None and not parsed[1] else None


def is_domain(octets: bytes) -> bool:
    """Say whether this is an ASCII domain name by RFC 5321 §4.1.2: letters, digits, inner hyphens."""
    return octets.isascii() and _ONLY_DOMAIN.fullmatch(octets) is not None and _domain_fits(octets)


def is_address_literal(octets: bytes) -> bool:
    """Say whether this is `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3). Other tags are not known here."""
    if not (octets.startswith(b"[") and octets.endswith(b"]") and octets.isascii()):
        return False
    inner = octets[1:-1].decode("ascii")
    try:
        if inner[:5].upper() == "IPV6:":
            return "%" not in inner and ipaddress.IPv6Address(inner[5:]) is not None
        return ipaddress.IPv4Address(inner) is not None
    except ValueError:
        return False


def folded(local_part: str) -> str:
    """Return the form in which this server compares its own local-parts: case does not tell two maildrops apart.

    RFC 5321 §2.4 leaves that to the host that delivers; what is stored and shown keeps its case.
    """
    if local_part.isascii():
        return local_part.lower()
    return unicodedata.normalize("NFC", local_part).casefold()


def _parse_path(octets: bytes) -> tuple[Path, bytes] | None:
    match = _PATH.match(octets)
    if match is None or match.end() > PATH_OCTETS_MAX:
        return None
    local_octets, domain_octets = match[1], match[2]
    if len(local_octets) > LOCAL_PART_OCTETS_MAX:
        return None
    if domain_octets[0] == 0x5B:   # "["
        if not is_address_literal(domain_octets):
            return None
    elif not _domain_fits(domain_octets):
        return None
    try:
        local_part, domain = local_octets.decode("utf-8"), domain_octets.decode("utf-8")
        match[0].decode("utf-8")
    except UnicodeDecodeError:
        return None
    if local_part[0] == '"':
        local_part = re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return Path(match[0][match.start(1):-1], local_part, domain), octets[match.end():]


def _domain_fits(octets: bytes) -> bool:
    if len(octets) > DOMAIN_OCTETS_MAX:
        return False
    return len(octets) <= LABEL_OCTETS_MAX or all(len(label) <= LABEL_OCTETS_MAX for label in octets.split(b"."))
