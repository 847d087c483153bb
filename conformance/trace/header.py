"""The header of a message: its fields in their order, as octets."""

import re
from dataclasses import dataclass
from typing import Final

RECEIVED: Final = b"received"
OCTETS_MAX: Final = 1 << 20          # of a header; what lies beyond is none that a person or a server wrote
_NAME: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")         # RFC 5322 §2.2; §4.5.2 lets spaces stand before the colon


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a header."""

    octets: bytes          # all of it, folding and last line end too
    name: bytes            # in lower case
    value: bytes           # behind the colon, as it stands, without the last line end


def header_of(message: bytes) -> tuple[Field, ...]:
    """Return the fields of a message's header. Lines may end with CRLF or LF; what is no field is passed over."""
    fields: list[Field] = []
    lines: list[bytes] = []
    for line in _lines(message):
        if line[:1] in (b" ", b"\t"):
            if lines:
                lines.append(line)
            continue
        fields += _field(lines)
        lines = [line] if _NAME.match(line) else []
    return (*fields, *_field(lines))


def received_in(message: bytes) -> list[bytes]:
    """Return the Received fields of a message, newest first, each as octets without its last line end."""
    return [field.octets.rstrip(b"\r\n") for field in header_of(message) if field.name == RECEIVED]


def _lines(message: bytes) -> list[bytes]:
    """Return the lines of the header, each with its end; the empty line that ends it is none of them."""
    if message.startswith((b"\r\n", b"\n")):
        return []
    end = re.compile(rb"\r?\n\r?\n").search(message, 0, OCTETS_MAX)
    section = message[: end.start()] + b"\r\n" if end else message[:OCTETS_MAX]
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", section)


def _field(lines: list[bytes]) -> list[Field]:
    if not lines:
        return []
    octets = b"".join(lines)
    name, _, value = octets.partition(b":")
    return [Field(octets, name.rstrip(b" \t").lower(), value.rstrip(b"\r\n"))]
