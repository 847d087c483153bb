"""A delivery status notification as it lies in a maildrop (RFC 3464, RFC 6522)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final

STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})     # RFC 6533 §4
_EMPTY_LINES: Final = re.compile(rb"(?:\r\n[ \t]*){2,}")
_FOLD: Final = re.compile(rb"\r\n(?=[ \t])")

Fields = Mapping[str, bytes]           # by name in lower case, the first of a name; values unfolded and stripped


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says. Whatever it lacks is empty: reading one never fails."""

    octets: bytes
    header: Fields
    kind: str = ""                     # its media type, with the report-type behind a slash
    message: Fields = field(default_factory=dict)      # what its delivery-status part says of the message
    recipients: tuple[Fields, ...] = ()                # and of each recipient
    has_status: bool = False           # there is a delivery-status part


def read_report(octets: bytes) -> Report:
    """Return what a message says as a report."""
    head, _, body = octets.partition(b"\r\n\r\n")
    top = _parse(head)
    kind = f"{top.get_content_type()}/{top.get_param('report-type', '')}".lower()
    boundary = top.get_boundary()
    for part in _parts(body, boundary.encode("utf-8", "surrogateescape")) if boundary else ():
        part_head, _, content = part.partition(b"\r\n\r\n")
        if _parse(part_head).get_content_type() in STATUS_TYPES:
            groups = [fields_of(group) for group in _EMPTY_LINES.split(content) if group.strip()]
            message, recipients = (groups[0] if groups else {}), tuple(groups[1:])
            return Report(octets, fields_of(head), kind, message, recipients, has_status=True)
    return Report(octets, fields_of(head), kind)


def fields_of(section: bytes) -> Fields:
    """Return the fields of a header section, or of one that is written like it."""
    found: dict[str, bytes] = {}
    for line in _FOLD.sub(b"", section).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            found.setdefault(name.strip().decode("ascii", "replace").lower(), value.strip())
    return found


def _parse(head: bytes) -> Message:
    return BytesHeaderParser().parsebytes(head.lstrip(b"\r\n") + b"\r\n\r\n")


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    """Return the parts of a multipart body (RFC 2046 §5.1.1)."""
    return re.split(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?=\r\n|\Z)", body)[1:]
