"""What an answer says of an address's syntax, apart from what a policy thinks of the address (RFC 5321 §4.1.2)."""

from typing import Final

from conformance.answer import Answer
from conformance.judgement import Judgement, NotApplicable, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

SYNTAX: Final = ("500", "501")
NAME_NOT_ALLOWED: Final = "553"           # syntax or policy: only the enhanced code tells
# RFC 3463 §3.2: the addresses' syntax; x.1.8 and x.7.z are of names and policies, though 501 stands before them.
ADDRESS_SYNTAX: Final = frozenset({(1, 3), (1, 7)})
NO_SYNTAX: Final = frozenset({(1, 0), (1, 1), (1, 2), (1, 8)})


def refused_as_syntax(answer: Answer) -> bool:
    """Say whether an answer calls what it answers malformed, and leaves no doubt that it means the syntax."""
    if answer.reply is None:
        return False
    status = answer.reply.enhanced
    if answer.matches(NAME_NOT_ALLOWED):
        return status is not None and (status.subject, status.detail) in ADDRESS_SYNTAX
    if not answer.matches(*SYNTAX):
        return False
    return status is None or not ((status.subject, status.detail) in NO_SYNTAX or status.subject == 7)


def parsed(answer: Answer, what: str) -> Judgement:
    """Judge the answer to a lawful address: a refusal that is not for its syntax tells nothing."""
    expected = f"2yz to {what}, or a policy's refusal"
    if answer.yes:
        return satisfied(f"{answer} to {what}", expected)
    return (violated if refused_as_syntax(answer) else undetermined)(f"{answer} to {what}", expected)


def understood_recipient(answer: Answer, what: str) -> Judgement:
    """Judge RCPT with a lawful path that need not lead anywhere: a refusal is understood, but for the syntax."""
    expected = f"an answer to {what} that does not call it malformed"
    if answer.reply is None or answer.later:
        return undetermined(f"{answer} to {what}", expected)
    return (violated if refused_as_syntax(answer) else satisfied)(f"{answer} to {what}", expected)


def domain_of_recipient(peer: SmtpPeer) -> bytes:
    """Return the domain of a forward-path that this server takes."""
    domain = peer.recipient.rpartition(b"@")[2] if b"@" in peer.recipient else b""
    if not domain:
        raise NotApplicable("needs an accepted address with a domain (addresses.accepted)")
    return domain


def domain_of_sender(peer: SmtpPeer) -> bytes:
    """Return the domain of the reverse-path that this server takes."""
    domain = peer.sender.rpartition(b"@")[2]
    if not domain:
        raise NotApplicable("needs a reverse-path with a domain (addresses.sender)")
    return domain


async def open_controlled(peer: SmtpPeer, path: bytes | None = None) -> None:
    """Open the session, and see that a lawful MAIL is taken in it: the usual one, or one with this path."""
    await peer.open()
    await (peer.mail() if path is None else peer.control(b"MAIL FROM:" + path))
    await peer.control(b"RSET")
