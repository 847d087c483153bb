"""A case's messages on their way: each has a mark of its own, goes in by a transaction, and is looked for behind it."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from conformance.answer import Answer
from conformance.cases.smtp.groups import rcpt_command
from conformance.judgement import NotApplicable, Undetermined
from conformance.mailbox import Mailbox, MailboxTrouble
from conformance.message import body_of, is_notice, make_message
from conformance.peer import SmtpPeer
from conformance.room import resting
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

LINE: Final = b"A line.\r\n"
NOT_THERE: Final = "the message was taken, and did not arrive in the time allowed (timers.delivery)"


def marked(peer: SmtpPeer, mark: object) -> str:
    """Return the token of one of a case's messages: it is found as the case's own, and told from the others."""
    return f"{peer.token}.{mark}"


def letter(
    peer: SmtpPeer, mark: object, body: bytes = LINE, *, to: bytes | None = None, header: bytes = b""
) -> bytes:
    """Return a message with a mark of its own."""
    return make_message(peer.sender, peer.recipient if to is None else to, marked(peer, mark), body, header=header)


def copies_of(messages: Collection[bytes], peer: SmtpPeer, mark: object) -> list[bytes]:
    """Return those of the messages that have a mark."""
    wanted = re.compile(re.escape(marked(peer, mark)).encode() + rb"(?![0-9a-z-])")
    return [message for message in messages if wanted.search(message)]


def boxes(peer: SmtpPeer, count: int = 1) -> list[bytes]:
    """Return the addresses that the server takes mail for and whose maildrops can be read: so many, or it is no case.
    """
    found = [address for address in peer.subject.found.recipients if address in peer.subject.mailboxes]
    if len(found) < count:
        raise NotApplicable(
            f"needs {count} accepted addresses whose maildrops can be read (addresses.accepted and accounts.pop3)"
        )
    return [address.encode() for address in found]


def box_of(peer: SmtpPeer, address: bytes) -> Mailbox:
    """Return what reads an address's maildrop."""
    return peer.subject.mailboxes[address.decode()]


async def begin(peer: SmtpPeer, *recipients: bytes, sender: bytes | None = None, parameters: bytes = b"") -> None:
    """Come to where DATA may be said, with recipients, from the start of the session if it was not opened yet."""
    if not peer.is_open:
        await peer.open()
    await peer.control(b"MAIL FROM:<" + (peer.sender if sender is None else sender) + b">" + parameters)
    for recipient in recipients or (peer.recipient,):
        await peer.control(rcpt_command(peer, recipient))


async def send(
    peer: SmtpPeer, message: bytes, *recipients: bytes, sender: bytes | None = None, parameters: bytes = b""
) -> list[Answer]:
    """Send a message in a transaction of its own; return the answer to its end, over LMTP one for each recipient."""
    await begin(peer, *recipients, sender=sender, parameters=parameters)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(message))
    return [await peer.answer() for _ in range(len(recipients) or 1 if peer.subject.is_lmtp else 1)]


async def deliver(
    peer: SmtpPeer, message: bytes, *recipients: bytes, sender: bytes | None = None, parameters: bytes = b""
) -> None:
    """Send a message that has to be taken for every recipient: else nothing can be asked of it."""
    for answer in await send(peer, message, *recipients, sender=sender, parameters=parameters):
        peer.must(answer, to=b"the message")


async def kept(
    peer: SmtpPeer, body: bytes, *, header: bytes = b"", parameters: bytes = b"", control: bool = False
) -> bytes:
    """Deliver one message of the case; return it as it lies in the maildrop. `control`: an ordinary one before it."""
    if control:
        await peer.must_take_mail()
    await deliver(peer, peer.message(body, header=header), parameters=parameters)
    return await arrived(peer)


async def arrived(peer: SmtpPeer) -> bytes:
    """Return the case's one message; Undetermined if it did not arrive: a filter may have laid it elsewhere."""
    found = await came(peer)
    if not found:
        raise Undetermined(NOT_THERE)
    return found[0]


async def came(peer: SmtpPeer, count: int = 1) -> list[bytes]:
    """Return the case's messages in the usual recipient's maildrop: once there are so many, or when time is over."""
    if peer.subject.mailbox is None:
        raise NotApplicable("what was delivered cannot be read back (accounts.pop3 and pop3://, or maildir)")
    return list((await _find(peer, peer.subject.mailbox, count, None)).values())


async def kept_body(peer: SmtpPeer, body: bytes, *, header: bytes = b"", parameters: bytes = b"") -> bytes:
    """Return what is kept of a body."""
    return body_of(await kept(peer, body, header=header, parameters=parameters))


async def look(peer: SmtpPeer, address: bytes, count: int, within_s: float | None = None) -> Mapping[bytes, bytes]:
    """Return the case's messages in an address's maildrop: once there are so many, or when time is over."""
    return await _find(peer, box_of(peer, address), count, within_s)


async def _find(peer: SmtpPeer, mailbox: Mailbox, count: int, within_s: float | None) -> Mapping[bytes, bytes]:
    """Look for the case's messages. What a server writes about them quotes them, and is none of them."""
    limit_s = peer.subject.declared.timers.delivery if within_s is None else within_s
    try:
        async with resting():
            found = await mailbox.find_by_key(peer.token, count, limit_s, but=is_notice)
    except MailboxTrouble as trouble:
        raise Undetermined(str(trouble)) from None
    peer.transcript.mail_missed |= len(found) < count
    return found


async def fence(peer: SmtpPeer, *addresses: bytes) -> None:
    """See a later message arrive in each maildrop: what has not come before it and soon after it will not come.

    A second one is sent where the first is lost, so that a server which loses some mail is found out all the same.
    """
    later = peer.aside()
    for address in addresses:
        await deliver(later, letter(later, "fence", to=address), address)
    for address in addresses:
        if not await look(later, address, 1):
            await deliver(later, letter(later, "again", to=address), address)
            if not await look(later, address, 1):
                raise Undetermined("a later message did not arrive either")


async def settled(peer: SmtpPeer, *addresses: bytes) -> dict[bytes, list[bytes]]:
    """Return all of the case's messages in each maildrop, once nothing more can come."""
    await fence(peer, *addresses)
    await peer.pause(peer.subject.quiet_s)
    return {address: list((await look(peer, address, 0, 0.0)).values()) for address in addresses}


async def set_apart(peer: SmtpPeer, other: bytes) -> None:
    """Send mail to somebody whose mail is to come to a maildrop of its own; `must_be_apart` looks whether it did."""
    await deliver(peer, letter(peer, "apart", to=other), other)


def must_be_apart(found: Collection[bytes], peer: SmtpPeer, other: bytes) -> None:
    """Go on only if the mail that `set_apart` sent is not among what lies in the maildrop that is looked into."""
    if copies_of(found, peer, "apart"):
        raise NotApplicable(f"mail for {printable(other)} comes to the same maildrop")
