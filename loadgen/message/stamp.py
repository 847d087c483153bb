"""The ledger's mark on a message: our own id in header and body, and a digest of the body in the header.

The key is never Message-ID: a back end may rewrite it, or drop mail that repeats one. What a mail system may lawfully
do to a message is to add trace fields on top (RFC 5321 §4.4), and on the way to a server without 8BITMIME to encode
what is not ASCII (RFC 6152 §3); so the digest covers the body alone, octet by octet, and a body that was sent as
8bit and has arrived in another encoding is decoded first. The id is read from the header section. The digest that
stands there is for whoever has only the message: what the sender noted is what decides.
"""

import binascii
import hashlib
from typing import NamedTuple

import msgspec

ID_FIELD = b"X-Mailproof-Id"
DIGEST_FIELD = b"X-Mailproof-Digest"
ENCODING_FIELD = b"X-Mailproof-Encoding"      # says "8bit" of a body that was sent so
DIGEST_OCTETS = 16
_NOTHING_DIGESTED = hashlib.blake2b(digest_size=DIGEST_OCTETS)      # to copy it costs a quarter of making it


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What identifies one message of one run."""

    message_id: str      # "<run>.<arrival>.<index>"
    digest: bytes        # of the body
    whole: bool = True   # False: it has arrived with another digest in its header


def digest_of(*body: bytes | memoryview) -> bytes:
    """Return the digest of a message body, given in pieces: the octets after the empty line, unstuffed."""
    digest = _NOTHING_DIGESTED.copy()
    for piece in body:
        digest.update(piece)
    return digest.digest()


def read_stamp(content: bytes) -> Stamp | None:
    """Read the stamp of a retrieved message; None if it is not one of ours.

    The digest is computed from the body that arrived, so a changed octet shows when it is
    compared with the one that was sent.
    """
    marks = _marks_of(content)
    if marks is None or not marks.message_id:
        return None
    digest = digest_of(_body(content, marks))
    whole = not marks.digest or marks.digest.lower() == binascii.hexlify(digest)
    return Stamp(marks.message_id.decode("ascii", "replace"), digest, whole)


def body_of(content: bytes) -> bytes | memoryview:
    """Return the body of a retrieved message, as it was sent if a mail system has encoded it on the way."""
    marks = _marks_of(content)
    return b"" if marks is None else _body(content, marks)


class _Marks(NamedTuple):
    """What the header section of a retrieved message says that matters here."""

    message_id: bytes
    digest: bytes
    sent_as: bytes       # the encoding of its body
    now: bytes
    end: int             # where the header section ends


def _marks_of(content: bytes) -> _Marks | None:
    end = content.find(b"\r\n\r\n")
    if end < 0:
        return None
    message_id, digest, sent_as, now = b"", b"", b"", b""
    for line in content[:end].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            match name.lower():
                case b"x-mailproof-id":
                    message_id = message_id or value.strip()
                case b"x-mailproof-digest":
                    digest = digest or value.strip()
                case b"x-mailproof-encoding":
                    sent_as = value.strip().lower()
                case b"content-transfer-encoding":
                    now = value.strip().lower()
    return _Marks(message_id, digest, sent_as, now, end)


def _body(content: bytes, marks: _Marks) -> bytes | memoryview:
    body = memoryview(content)[marks.end + 4 :]
    return _decoded(body, marks.now) if marks.sent_as == b"8bit" else body


def _decoded(body: memoryview, encoding: bytes) -> bytes | memoryview:
    """Return a body that a mail system encoded on the way; as it is if it is not, or cannot be decoded."""
    try:
        match encoding:
            case b"quoted-printable":
                return binascii.a2b_qp(body)
            case b"base64":
                return binascii.a2b_base64(body)
            case _:
                return body
    except binascii.Error:
        return body
