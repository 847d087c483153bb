"""The trace fields that final delivery puts on top of a message (RFC 5321 §4.4)."""

import time
from dataclasses import dataclass
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a Received field records of one message's way in."""

    helo: str                # as the client said it: a claim
    client: str | None       # the true address as a literal, "[127.0.0.1]"; None over a unix socket
    host_name: str
    protocol: str            # RFC 3848, RFC 6531 §4.3: ESMTPSA, UTF8LMTP, ...
    cipher: str | None       # RFC 8314 §4.3; an IANA name or nothing
    message_id: str
    recipient: bytes | None  # only when there is one: several would tell each of the others (RFC 5321 §7.2)
    date: str


def trace_fields(reverse_path: bytes, arrival: Arrival) -> bytes:
    """Return Return-Path and Received, each with its CRLF."""
    return b"Return-Path: <" + reverse_path + b">\r\n" + received_field(arrival)


def received_field(arrival: Arrival) -> bytes:
    """Return Received with its CRLF: all that is added to what is sent on."""
    origin = f"{arrival.helo} ({arrival.client})" if arrival.client else arrival.helo
    lines = f"Received: from {origin}\r\n\tby {arrival.host_name} with {arrival.protocol} id {arrival.message_id}"
    octets = lines.encode("ascii")
    if arrival.recipient is not None:
        octets += b"\r\n\tfor <" + arrival.recipient + b">"
    if arrival.cipher is not None:
        octets += b"\r\n\ttls " + arrival.cipher.encode("ascii")
    return octets + f";\r\n\t{arrival.date}\r\n".encode("ascii")


def protocol_keyword(base: str, *, extended: bool, utf8: bool, tls: bool, authenticated: bool) -> str:
    """Return the registered name of how a message came: RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3."""
    if not extended:
        return base
    prefix = "UTF8" if utf8 else "" if base == "LMTP" else "E"
    return prefix + base + ("S" if tls else "") + ("A" if authenticated else "")


class DateStamp:
    """RFC 5322 §3.3 dates, made once per second: making one costs more than the rest of a Received field."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def at(self, epoch_s: float) -> str:
        """Return that instant as a date in UTC with a numeric zone offset."""
        second = int(epoch_s)
        if second != self._second:
            t = time.gmtime(second)
            self._second = second
            self._text = (
                f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year} "
                f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} +0000"
            )
        return self._text
