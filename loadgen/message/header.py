"""The header section of a message that is made here (RFC 5322 §3.6); in UTF-8 where it is asked for (RFC 6532).

It is made of parts with our id between them: `opening`, `dated` and OUR_ID. What follows the last id ends its line;
then come the digest of the body, if there is one, and what the content is, with the empty line after it.
"""

from typing import Final

from loadgen.message.stamp import DIGEST_FIELD, DIGEST_OCTETS, ENCODING_FIELD, ID_FIELD

NOBODY = "postmaster@mailproof.invalid"       # RFC 5322 §3.6 wants a From field; the null reverse-path has no address
PLAIN_TEXT = b"Content-Type: text/plain; charset=us-ascii\r\n"
UTF8_TEXT = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n" + (
    ENCODING_FIELD + b": 8bit\r\n"
)
NAME_FROM, NAME_TO, SUBJECT = "Jürgen Łukasz ", "Πέτρος ", "Grüße, привет, 你好 😀 "

OUR_ID: Final = b"@mailproof.invalid>\r\n" + ID_FIELD + b": "
LINE_END: Final = b"\r\n"


def dated(date: str) -> bytes:
    """Return what stands between the subject and the Message-ID."""
    return b"\r\nDate: %s\r\nMessage-ID: <" % date.encode("ascii")


def opening(reverse_path: str, visible: tuple[str, ...], *, in_utf8: bool) -> bytes:
    """Return the fields that say whom a message is from and to, and what about, down to our id in the subject.

    A recipient who is not among the `visible`, of whom there is at least one, has it as Bcc.
    An address beyond ASCII stands in it as it is, in UTF-8, which RFC 6532 §3.2 allows: a server that takes its
    envelope takes it. `in_utf8` puts more of that into it: names beside the addresses, and words in the subject.
    """
    name_from, name_to, subject = (NAME_FROM, NAME_TO, SUBJECT) if in_utf8 else ("", "", "")
    shown = visible[0]
    if len(visible) > 1:      # one a line: a header of ten thousand recipients is still made of short lines
        shown += ">\r\nCc: <" + ">,\r\n <".join(visible[1:])
    fields = f"From: {name_from}<{reverse_path or NOBODY}>\r\nTo: {name_to}<{shown}>\r\nSubject: {subject}mailproof "
    return fields.encode()


def identity(identifier: bytes) -> bytes:
    """Return the fields that tell one message from all others, for a header section that is not made here."""
    return b"Message-ID: <%s%s%s\r\n" % (identifier, OUR_ID, identifier)


def digest_field(digest: bytes) -> bytes:
    """Return the field that tells the digest of the body."""
    return b"%s: %s\r\n" % (DIGEST_FIELD, digest.hex().encode("ascii"))


DIGEST_FIELD_OCTETS: Final = len(digest_field(bytes(DIGEST_OCTETS)))


def end_of_header(content_fields: bytes) -> bytes:
    """Return the fields that say what the content is, and the empty line after them."""
    return b"MIME-Version: 1.0\r\n%s\r\n" % content_fields
