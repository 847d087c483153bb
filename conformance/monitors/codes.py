"""The reply codes there are, and which of them answer which command: RFC 5321's table and what extensions add."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# What any command can be answered with.
ANYWHERE: Final[Mapping[int, str]] = MappingProxyType({
    421: "RFC 5321 §3.8",
    500: "RFC 5321 §4.3.2: line too long, or not recognised",
    501: "RFC 5321 §4.3.2: syntax",
    502: "RFC 5321 §4.2.4: recognised, and not implemented",
    503: "RFC 5321 §4.1.4: out of order; §3.1: after a 554 greeting",
    504: "RFC 5321 §4.2.2: a parameter that is not implemented",
    530: "RFC 4954 §6, RFC 3207 §4: a login, or TLS, is wanted first",
    554: "RFC 3207 §4.1: TLS was not good enough",
})

_REFUSED_FOR_POLICY: Final = "RFC 5321 §4.3.2: rejections for policy reasons"
_EHLO: Final = {250: "RFC 5321 §4.3.2", 550: "RFC 5321 §4.3.2"}
_BODY: Final = {
    250: "RFC 5321 §4.3.2",
    450: _REFUSED_FOR_POLICY,
    451: "RFC 5321 §4.3.2",
    452: "RFC 5321 §4.3.2",
    550: _REFUSED_FOR_POLICY,
    552: "RFC 5321 §4.3.2",
    554: "RFC 5321 §4.3.2",
}
_RCPT: Final = {
    **dict.fromkeys((250, 251, 450, 451, 452, 455, 503, 550, 551, 552, 553, 555), "RFC 5321 §4.3.2"),
    556: "RFC 7504 §4: the domain takes no mail",
}

GREETING: Final[Mapping[int, str]] = MappingProxyType({
    220: "RFC 5321 §4.3.2", 421: "RFC 5321 §3.8", 521: "RFC 7504 §3", 554: "RFC 5321 §4.3.2",
})
MAIL_DATA: Final[Mapping[int, str]] = MappingProxyType(_BODY)
# After the final dot each recipient is answered for itself, as RCPT would have been.   (RFC 2033 §4.2)
LMTP_MAIL_DATA: Final[Mapping[int, str]] = MappingProxyType({**_RCPT, **_BODY})

COMMANDS: Final[Mapping[str, Mapping[int, str]]] = MappingProxyType({
    "EHLO": _EHLO,
    "HELO": _EHLO,
    "LHLO": _EHLO,
    "MAIL": dict.fromkeys((250, 451, 452, 455, 503, 550, 552, 553, 555), "RFC 5321 §4.3.2"),
    "RCPT": _RCPT,
    "DATA": {
        354: "RFC 5321 §4.3.2", 503: "RFC 5321 §4.3.2", 554: "RFC 5321 §4.3.2",
        **dict.fromkeys((450, 451, 452, 550, 552), "RFC 5321 §4.3.2: in place of the 354"),
    },
    "RSET": {250: "RFC 5321 §4.3.2"},
    "VRFY": dict.fromkeys((250, 251, 252, 502, 504, 550, 551, 553), "RFC 5321 §4.3.2"),
    "EXPN": dict.fromkeys((250, 252, 502, 504, 550), "RFC 5321 §4.3.2"),
    "HELP": dict.fromkeys((211, 214, 502, 504), "RFC 5321 §4.3.2"),
    "NOOP": {250: "RFC 5321 §4.3.2"},
    "QUIT": {221: "RFC 5321 §4.3.2"},
    "STARTTLS": {220: "RFC 3207 §4", 454: "RFC 3207 §4"},
    "AUTH": {
        **dict.fromkeys((235, 334, 504), "RFC 4954 §4"),
        **dict.fromkeys((432, 454, 534, 535, 538), "RFC 4954 §6, RFC 2554 §6"),
    },
    "BDAT": {**_BODY, 503: "RFC 3030 §2"},
    "ETRN": dict.fromkeys((250, 251, 252, 253, 458, 459, 500, 501), "RFC 1985 §5.1"),
})

KNOWN: Final[frozenset[int]] = frozenset({
    *ANYWHERE, *GREETING, *MAIL_DATA, *LMTP_MAIL_DATA, *(code for codes in COMMANDS.values() for code in codes),
})
