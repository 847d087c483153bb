"""The report of a delivery that the sender asked to hear of (RFC 3461 §5.2.3, §6, RFC 3464).

This server delivers in the session or refuses in it, so success is all there is to report.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_HEADER = """\
Date: {date}
From: Mail Delivery System <postmaster@{host}>
To: <{to}>
Subject: {action} as you asked to be told
Message-ID: <{identity}@{host}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{identity}"

--{identity}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

The message was {action} to:
{names}

--{identity}
Content-Type: message/{kind}delivery-status
Content-Transfer-Encoding: 8bit

Reporting-MTA: dns; {host}
Arrival-Date: {date}
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A recipient whose delivery is reported."""

    mailbox: bytes
    orcpt: bytes | None      # address type, ";" and address, decoded
    remote: bytes = b""      # who took it from us, and does not report (RFC 3461 §5.2.2)
    reply: bytes = b""       # and in which words


def success_report(
    recipients: Sequence[Delivered],
    *,
    reverse_path: bytes,
    envid: bytes | None,
    header: bytes,
    host_name: str,
    identity: str,
    date: str,
) -> bytes:
    """Return the report of what was delivered, or of what was sent on if it names a remote, as a message.

    `header` is the header section of what was delivered: a report of success returns no more (RFC 3461 §6.2).
    `identity` must be letters and digits that occur nowhere else. Addresses in UTF-8 make it a report of RFC 6533.
    """
    utf8 = not all(one.mailbox.isascii() for one in recipients)
    kind = "global-" if utf8 else ""
    opening = _HEADER.format(
        date=date,
        host=host_name,
        to=reverse_path.decode("utf-8"),
        identity=identity,
        kind=kind,
        action="relayed" if recipients[0].remote else "delivered",
        names="\n".join([f"  <{one.mailbox.decode('utf-8')}>" for one in recipients]),
    ).replace("\n", "\r\n")
    parts = [opening.encode("utf-8")]
    if envid is not None:
        parts.append(b"Original-Envelope-Id: " + envid + b"\r\n")
    for one in recipients:
        parts.append(b"\r\n")
        if one.orcpt is not None:
            parts.append(b"Original-Recipient: " + one.orcpt + b"\r\n")
        parts.append(b"Final-Recipient: " + (b"utf-8; " if utf8 else b"rfc822; ") + one.mailbox + b"\r\n")
        if not one.remote:
            parts.append(b"Action: delivered\r\nStatus: 2.1.5\r\n")
        else:
            parts.append(b"Action: relayed\r\nStatus: 2.0.0\r\n")
            parts.append(b"Remote-MTA: dns; " + one.remote + b"\r\nDiagnostic-Code: smtp; " + one.reply + b"\r\n")
    headers_type = "message/global-headers" if utf8 else "text/rfc822-headers"
    parts.append(f"\r\n--{identity}\r\nContent-Type: {headers_type}\r\n".encode("ascii"))
    parts.append(b"Content-Transfer-Encoding: 8bit\r\n\r\n" + header)
    parts.append(f"\r\n--{identity}--\r\n".encode("ascii"))
    return b"".join(parts)
