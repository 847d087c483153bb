"""The ledger's mark on a message: our own id in header and body, and a digest of the body.

The key is never Message-ID: a back end may rewrite it, or drop mail that repeats one. What a
mail system may lawfully do to a message is to add trace fields on top (RFC 5321 §4.4), so the
digest covers the body alone, octet by octet, and the id is read from the header section.
"""

import hashlib
from dataclasses import dataclass

ID_FIELD = b"X-Mailproof-Id"
DIGEST_OCTETS = 16


@dataclass(frozen=True, slots=True)
class Stamp:
    """What identifies one message of one run."""

    message_id: str      # "<run>.<arrival>.<index>"
    digest: bytes        # of the body


def digest_of(*body: bytes | memoryview) -> bytes:
    """Return the digest of a message body, given in pieces: the octets after the empty line, unstuffed."""
    digest = hashlib.blake2b(digest_size=DIGEST_OCTETS)
    for piece in body:
        digest.update(piece)
    return digest.digest()


def read_stamp(content: bytes) -> Stamp | None:
    """Read the stamp of a retrieved message; None if it is not one of ours.

    The digest is computed from the body that arrived, so a changed octet shows when it is
    compared with the one that was sent.
    """
    end = content.find(b"\r\n\r\n")
    if end < 0:
        return None
    for line in content[:end].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and name.lower() == ID_FIELD.lower():
            body = memoryview(content)[end + 4 :]
            return Stamp(value.strip().decode("ascii", "replace"), digest_of(body))
    return None
