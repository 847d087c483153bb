"""The one message that the hand-written clients send: as many octets as smtp-source's, header included."""

from benchmarks.scenario import SOURCE_HEADER_OCTETS

SENDER = "load@example.test"
RECIPIENT = "user1@example.test"
LINE = b"X" * 70 + b"\r\n"


def mail_of(payload_octets: int) -> bytes:
    """Return the message: a header, and lines of X."""
    header = f"From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: ".encode()
    filled = header + b"s" * (SOURCE_HEADER_OCTETS - len(header) - 4) + b"\r\n\r\n"
    lines, rest = divmod(payload_octets, len(LINE))
    return filled + LINE * lines + (b"X" * (rest - 2) + b"\r\n" if rest >= 2 else b"")
