"""HELP: advice for people; a server should have some (RFC 5321 §4.1.1.8)."""

from conformance.case import case
from conformance.judgement import Judgement, observed
from conformance.peer import SmtpPeer


@case("smtp.help.supported")
async def help_is_given(peer: SmtpPeer) -> Judgement:
    """HELP is answered 211 or 214."""
    await peer.open()
    return (await peer.ask(b"HELP")).expect("211", "214", to="HELP")


@case("smtp.help.argument")
async def help_takes_an_argument(peer: SmtpPeer) -> Judgement:
    """HELP may be asked about a command."""
    await peer.open()
    return observed(await peer.ask(b"HELP MAIL"))


@case("smtp.help.keeps-envelope")
async def help_keeps_the_envelope(peer: SmtpPeer) -> Judgement:
    """HELP leaves a transaction as it was."""
    await peer.begin_transaction()
    peer.must(await peer.ask(b"HELP"), "2yz", "5yz", to=b"HELP")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after MAIL, RCPT, HELP")


@case("smtp.help.before-ehlo")
async def help_needs_no_hello(peer: SmtpPeer) -> Judgement:
    """HELP may be said before EHLO."""
    await peer.greet()
    return (await peer.ask(b"HELP")).expect("2yz", "500", "502", "504", to="HELP before EHLO")
