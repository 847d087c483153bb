"""Postmaster, and the other mailboxes that every domain has (RFC 5321 §4.5.1, RFC 2142)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import rcpt_command
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

POSTMASTER: Final = b"postmaster"
NOT_YET: Final = ("530", "538")          # needs TLS, or a login


def own_domains(peer: SmtpPeer) -> list[bytes]:
    """Return the domains of the addresses that the server takes mail for."""
    addresses = [address.encode() for address in peer.subject.found.recipients]
    domains = dict.fromkeys(address.rpartition(b"@")[2] for address in addresses if b"@" in address)
    if not domains:
        raise NotApplicable("needs an accepted address with a domain (addresses.accepted)")
    return list(domains)


def taken(answer: Answer, peer: SmtpPeer, who: bytes) -> Judgement:
    """Judge RCPT for somebody who must be there; a server that takes nothing from us at all tells nothing."""
    expected = f"2yz to RCPT for {who.decode()}"
    if answer.matches(*NOT_YET) or (answer.no and not peer.subject.found.recipients):
        return undetermined(f"{answer}: nothing is taken from us", expected)
    return answer.expect("2yz", to=f"RCPT for {who.decode()}")


async def open_to_postmaster(peer: SmtpPeer, address: bytes = POSTMASTER) -> None:
    """Come to where RCPT may be said, postmaster having been taken in another transaction: the control."""
    await peer.open()
    await peer.mail()
    await peer.rcpt(address)
    await peer.control(b"RSET")
    await peer.mail()


@case("smtp.postmaster.bare")
async def postmaster_needs_no_domain(peer: SmtpPeer) -> Judgement:
    """Mail for <postmaster> is taken."""
    await peer.open()
    await peer.mail()
    return taken(await peer.ask(rcpt_command(peer, POSTMASTER)), peer, POSTMASTER)


@case("smtp.postmaster.bare-case", variants={"title": b"Postmaster", "upper": b"POSTMASTER", "odd": b"pOstmasteR"})
async def postmaster_has_no_case(peer: SmtpPeer, written: bytes) -> Judgement:
    """<postmaster> may be written in any case."""
    await open_to_postmaster(peer)
    return taken(await peer.ask(rcpt_command(peer, written)), peer, written)


@case("smtp.postmaster.at-domain")
async def every_domain_has_a_postmaster(peer: SmtpPeer) -> Judgement:
    """Mail for the postmaster of every domain that is served is taken."""
    await peer.open()
    await peer.mail()
    for domain in own_domains(peer):
        judgement = taken(answer := await peer.ask(rcpt_command(peer, who := POSTMASTER + b"@" + domain)), peer, who)
        if not answer.yes:
            break
    return judgement


@case("smtp.postmaster.at-domain-case", variants={"mixed": b"PostMaster@", "upper": b"POSTMASTER@"})
async def a_domains_postmaster_has_no_case(peer: SmtpPeer, written: bytes) -> Judgement:
    """Postmaster may be written in any case before a domain."""
    domain = own_domains(peer)[0]
    await open_to_postmaster(peer, POSTMASTER + b"@" + domain)
    return taken(await peer.ask(rcpt_command(peer, written + domain)), peer, written + domain)


@case("smtp.postmaster.from-null")
async def postmaster_hears_from_nobody(peer: SmtpPeer) -> Judgement:
    """Mail for postmaster from the null reverse-path is taken."""
    await open_to_postmaster(peer)
    await peer.control(b"RSET")
    await peer.control(b"MAIL FROM:<>")
    return taken(await peer.ask(rcpt_command(peer, POSTMASTER)), peer, POSTMASTER)


@case("smtp.postmaster.delivered")
async def postmasters_mail_arrives(peer: SmtpPeer) -> Judgement:
    """Mail for postmaster is not thrown away."""
    await open_to_postmaster(peer)
    await peer.rcpt(POSTMASTER)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    peer.must(await peer.answer(), to=b"the message")
    if not peer.subject.declared.claims.postmaster_is_read:
        arrived = await peer.stored_before_a_later_one()
        if not arrived:
            raise Undetermined("not in the maildrop that is read; is it meant to be? (claims.postmaster_is_read)")
        return satisfied("it arrived")
    return satisfied("it arrived") if await peer.stored() else violated("it did not arrive", "delivery")


@case("smtp.role.abuse")
async def abuse_can_be_told(peer: SmtpPeer) -> Judgement:
    """Mail for abuse at a domain that is served is taken."""
    await peer.open()
    await peer.mail()
    return taken(await peer.ask(rcpt_command(peer, who := b"abuse@" + own_domains(peer)[0])), peer, who)
