"""NOOP: nothing happens, and 250 says so (RFC 5321 §4.1.1.9)."""

from conformance.case import case
from conformance.judgement import Judgement
from conformance.peer import SmtpPeer


@case("smtp.noop.replies-250")
async def noop_is_answered_250(peer: SmtpPeer) -> Judgement:
    """NOOP is answered 250."""
    await peer.open()
    return (await peer.ask(b"NOOP")).expect("250", to="NOOP")


@case("smtp.noop.ignores-argument")
async def noop_ignores_an_argument(peer: SmtpPeer) -> Judgement:
    """A string after NOOP is of no account."""
    await peer.open()
    await peer.control(b"NOOP")
    return (await peer.ask(b"NOOP anything at all")).expect("250", to="NOOP with an argument")


@case("smtp.noop.keeps-envelope")
async def noop_keeps_the_envelope(peer: SmtpPeer) -> Judgement:
    """NOOP leaves a transaction as it was."""
    await peer.begin_transaction()
    await peer.control(b"NOOP")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after MAIL, RCPT, NOOP")


@case("smtp.noop.before-ehlo")
async def noop_needs_no_hello(peer: SmtpPeer) -> Judgement:
    """NOOP may be said before EHLO."""
    await peer.greet()
    return (await peer.ask(b"NOOP")).expect("250", to="NOOP before EHLO")
