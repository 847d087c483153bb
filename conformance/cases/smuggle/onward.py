"""Sending a message through the server to the sink, and looking at the octets that come there."""

from conformance.judgement import NotApplicable, Undetermined
from conformance.message import make_message
from conformance.peer import SmtpPeer
from conformance.sink import Transferred
from loadgen.wire.transparency import stuff


async def begin_submission(peer: SmtpPeer) -> None:
    """Come to where mail for the sink may be sent: logged in, if a login was declared."""
    peer.at_sink()           # there is one, or the question does not arise
    await peer.hello()
    wants_tls = peer.subject.declared.session.tls == "starttls"
    if not peer.in_tls and (wants_tls or (peer.extensions.starttls and not peer.extensions.auth)):
        await peer.start_tls()
    if peer.subject.declared.accounts.smtp:
        await peer.log_in()


async def begin_message(peer: SmtpPeer, recipient: bytes, sender: bytes | None = None) -> None:
    """Begin a transaction with somebody at the sink."""
    await peer.control(b"MAIL FROM:<" + (peer.sender if sender is None else sender) + b">")
    await peer.control(b"RCPT TO:<" + recipient + b">")


async def reaches_the_sink(peer: SmtpPeer) -> None:
    """See, for a control, that an ordinary message of this session comes to the sink."""
    fence = peer.aside()
    await begin_message(peer, fence.at_sink())
    await peer.control(b"DATA", "354")
    await peer.send(stuff(make_message(peer.sender, fence.at_sink(), fence.token, b"A line.\r\n")))
    peer.must(await peer.answer(), to=b"an ordinary message for the sink")
    if not await fence.sent_on():
        raise Undetermined("an ordinary message does not come to the sink (sink.domain is to be sent there)")


async def what_came(peer: SmtpPeer) -> Transferred:
    """Return this case's message as it came to the sink; the session must have seen nothing else in it."""
    # Whoever took a look-alike for the end has read what followed it as commands, and answered them.
    after = await peer.still_there()
    if not after.matches("250"):
        raise NotApplicable(f"{after} to NOOP after the message: its end was seen elsewhere, as smuggle.in tells")
    came = await peer.sent_on()
    if not came:
        raise Undetermined("the message was taken, and did not come to the sink in the time allowed (timers.delivery)")
    return came[0]
