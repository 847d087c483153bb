"""Trying to send through a server as a stranger, and seeing what becomes of it (RFC 5321 §3.6.2, §7.9).

A 2yz is no proof: the message is sent, and looked for at the sink and in the maildrop. Only reserved names are used.
"""

import ipaddress
from enum import Enum, auto
from typing import Final

from conformance.answer import Answer
from conformance.judgement import Judgement, NotApplicable, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

REFUSED: Final = "4yz or 5yz"


class Whose(Enum):
    """Whom a server may lawfully take a forward-path for."""

    OUTSIDE = auto()         # nobody but somebody outside
    OURS = auto()            # or a user of its own, with an odd local-part or in a subdomain: if it has such a one
    HERE = auto()            # or anybody at this very host


def outside(peer: SmtpPeer) -> tuple[str, str]:
    """Return the local-part and the domain of an address that is not the server's: the sink's, if there is one."""
    if peer.subject.sink is not None:
        return peer.token, peer.subject.sink.domain
    foreign = peer.subject.declared.addresses.foreign
    if not foreign:
        raise NotApplicable("needs an address that is not the server's own (addresses.foreign)")
    local_part, _, domain = foreign[0].rpartition("@")
    return local_part, domain


def plain(peer: SmtpPeer) -> str:
    """Return the address of somebody outside."""
    return "@".join(outside(peer))


def own_domain(peer: SmtpPeer) -> str:
    """Return a domain whose mail the server takes."""
    domain = peer.recipient.decode().rpartition("@")[2]
    if "@" not in peer.recipient.decode():
        raise NotApplicable("needs an accepted address with a domain (addresses.accepted)")
    return domain


def own_literal(peer: SmtpPeer) -> str:
    """Return the server's own address as a literal (RFC 5321 §4.1.3)."""
    given = peer.subject.declared.claims.address or peer.subject.endpoint.host or ""
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        raise NotApplicable("needs the server's own address (claims.address)") from None
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def stranger(peer: SmtpPeer) -> bytes:
    """Return a reverse-path outside, to which a notice of failure may go."""
    return f"from-{peer.token}@{outside(peer)[1]}".encode()


async def arrive(peer: SmtpPeer) -> None:
    """Come to where MAIL may be said, without a login, and see that the server takes its own mail from us."""
    await peer.hello()
    if peer.subject.declared.session.tls == "starttls" and not peer.in_tls:
        await peer.start_tls()
    await takes_its_own(peer)


async def takes_its_own(peer: SmtpPeer) -> None:
    """See, for a control, that mail for the server's own is taken; where a login is asked for, that tells enough."""
    if not peer.subject.declared.session.login:
        await peer.mail()
        await peer.rcpt()
        await peer.control(b"RSET")


async def begin(peer: SmtpPeer, sender: bytes | None = None, parameters: bytes = b"") -> Answer:
    """Begin a transaction from somebody outside, or from the sender given; return the answer."""
    if sender is not None:
        return await peer.ask(b"MAIL FROM:<" + sender + b">" + parameters)
    answer = await peer.ask(b"MAIL FROM:<" + stranger(peer) + b">" + parameters)
    # Some look the domain up; whether a stranger's or their own, they must not send on.
    return answer if answer.yes else await peer.ask(b"MAIL FROM:<" + peer.sender + b">" + parameters)


async def pass_on(
    peer: SmtpPeer, path: str, whose: Whose = Whose.OUTSIDE, *, sender: bytes | None = None,
    parameters: bytes = b"", seen: bool = True, only_form: bool = True,
) -> Judgement:
    """Try to send to a forward-path; judge by what becomes of it.

    `seen`: what is sent on comes to the sink, if there is one. `only_form`: what is asked is whether the form of path
    or sender opens a way; if there is one for everybody, that says nothing.
    """
    began = await begin(peer, sender, parameters)
    if not began.yes:
        return refused(began, "MAIL")
    answer = await peer.ask(b"RCPT TO:<" + path.encode() + b">")
    if not answer.yes:
        return refused(answer, "RCPT")
    if only_form and await _takes(peer.another(), plain(peer)):
        raise NotApplicable("mail for anybody is taken from us: relay.plain looks into that")
    if not only_form:
        await _also_takes_others(peer, path)
    if whose is not Whose.OUTSIDE and not peer.subject.declared.allow.leave_mail:
        return undetermined(f"{answer} to RCPT; sending to it needs allow.leave_mail", REFUSED)
    return await follow(peer, str(answer), whose, seen=seen)


def refused(answer: Answer, to: str) -> Judgement:
    """Judge an answer that is no 2yz: a refusal, or a close, is what is wanted."""
    if answer.no or answer.later or answer.closed:
        return satisfied(f"{answer} to {to}", REFUSED)
    return undetermined(f"{answer} to {to}", REFUSED)


async def follow(peer: SmtpPeer, taken: str, whose: Whose, *, seen: bool = True) -> Judgement:
    """Send the message, and look where it comes out."""
    answer = await peer.ask(b"DATA")
    if answer.go_on:
        answer = await peer.end_of(peer.message())
    if not answer.yes:
        return refused(answer, f"the message, after {taken} to RCPT")
    return await _where(peer, f"{taken} to RCPT, {answer} to the message", whose, seen=seen)


async def _where(peer: SmtpPeer, got: str, whose: Whose, *, seen: bool) -> Judgement:
    """Judge a message that was taken by where it came out."""
    if whose is not Whose.OUTSIDE and await _is_stored(peer):
        return satisfied(f"{got}: delivered to a maildrop of its own", REFUSED)
    if peer.subject.sink is None or not seen:
        unseen = f"{got}; no sink shows whether it is sent on"
        if whose is Whose.OURS and not await _takes(peer.another(), f"{peer.token}@{own_domain(peer)}"):
            whose = Whose.OUTSIDE              # it looks local-parts up, and this one cannot be there
        return (violated if whose is Whose.OUTSIDE else undetermined)(f"suspect: {unseen}", REFUSED)
    came = await peer.sent_on()
    for recipient in (recipient for one in came for recipient in one.recipients):
        if recipient.rpartition(b"@")[0].lower() == outside(peer)[0].encode():
            return violated(f"{got}: sent on to {printable(recipient)}", REFUSED)
    if came:
        did = violated if whose is Whose.OUTSIDE else satisfied
        return did(f"{got}: returned to its sender, whom anybody may name", REFUSED)
    return undetermined(f"{got}; it did not come to the sink", REFUSED)


async def _is_stored(peer: SmtpPeer) -> bool:
    return peer.subject.mailbox is not None and await peer.stored_within(peer.subject.quiet_s)


async def _also_takes_others(peer: SmtpPeer, path: str) -> None:
    """See that somebody who is not at the sink would be taken in this session as well; then begin anew.

    A server may take mail for the sink's domain from anybody, as it would for a domain it stands in for.
    """
    foreign = [one for one in peer.subject.declared.addresses.foreign if not one.endswith(outside(peer)[1])]
    if not foreign or peer.subject.sink is None:
        return
    for address in (foreign[0], path):
        await peer.control(b"RSET")
        await begin(peer)
        if not (await peer.ask(b"RCPT TO:<" + address.encode() + b">")).yes:
            raise NotApplicable("of mail for outside, only the sink's domain is taken from strangers: no proof of more")


async def _takes(peer: SmtpPeer, address: str) -> bool:
    """Say whether a stranger's mail for an address is taken at RCPT, in a session of its own."""
    await peer.hello()
    if peer.subject.declared.session.tls == "starttls" and not peer.in_tls:
        await peer.start_tls()
    return (await begin(peer)).yes and (await peer.ask(b"RCPT TO:<" + address.encode() + b">")).yes
