"""The parameters of MAIL and RCPT, each checked by the RFC that defines it.

Parsing gives a frozen value or the reply that refuses; nothing is guessed and nothing is ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.refserver.address import parse_mailbox
from conformance.refserver.behaviour import Extension
from conformance.refserver.replies import BAD_PARAMETER, UNKNOWN_PARAMETER, Reply

# esmtp-param = esmtp-keyword ["=" esmtp-value]   (RFC 5321 §4.1.2; UTF-8 in the value: RFC 6531 §3.3)
_PARAMETER: Final = re.compile(rb"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?")
_XTEXT: Final = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")                       # RFC 3461 §4: even nothing
_XTEXT_HEX: Final = re.compile(rb"\+([0-9A-F]{2})")
_XCHARS: Final = frozenset(range(0x21, 0x7F)) - {0x2B, 0x3D}
_PRINTABLE: Final = re.compile(rb"[ -~]*")
_ADDRESS_TYPE: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*")
_UTF8_ADDRESS: Final = re.compile(rb"(?:[!-*,-<>-\[\]-~\x80-\xff]|\\x\{[0-9A-F]{2,6}\})+")   # RFC 6533 §3
_BY: Final = re.compile(rb"(-?[0-9]{1,9});([NR])T?", re.IGNORECASE)                   # RFC 2852 §4
_PRIORITY: Final = re.compile(rb"-?[1-9]|0")                                          # RFC 6710 §7
BY_S_MIN: Final = 60
ENVID_OCTETS_MAX: Final = 100                                                          # RFC 3461 §4.4
ORCPT_OCTETS_MAX: Final = 500                                                          # RFC 3461 §4.2

_NOTIFY_WORDS: Final = frozenset({b"SUCCESS", b"FAILURE", b"DELAY"})


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What MAIL said beside its reverse-path."""

    size: int | None = None            # RFC 1870 §6
    body: str = "7BIT"                 # RFC 6152 §2, RFC 3030 §3
    smtputf8: bool = False             # RFC 6531 §3.4
    ret: str | None = None             # RFC 3461 §4.3
    envid: bytes | None = None         # RFC 3461 §4.4, decoded
    by: int | None = None              # RFC 2852 §4: seconds; every delivery here is in time
    priority: int | None = None        # RFC 6710 §4.1
    require_tls: bool = False          # RFC 8689 §2
    auth: bytes | None = None          # RFC 4954 §5, decoded; no use is made of it: nobody is trusted to say it


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """What RCPT said beside its forward-path."""

    notify: frozenset[bytes] | None = None   # RFC 3461 §4.1
    orcpt: bytes | None = None               # RFC 3461 §4.2: address type, ";" and address, decoded


BINARYMIME: Final = "BINARYMIME"
NO_MAIL_PARAMETERS: Final = MailParameters()
NO_RCPT_PARAMETERS: Final = RcptParameters()


def _size(value: bytes) -> int | None:
    return int(value) if value.isdigit() and len(value) <= 20 else None


def _body(value: bytes) -> str | None:
    word = value.upper()
    return word.decode("ascii") if word in {b"7BIT", b"8BITMIME", b"BINARYMIME"} else None


def _ret(value: bytes) -> str | None:
    word = value.upper()
    return word.decode("ascii") if word in {b"FULL", b"HDRS"} else None


def _envid(value: bytes) -> bytes | None:
    decoded = decode_xtext(value)
    return decoded if decoded is not None and len(decoded) <= ENVID_OCTETS_MAX else None


def _auth(value: bytes) -> bytes | None:
    if value == b"<>":
        return value
    decoded = decode_xtext(value)
    return decoded if decoded is not None and parse_mailbox(decoded) is not None else None


def _by(value: bytes) -> int | None:
    found = _BY.fullmatch(value)
    if found is None or (found[2].upper() == b"R" and int(found[1]) < BY_S_MIN):
        return None
    return int(found[1])


def _priority(value: bytes) -> int | None:
    return int(value) if _PRIORITY.fullmatch(value) else None


def _notify(value: bytes) -> frozenset[bytes] | None:
    words = value.upper().split(b",")
    if words == [b"NEVER"]:
        return frozenset(words)
    return frozenset(words) if _NOTIFY_WORDS.issuperset(words) else None


def _orcpt(value: bytes) -> bytes | None:
    kind, semicolon, address = value.partition(b";")
    if not semicolon or len(value) > ORCPT_OCTETS_MAX or _ADDRESS_TYPE.fullmatch(kind) is None:
        return None
    if kind.lower() == b"utf-8":
        return value if _UTF8_ADDRESS.fullmatch(address) else None
    decoded = decode_xtext(address)
    return None if decoded is None else kind + b";" + decoded


def decode_xtext(value: bytes) -> bytes | None:
    """Return what xtext stands for, or None when it is malformed or hides a control octet (RFC 3461 §4)."""
    if _XTEXT.fullmatch(value) is None:
        return None
    decoded = _XTEXT_HEX.sub(lambda match: bytes([int(match[1], 16)]), value) if b"+" in value else value
    return decoded if _PRINTABLE.fullmatch(decoded) else None


def to_xtext(octets: bytes) -> bytes:
    """Return octets as xtext (RFC 3461 §4)."""
    return b"".join(bytes([octet]) if octet in _XCHARS else b"+%02X" % octet for octet in octets)


# keyword        the extension that defines it   field       how its value is read (None: it takes no value)
_MAIL: Final[Mapping[bytes, tuple[Extension, str, Callable[[bytes], object] | None]]] = {
    b"SIZE":     (Extension.SIZE,                "size",     _size),
    b"BODY":     (Extension.EIGHT_BIT_MIME,      "body",     _body),
    b"SMTPUTF8": (Extension.SMTPUTF8,            "smtputf8", None),
    b"RET":      (Extension.DSN,                 "ret",      _ret),
    b"ENVID":    (Extension.DSN,                 "envid",    _envid),
    b"AUTH":     (Extension.AUTH,                "auth",     _auth),
    b"BY":       (Extension.DELIVERBY,           "by",       _by),
    b"MT-PRIORITY": (Extension.MT_PRIORITY,      "priority", _priority),
    b"REQUIRETLS": (Extension.REQUIRETLS,        "require_tls", None),
}
_RCPT: Final[Mapping[bytes, tuple[Extension, str, Callable[[bytes], object] | None]]] = {
    b"NOTIFY":   (Extension.DSN,                 "notify",   _notify),
    b"ORCPT":    (Extension.DSN,                 "orcpt",    _orcpt),
}


def parse_mail_parameters(octets: bytes, offered: frozenset[Extension]) -> MailParameters | Reply:
    """Read what follows the reverse-path, or return the refusal: 555 unknown, 501 malformed or repeated."""
    if not octets:
        return NO_MAIL_PARAMETERS
    found = _parse(octets, _MAIL, offered)
    if isinstance(found, dict) and found.get("body") == BINARYMIME and Extension.BINARYMIME not in offered:
        return BAD_PARAMETER
    return found if isinstance(found, Reply) else MailParameters(**found)  # type: ignore[arg-type]


def parse_rcpt_parameters(octets: bytes, offered: frozenset[Extension]) -> RcptParameters | Reply:
    """Read what follows the forward-path, or return the refusal."""
    if not octets:
        return NO_RCPT_PARAMETERS
    found = _parse(octets, _RCPT, offered)
    return found if isinstance(found, Reply) else RcptParameters(**found)  # type: ignore[arg-type]


def _parse(
    octets: bytes,
    known: Mapping[bytes, tuple[Extension, str, Callable[[bytes], object] | None]],
    offered: frozenset[Extension],
) -> dict[str, object] | Reply:
    if not octets.startswith(b" "):
        return BAD_PARAMETER
    found: dict[str, object] = {}
    for word in octets[1:].split(b" "):
        match = _PARAMETER.fullmatch(word)
        if match is None:
            return BAD_PARAMETER
        extension, field, read = known.get(match[1].upper(), (None, "", None))
        if extension not in offered:
            return UNKNOWN_PARAMETER
        if field in found or (read is None) is not (match[2] is None):
            return BAD_PARAMETER
        value = True if read is None else read(match[2])
        if value is None:
            return BAD_PARAMETER
        found[field] = value
    return found
