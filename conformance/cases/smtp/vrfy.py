"""VRFY and EXPN: who is behind a name, or a refusal to say that does not lie (RFC 5321 §3.5, §7.3)."""

import re
from typing import Final

from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    not_applicable,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer

# What VRFY may be answered with: the table of RFC 5321 §4.3.2 and §3.5.3.
VRFY_CODES: Final = ("250", "251", "252", "550", "551", "553")
# local-part@domain, in brackets or bare; nothing routed (RFC 5321 §3.5.1: no source routes, no "!"-paths).
MAILBOX: Final = re.compile(rb"<?[^\s<>@,]+@[A-Za-z0-9.\[\]:-]+>?")
# What a server that does not say would sensibly say "no" with, and what an operator's lock looks like.
KEPT_SHUT: Final = ("252", "4yz", "5yz")


def _nobody(peer: SmtpPeer) -> bytes:
    """Return a name that no server can have."""
    return f"nobody-{peer.token}".encode()


@case("smtp.vrfy.recognised")
async def vrfy_is_recognised(peer: SmtpPeer) -> Judgement:
    """VRFY is a command that every server knows, and 502 says that it does less than the RFC asks for."""
    await peer.open()
    answer = await peer.ask(b"VRFY postmaster")
    return answer.expect(*VRFY_CODES, lawful=("502", "504", "501", "530", "554"), to="VRFY")


@case("smtp.vrfy.disabled-252")
async def a_disabled_vrfy_says_252(peer: SmtpPeer) -> Judgement:
    """A server whose VRFY is disabled answers 252, which claims nothing."""
    if not peer.subject.declared.claims.vrfy_disabled:
        return not_applicable("needs a server whose VRFY is disabled (claims.vrfy_disabled)")
    await peer.open()
    return (await peer.ask(b"VRFY postmaster")).expect("252", to="VRFY")


@case("smtp.vrfy.no-false-250", variants={"declared": True, "random": False})
async def vrfy_confirms_nobody_unknown(peer: SmtpPeer, declared: bool) -> Judgement:
    """VRFY answers 250 only for an address that was verified."""
    name = peer.rejected if declared else _nobody(peer)
    await peer.open()
    answer = await peer.ask(b"VRFY " + name)
    return answer.expect("252", "251", "4yz", "5yz", to="VRFY of an unknown name")


@case("smtp.vrfy.not-always-550")
async def vrfy_does_not_deny_everybody(peer: SmtpPeer) -> Judgement:
    """A server that will not verify does not answer 550, which denies that the mailbox exists."""
    unknown, known = peer.rejected, peer.recipient
    await peer.open()
    denied = await peer.ask(b"VRFY " + unknown)
    answer = await peer.ask(b"VRFY " + known)
    if not denied.matches("550"):
        return satisfied(f"{denied} to the unknown address")
    return violated(answer, "another answer than to an unknown address") if answer.matches("550") else satisfied(answer)


@case("smtp.vrfy.mailbox-in-250")
async def vrfy_names_the_mailbox(peer: SmtpPeer) -> Judgement:
    """What VRFY answers 250 with holds local-part@domain."""
    await peer.open()
    answer = await peer.ask(b"VRFY " + peer.recipient)
    if not answer.matches("250") or answer.reply is None:
        return not_applicable(f"{answer} to VRFY: nothing was verified")
    named = all(MAILBOX.search(text) for text in answer.reply.texts)
    return (satisfied if named else violated)(answer, "250 with local-part@domain")


@case("smtp.vrfy.keeps-envelope")
async def vrfy_keeps_the_envelope(peer: SmtpPeer) -> Judgement:
    """VRFY leaves a transaction as it was."""
    await peer.begin_transaction()
    peer.must(await peer.ask(b"VRFY postmaster"), "2yz", "5yz", to=b"VRFY")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after MAIL, RCPT, VRFY")


@case("smtp.vrfy.before-ehlo")
async def vrfy_needs_no_hello(peer: SmtpPeer) -> Judgement:
    """VRFY may be said before EHLO."""
    await peer.greet()
    answer = await peer.ask(b"VRFY postmaster")
    return answer.expect(*VRFY_CODES, "500", "501", "502", "504", to="VRFY before EHLO")


@case("smtp.vrfy.no-argument")
async def vrfy_needs_a_name(peer: SmtpPeer) -> Judgement:
    """VRFY without a name is refused."""
    await peer.open()
    return (await peer.ask(b"VRFY")).expect("5yz", to="VRFY without an argument")


@case("smtp.vrfy.enumeration")
async def vrfy_does_not_tell_strangers(peer: SmtpPeer) -> Judgement:
    """VRFY answers a stranger alike, whether the address exists or not."""
    unknown, known = peer.rejected, peer.recipient
    await peer.hello()
    first, second = await peer.ask(b"VRFY " + known), await peer.ask(b"VRFY " + unknown)
    if first.reply is None or second.reply is None:
        return undetermined(f"{first}; {second}")
    got = f"{first} to the known address, {second} to the unknown one"
    return satisfied(got) if first.code == second.code else weakened(got, "the same code to both")


@case("smtp.expn.no-false-250")
async def expn_expands_nothing_unknown(peer: SmtpPeer) -> Judgement:
    """EXPN answers 250 only for a list that exists."""
    await peer.open()
    return (await peer.ask(b"EXPN " + _nobody(peer))).expect("252", "4yz", "5yz", to="EXPN of an unknown name")


@case("smtp.expn.one-per-line")
async def expn_gives_one_mailbox_a_line(peer: SmtpPeer) -> Judgement:
    """A list is given with one mailbox on each line."""
    await peer.open()
    answer = await peer.ask(b"EXPN " + peer.recipient)
    if not answer.matches("250") or answer.reply is None:
        raise NotApplicable(f"{answer} to EXPN: nothing was expanded")
    crowded = any(len(MAILBOX.findall(text)) > 1 for text in answer.reply.texts)
    return (violated if crowded else satisfied)(answer, "one mailbox on each line")


@case("smtp.expn.keeps-envelope")
async def expn_keeps_the_envelope(peer: SmtpPeer) -> Judgement:
    """EXPN leaves a transaction as it was."""
    await peer.begin_transaction()
    peer.must(await peer.ask(b"EXPN postmaster"), "2yz", "5yz", to=b"EXPN")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after MAIL, RCPT, EXPN")


@case("smtp.expn.unauthenticated")
async def expn_is_not_for_strangers(peer: SmtpPeer) -> Judgement:
    """EXPN does not give a list to whoever asks."""
    await peer.hello()
    return (await peer.ask(b"EXPN postmaster")).expect(*KEPT_SHUT, to="EXPN without a login")
