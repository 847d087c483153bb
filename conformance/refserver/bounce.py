"""The notice that a message could not be delivered (RFC 5321 §6.1, RFC 3464)."""

from conformance.refserver.address import parse_mailbox
from conformance.refserver.mail_data import header_section
from conformance.refserver.relay import Outgoing
from conformance.refserver.session import Service

_NOTICE = """\
Date: {date}
From: Mail Delivery System <postmaster@{host}>
To: <{to}>
Subject: Undelivered mail
Message-ID: <{identity}@{host}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{identity}"

--{identity}
Content-Type: text/plain; charset=us-ascii

The message could not be delivered to:
{names}

--{identity}
Content-Type: message/delivery-status

Reporting-MTA: dns; {host}
Arrival-Date: {date}
{fields}
--{identity}
Content-Type: text/rfc822-headers

{header}
--{identity}--
"""


def tell_of_failure(service: Service, failure: Outgoing, failed: list[tuple[bytes, bytes]]) -> None:
    """Tell the sender of a message that it did not reach some recipients, each given with the reply or the trouble.

    Nobody is told of what came from the null reverse-path, and of nothing that was to stay untold.
    """
    told = [(one, reply) for one, reply in failed if one not in failure.untold]
    if not told:
        return
    text = notice_of_failure(
        told,
        reverse_path=failure.reverse_path,
        header=header_section(failure.message),
        host_name=service.behaviour.host_name,
        identity=service.token(),
        date=service.date.at(service.wall_clock()),
    )
    notice: Outgoing | None = None
    if failure.reverse_path:
        notice = Outgoing(b"", (failure.reverse_path,), text)
    for fault in service.behaviour.faults:
        if fault.bounced is not None:
            notice = fault.bounced(failure, notice)
    if notice is not None:
        _hand_over(service, notice)


def _hand_over(service: Service, notice: Outgoing) -> None:
    """Deliver a notice here, or send it on. Where neither can be, it ends: its own failure is told to nobody."""
    address = notice.recipients[0]
    path = parse_mailbox(address.rpartition(b":")[2])
    maildrop = service.directory.maildrop_of(path) if path is not None else None
    if isinstance(maildrop, str):
        service.maildrops.deliver([maildrop], b"Return-Path: <" + notice.reverse_path + b">\r\n" + notice.message)
    elif path is not None and service.relay is not None and service.relay.routes(path.domain):
        service.relay.send(notice)


def notice_of_failure(
    failed: list[tuple[bytes, bytes]], *, reverse_path: bytes, header: bytes, host_name: str, identity: str, date: str
) -> bytes:
    """Return the notice as a message. `failed` are recipients, each with the reply that refused it.

    `identity` must be letters and digits that occur nowhere else.
    """
    fields = "".join(
        f"\nFinal-Recipient: rfc822; {_text(one)}\nAction: failed\nStatus: {_status(reply)}\n"
        f"Diagnostic-Code: smtp; {_text(reply)}\n"
        for one, reply in failed
    )
    notice = _NOTICE.format(
        date=date,
        host=host_name,
        to=_text(reverse_path),
        identity=identity,
        names="\n".join(f"  <{_text(one)}>" for one, _ in failed),
        fields=fields,
        header=_text(header).replace("\r\n", "\n"),
    )
    return notice.replace("\n", "\r\n").encode("ascii", "replace")


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _status(reply: bytes) -> str:
    """Return the enhanced status code of a reply, or one of its class."""
    code = reply[4:9].split(b" ")[0]
    return _text(code) if code[:1].isdigit() and code.count(b".") == 2 else f"{_text(reply[:1])}.0.0"
