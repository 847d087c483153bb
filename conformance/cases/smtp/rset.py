"""RSET: the transaction is aborted, the session stays (RFC 5321 §4.1.1.5)."""

from conformance.case import case
from conformance.judgement import Judgement, satisfied
from conformance.peer import SmtpPeer

MANY = 10


@case("smtp.rset.replies-250")
async def rset_is_answered_250(peer: SmtpPeer) -> Judgement:
    """RSET is answered 250, with and without a transaction to abort."""
    await peer.open()
    idle = await peer.ask(b"RSET")
    if not idle.matches("250"):
        return idle.expect("250", to="RSET")
    await peer.mail()
    return (await peer.ask(b"RSET")).expect("250", to="RSET after MAIL")


@case("smtp.rset.clears-envelope", variants={"data": b"DATA", "rcpt": None})
async def rset_clears_the_envelope(peer: SmtpPeer, after: bytes | None) -> Judgement:
    """RSET forgets sender and recipients: neither DATA nor RCPT has anything to belong to after it."""
    await peer.begin_transaction()
    await peer.control(b"RSET")
    command = after or b"RCPT TO:<" + peer.recipient + b">"
    return (await peer.ask(command)).expect("5yz", to=f"{command[:4].decode()} after RSET")


@case("smtp.rset.before-ehlo")
async def rset_needs_no_hello(peer: SmtpPeer) -> Judgement:
    """RSET may be said at any time, before EHLO too."""
    await peer.greet()
    return (await peer.ask(b"RSET")).expect("250", to="RSET before EHLO")


@case("smtp.rset.no-close")
async def rset_does_not_close(peer: SmtpPeer) -> Judgement:
    """A server does not close the connection because of RSET."""
    await peer.open()
    await peer.control(b"RSET")
    return (await peer.still_there()).expect_open(to="NOOP after RSET")


@case("smtp.rset.keeps-session")
async def rset_keeps_the_session(peer: SmtpPeer) -> Judgement:
    """What EHLO established survives RSET: MAIL needs no new EHLO."""
    await peer.open()
    await peer.mail()
    await peer.control(b"RSET")
    return (await peer.ask(b"MAIL FROM:<" + peer.sender + b">")).expect("2yz", to="MAIL after RSET")


@case("smtp.rset.keeps-auth")
async def rset_keeps_the_login(peer: SmtpPeer) -> Judgement:
    """A login survives RSET."""
    await peer.hello()
    if peer.extensions.starttls and not peer.extensions.auth:
        await peer.start_tls()
    await peer.log_in()
    await peer.control(b"RSET")
    # A session has one login (RFC 4954 §4): a second AUTH is refused with 503 exactly where the first still counts.
    again = await peer.ask(b"AUTH PLAIN")
    if again.go_on:
        await peer.send(b"*\r\n")
        await peer.answer()
    return again.expect("503", to="AUTH after a login and RSET")


@case("smtp.rset.repeatable")
async def rset_can_be_repeated(peer: SmtpPeer) -> Judgement:
    """RSET with nothing to abort is lawful, however often it is said."""
    await peer.open()
    for number in range(1, MANY + 1):
        answer = await peer.ask(b"RSET")
        if not answer.matches("250"):
            return answer.expect("250", to=f"RSET number {number}")
    return satisfied(f"{MANY} times 250")
