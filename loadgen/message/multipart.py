"""The structure of a message with attachments (RFC 2046 §5.1)."""

from collections.abc import Iterable

from loadgen.message.pool import Octets

_TEXT_PART = b"--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
_ATTACHMENT = (
    b'--%s\r\nContent-Type: application/octet-stream; name="attachment-%d.bin"\r\n'
    b'Content-Disposition: attachment; filename="attachment-%d.bin"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n"
)


def boundary_of(identifier: bytes) -> bytes:
    """Return the boundary of a message.

    No part can hold it: no line of text begins with a hyphen, and base64 has neither hyphen nor underscore
    (RFC 2045 §6.8 recommends just that).
    """
    return b"=_%s" % identifier


def content_fields(boundary: bytes) -> bytes:
    """Return the header field that says so."""
    return b'Content-Type: multipart/mixed; boundary="%s"\r\n' % boundary


def before_text(boundary: bytes) -> bytes:
    """Return what stands between the header section and the text."""
    return _TEXT_PART % boundary


def after_text(boundary: bytes, attachments: Iterable[list[Octets]]) -> list[Octets]:
    """Return the attachments, given in base64, as parts, and the end of them all.

    The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1), so none is added; that of an empty
    attachment is the end of its header.
    """
    pieces: list[Octets] = []
    for number, encoded in enumerate(attachments, 1):
        pieces.append(_ATTACHMENT % (boundary, number, number))
        pieces += encoded
    pieces.append(b"--%s--\r\n" % boundary)
    return pieces
