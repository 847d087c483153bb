"""What a sender is told of mail that was sent on: that it failed, or went where nobody reports (RFC 3461 §5.2, §6)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from conformance.refserver.address import parse_mailbox
from conformance.refserver.dsn import Delivered, success_report
from conformance.refserver.mail_data import header_section
from conformance.refserver.relay import Answered, Outcome, Outgoing
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
{envid}{fields}
--{identity}
Content-Type: {returned}
Content-Transfer-Encoding: {encoding}

"""

# whole, in ASCII                  what is returned   (RFC 6522 §3, RFC 6533 §4)
_RETURNED: Final = {
    (True, True):                  "message/rfc822",
    (True, False):                 "message/global",
    (False, True):                 "text/rfc822-headers",
    (False, False):                "message/global-headers",
}  # fmt: skip


def tell(service: Service, outgoing: Outgoing, outcome: Outcome) -> None:
    """Tell the sender of a message what became of it at a next hop, as far as it is to be told.

    Nobody is told of what came from the null reverse-path.
    """
    failed = [one for one in outcome.failed if _is_told(outgoing, one, b"FAILURE", unasked=True)]
    if failed:
        _tell_of_failure(service, outgoing, failed)
    relayed = [one for one in outcome.relayed if _is_told(outgoing, one, b"SUCCESS", unasked=False)]
    if relayed and outgoing.reverse_path:
        hand_over(service, Outgoing(b"", (outgoing.reverse_path,), _notice_of_relaying(service, outgoing, relayed)))


def _is_told(outgoing: Outgoing, one: Answered, word: bytes, *, unasked: bool) -> bool:
    """Say whether the sender wants to hear of a recipient; `unasked`: who has not said so does (RFC 3461 §5.2.6)."""
    notify = outgoing.asked_for(one.recipient).notify
    return unasked if notify is None else word in notify


def _tell_of_failure(service: Service, outgoing: Outgoing, failed: Sequence[Answered]) -> None:
    text = notice_of_failure(
        failed,
        outgoing,
        host_name=service.behaviour.host_name,
        identity=service.token(),
        date=service.date.at(service.wall_clock()),
    )
    notice = Outgoing(b"", (outgoing.reverse_path,), text) if outgoing.reverse_path else None
    for fault in service.behaviour.faults:
        if fault.bounced is not None:
            notice = fault.bounced(replace(outgoing, recipients=tuple(one.recipient for one in failed)), notice)
    if notice is not None:
        hand_over(service, notice)


def hand_over(service: Service, notice: Outgoing) -> None:
    """Deliver a notice here, or send it on. Where neither can be, it ends: its own failure is told to nobody."""
    address = notice.recipients[0]
    path = parse_mailbox(address.rpartition(b":")[2])
    maildrop = service.directory.maildrop_of(path) if path is not None else None
    if isinstance(maildrop, str):
        stored = b"Return-Path: <" + notice.reverse_path + b">\r\n" + notice.message
        if service.maildrops.room(maildrop, len(stored)) is None:
            service.maildrops.deliver([maildrop], stored)
    elif path is not None and service.relay is not None and service.relay.routes(path.domain):
        service.relay.send(notice)


def _notice_of_relaying(service: Service, outgoing: Outgoing, relayed: Sequence[Answered]) -> bytes:
    return success_report(
        [
            Delivered(one.recipient, outgoing.asked_for(one.recipient).orcpt, one.remote, one.reply)
            for one in relayed
        ],
        reverse_path=outgoing.reverse_path,
        envid=outgoing.parameters.envid,
        header=header_section(outgoing.message),
        host_name=service.behaviour.host_name,
        identity=service.token(),
        date=service.date.at(service.wall_clock()),
    )


def notice_of_failure(
    failed: Sequence[Answered], outgoing: Outgoing, *, host_name: str, identity: str, date: str
) -> bytes:
    """Return the notice that a message did not reach some recipients, as a message.

    It returns the message as RET says (RFC 3461 §4.3). `identity` must be letters and digits that occur nowhere else.
    """
    envid, full = outgoing.parameters.envid, outgoing.parameters.ret == "FULL"
    header = header_section(outgoing.message)
    returned = outgoing.message if full else header
    notice = _NOTICE.format(
        date=date,
        host=host_name,
        to=_text(outgoing.reverse_path),
        identity=identity,
        names="\n".join(f"  <{_text(one.recipient)}>" for one in failed),
        envid="" if envid is None else f"Original-Envelope-Id: {_text(envid)}\n",
        fields="".join(_fields(one, outgoing.asked_for(one.recipient).orcpt) for one in failed),
        returned=_RETURNED[full, header.isascii()],
        encoding="7bit" if returned.isascii() else "8bit",
    )
    opening = notice.replace("\n", "\r\n").encode("ascii", "replace")
    return opening + returned + f"\r\n--{identity}--\r\n".encode("ascii")


def _fields(one: Answered, orcpt: bytes | None) -> str:
    """Return what is said of one recipient (RFC 3464 §2.3)."""
    fields = "\n" if orcpt is None else f"\nOriginal-Recipient: {_text(orcpt)}\n"
    fields += f"Final-Recipient: rfc822; {_text(one.recipient)}\nAction: failed\nStatus: {_status(one.reply)}\n"
    if one.remote:
        fields += f"Remote-MTA: dns; {_text(one.remote)}\nDiagnostic-Code: smtp; {_text(one.reply)}\n"
    return fields


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _status(reply: bytes) -> str:
    """Return the enhanced status code of a reply, or one of its class."""
    code = reply[4:].split(b" ")[0]
    return _text(code) if code[:1].isdigit() and code.count(b".") == 2 else f"{_text(reply[:1])}.0.0"
