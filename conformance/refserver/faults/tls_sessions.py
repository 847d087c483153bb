"""Faults in TLS itself: versions and suites of old, certificates asked for, ends that are not told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conformance.refserver.fault import Fault

_SSL_3: Final = 0x0300
_TLS_1_0: Final = 0x0301
_TLS_1_1: Final = 0x0302
_TLS_1_2: Final = 0x0303
_NULL: Final = frozenset({0x0001, 0x0002, 0x003B})
_EXPORT: Final = frozenset({0x0003, 0x0006, 0x0008})
_ANONYMOUS: Final = frozenset({0x0018, 0x0034, 0x003A})
_RC4: Final = frozenset({0x0004, 0x0005})
_PROTOCOL_VERSION: Final = b"\x15\x03\x01\x00\x02\x02\x46"      # an alert, and fatal


@dataclass(frozen=True, slots=True)
class _Hello:
    version: int
    suites: tuple[int, ...]
    rest: bytes


def _read(first: bytes) -> _Hello | None:
    """Return what a ClientHello offers (RFC 5246 §7.4.1.2); None: it is none."""
    if len(first) < 46 or first[0] != 22 or first[5] != 1:
        return None
    at = 44 + first[43]
    count = int.from_bytes(first[at : at + 2], "big")
    suites = first[at + 2 : at + 2 + count]
    pairs = tuple(int.from_bytes(suites[i : i + 2], "big") for i in range(0, len(suites), 2))
    return _Hello(int.from_bytes(first[9:11], "big"), pairs, first[at + 2 + count :])


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def _accepts(wanted: Callable[[_Hello], bool], *more: int) -> Callable[[bytes], bytes | None]:
    """Return the function that answers some ClientHellos by a ServerHello, and further messages without content."""

    def instead(first: bytes) -> bytes | None:
        hello = _read(first)
        if hello is None or not wanted(hello):
            return None
        body = hello.version.to_bytes(2, "big") + bytes(32) + b"\0" + hello.suites[0].to_bytes(2, "big") + b"\0"
        flight = _message(2, body) + b"".join(_message(kind, b"") for kind in more)
        return b"\x16" + hello.version.to_bytes(2, "big") + len(flight).to_bytes(2, "big") + flight

    return instead


def _knows(version: int) -> Callable[[bytes], bytes | None]:
    return _accepts(lambda hello: hello.version == version)


def _takes(suites: frozenset[int]) -> Callable[[bytes], bytes | None]:
    return _accepts(lambda hello: hello.suites[0] in suites)


def _is_of_1_2(hello: _Hello) -> bool:
    """Say whether no later version is offered beside TLS 1.2: that would stand in an extension (RFC 8446 §4.2.1)."""
    return hello.version == _TLS_1_2 and b"\x00\x2b" not in hello.rest


def _only_older(first: bytes) -> bytes | None:
    return _PROTOCOL_VERSION if _read(first) is not None else None


def _replies_in_clear(first: bytes) -> bytes | None:
    return b"250 mail.example.test\r\n" if first[:4] in {b"EHLO", b"LHLO"} else None


FAULTS: Final = (
    Fault("tls-ssl-3", "SSL 3.0 is spoken", instead_of_tls=_knows(_SSL_3)),
    Fault("tls-1.0", "TLS 1.0 is spoken", instead_of_tls=_knows(_TLS_1_0)),
    Fault("tls-1.1", "TLS 1.1 is spoken", instead_of_tls=_knows(_TLS_1_1)),
    Fault("tls-null", "suites without a cipher are taken", instead_of_tls=_takes(_NULL)),
    Fault("tls-export", "suites for export are taken", instead_of_tls=_takes(_EXPORT)),
    Fault("tls-anonymous", "suites without a certificate are taken", instead_of_tls=_takes(_ANONYMOUS)),
    Fault("tls-rc4", "suites with RC4 are taken", instead_of_tls=_takes(_RC4)),
    Fault("tls-of-old", "neither TLS 1.2 nor 1.3 is spoken", instead_of_tls=_only_older),
    Fault("tls-asks-certificate", "every client is asked for a certificate",
          instead_of_tls=_accepts(_is_of_1_2, 11, 13, 14)),
    Fault("tls-cut", "TLS ends without a close_notify", cuts_tls=True),
    Fault("tls-outstays", "what the client has ended goes on", outstays=True),
    Fault("tls-clear-replies", "clear text is answered where TLS should be", instead_of_tls=_replies_in_clear),
)  # fmt: skip
