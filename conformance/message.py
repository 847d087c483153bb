"""The mail that cases send: as little as RFC 5322 §3.6 asks for, and marked, so that it can be found again."""

import re
from typing import Final

MARK: Final = b"X-Mailproof-Case"
_NOTICE: Final = re.compile(rb"(?im)^(?:content-type:[ \t]*multipart/report|auto-submitted:[ \t]*auto-)")
DATE: Final = b"Thu, 01 Jan 2026 00:00:00 +0000"


def make_message(sender: bytes, recipient: bytes, token: str, body: bytes, *, header: bytes = b"") -> bytes:
    """Return a message with a case's token in its header, before `header`'s lines, and in its Message-ID.

    Lines end with CRLF; `body` is taken as it is. A null sender still needs a From field: the postmaster's.
    """
    author = sender or b"postmaster@mailproof.invalid"
    fields = (
        b"From: <" + author + b">",
        b"To: <" + recipient + b">",
        b"Date: " + DATE,
        b"Message-ID: <" + token.encode() + b"@mailproof.invalid>",
        b"Subject: mailproof conformance case",
        MARK + b": " + token.encode(),
    )
    return b"".join(field + b"\r\n" for field in fields) + header + b"\r\n" + body


def body_of(message: bytes) -> bytes:
    """Return what stands behind a message's header section."""
    return message.partition(b"\r\n\r\n")[2]


def is_notice(message: bytes) -> bool:
    """Say whether a server wrote a message about another one (RFC 3462, RFC 3834 §5): it may quote what it is about."""
    return _NOTICE.search(message.partition(b"\r\n\r\n")[0]) is not None
