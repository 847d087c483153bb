"""The header section of a message that is made here (RFC 5322 §3.6); in UTF-8 where it is asked for (RFC 6532)."""

from functools import lru_cache

from loadgen.message.stamp import DIGEST_FIELD, ENCODING_FIELD, ID_FIELD

NOBODY = "postmaster@mailproof.invalid"       # RFC 5322 §3.6 wants a From field; the null reverse-path has no address
PLAIN_TEXT = b"Content-Type: text/plain; charset=us-ascii\r\n"
UTF8_TEXT = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n" + (
    ENCODING_FIELD + b": 8bit\r\n"
)


NAME_FROM, NAME_TO, SUBJECT = "Jürgen Łukasz ", "Πέτρος ", "Grüße, привет, 你好 😀 "


def correspondents(reverse_path: str, visible: tuple[str, ...], *, in_utf8: bool = False) -> bytes:
    """Return the fields that say whom a message is from and to, and what about.

    A recipient who is not among the `visible`, of whom there is at least one, has it as Bcc.
    An address beyond ASCII stands in it as it is, in UTF-8, which RFC 6532 §3.2 allows: a server that takes its
    envelope takes it. `in_utf8` puts more of that into it: names beside the addresses, and words in the subject.
    """
    if len(visible) == 1:
        return _to_one(reverse_path, visible[0], in_utf8)
    # One a line: a header of ten thousand recipients is still made of short lines.
    return _fields(reverse_path, visible[0], "Cc: <" + ">,\r\n <".join(visible[1:]) + ">\r\n", in_utf8)


@lru_cache(maxsize=4096)     # a run writes to the same accounts over and over: some 300 octets for each
def _to_one(reverse_path: str, recipient: str, in_utf8: bool) -> bytes:
    return _fields(reverse_path, recipient, "", in_utf8)


def _fields(reverse_path: str, recipient: str, copied: str, in_utf8: bool) -> bytes:
    name_from, name_to, subject = (NAME_FROM, NAME_TO, SUBJECT) if in_utf8 else ("", "", "")
    return (
        f"From: {name_from}<{reverse_path or NOBODY}>\r\nTo: {name_to}<{recipient}>\r\n{copied}"
        f"Subject: {subject}mailproof "
    ).encode()


def header_section(
    first_fields: bytes, identifier: bytes, digest: bytes, date: bytes, content_fields: bytes
) -> bytes:
    """Return the header section and the empty line after it; the `correspondents` come first."""
    return b"%s%s\r\nDate: %s\r\n%sMIME-Version: 1.0\r\n%s\r\n" % (
        first_fields, identifier, date, identity(identifier, digest), content_fields,
    )


def identity(identifier: bytes, digest: bytes) -> bytes:
    """Return the fields that tell one message from all others; without a digest, if there is none."""
    if not digest:
        return b"Message-ID: <%s@mailproof.invalid>\r\n%s: %s\r\n" % (identifier, ID_FIELD, identifier)
    return b"Message-ID: <%s@mailproof.invalid>\r\n%s: %s\r\n%s: %s\r\n" % (
        identifier, ID_FIELD, identifier, DIGEST_FIELD, digest.hex().encode("ascii"),
    )
