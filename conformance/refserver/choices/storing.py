"""What delivery adds to a message: fields of its own are a server's right (RFC 5321 §4.4)."""

from typing import Final

from conformance.refserver.fault import Fault


def _adds_fields(message: bytes) -> bytes:
    header, blank, body = message.partition(b"\r\n\r\n")
    first, crlf, rest = header.partition(b"\r\n")
    return first + crlf + b"Delivered-To: somebody\r\n" + rest + b"\r\nX-Spam-Status: No,\r\n\tscore=0.1" + blank + body


CHOICES: Final = (Fault("adds-fields", "Delivered-To above, X-Spam-Status below", stored=_adds_fields),)
