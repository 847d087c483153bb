"""Notices of failure: to whom, from whom, and of what (RFC 5321 §3.6.3, §6.1).

The sink refuses a recipient for good, so that mail which the server took cannot be delivered, whatever the server would
have refused itself. Senders are at the sink too: what they are told comes there.
"""

from typing import Final

from conformance.case import case
from conformance.cases.smuggle.onward import begin_message, begin_submission, reaches_the_sink
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from conformance.room import resting
from conformance.sink import REFUSED, Transferred
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

AUTHOR: Final = b"author-"
REPLIES: Final = b"replies-"
SENDER: Final = b"sender-"


def _message(peer: SmtpPeer) -> bytes:
    """Return a message whose author and whose Reply-To are not its sender."""
    fields = (
        b"From: <" + peer.at_sink(AUTHOR) + b">",
        b"Reply-To: <" + peer.at_sink(REPLIES) + b">",
        b"To: <" + peer.at_sink(REFUSED) + b">",
        b"Date: Thu, 01 Jan 2026 00:00:00 +0000",
        b"Message-ID: <" + peer.token.encode() + b"@mailproof.invalid>",
        b"Subject: mailproof conformance case",
    )
    return b"\r\n".join(fields) + b"\r\n\r\nA line.\r\n"


async def _fail(peer: SmtpPeer, sender: bytes) -> None:
    """Send a message that the sink refuses, and see that the server has tried it there."""
    refused = peer.at_sink(REFUSED)
    await begin_message(peer, refused, sender)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(_message(peer)))
    answer = await peer.answer()
    if answer.no:
        raise NotApplicable(f"{answer}: refused in the session, so that nobody has to be told")
    peer.must(answer, to=b"a message for who is refused at the sink")
    async with resting():
        tried = await peer.sink.has_refused(refused, peer.subject.declared.timers.delivery)
    if not tried:
        raise Undetermined("the server did not try to send the message on in the time allowed (timers.delivery)")


async def _notices(peer: SmtpPeer, sender: bytes) -> tuple[Transferred, ...]:
    """Have a message fail; return what came of it to the sink, none if nothing came in twice the time mail may take."""
    await begin_submission(peer)
    await reaches_the_sink(peer)
    await _fail(peer, sender)
    return await peer.sent_on(1, 2 * peer.subject.declared.timers.delivery)


async def _notice(peer: SmtpPeer, sender: bytes | None = None) -> Transferred:
    """Have a message fail; return the notice of it."""
    came = await _notices(peer, peer.at_sink(SENDER) if sender is None else sender)
    if not came:
        raise Undetermined("no notice came: bounce.sent looks into that")
    return came[0]


@case("bounce.sent")
async def the_sender_is_told(peer: SmtpPeer) -> Judgement:
    """Who sent a message that was taken, and could not be delivered, is told."""
    came = await _notices(peer, peer.at_sink(SENDER))
    return satisfied("a notice came") if came else violated("the next hop refused it, and no notice came", "a notice")


@case("bounce.null-sender")
async def a_notice_has_no_sender(peer: SmtpPeer) -> Judgement:
    """A notice of failure comes from the null reverse-path."""
    notice = await _notice(peer)
    return (violated if notice.reverse_path else satisfied)(f"MAIL FROM:<{printable(notice.reverse_path)}>", "<>")


@case("bounce.to-envelope-sender")
async def a_notice_goes_to_the_sender(peer: SmtpPeer) -> Judgement:
    """A notice goes to the reverse-path, not to From or Reply-To."""
    notice = await _notice(peer)
    to = printable(b", ".join(notice.recipients))
    expected = printable(peer.at_sink(SENDER))
    wrong = [one for one in notice.recipients if one.startswith((AUTHOR, REPLIES))]
    return (violated if wrong else satisfied)(to, expected)


@case("bounce.none-for-null")
async def nobody_is_told_of_a_notice(peer: SmtpPeer) -> Judgement:
    """Of a message from the null reverse-path nobody is told that it failed."""
    await begin_submission(peer)
    await reaches_the_sink(peer)
    await _fail(peer, b"")
    # A later failure, of which somebody must be told: what has not come before that notice will not come.
    later = peer.aside()
    await begin_submission(later)
    await _fail(later, later.at_sink(SENDER))
    if not await later.sent_on():
        return undetermined("no notice came of a later failure either")
    came = await peer.sent_on(1, peer.subject.quiet_s)
    if came:
        return violated(f"a notice went to {printable(b', '.join(came[0].recipients))}", "no notice")
    return satisfied("no notice")


@case("bounce.mime-report")
async def a_notice_is_a_report(peer: SmtpPeer) -> Judgement:
    """A notice is a multipart/report with a delivery-status (RFC 3464)."""
    notice = await _notice(peer)
    text = notice.mail_data.lower()
    header = text.partition(b"\r\n\r\n")[0]
    lacking = [
        word.decode()
        for word, where in (
            (b"multipart/report", header), (b"delivery-status", header), (b"message/delivery-status", text),
        )
        if word not in where
    ]  # fmt: skip
    return (violated if lacking else satisfied)(f"without {', '.join(lacking)}" if lacking else "multipart/report")


@case("bounce.route-stripped")
async def a_notice_takes_no_route(peer: SmtpPeer) -> Judgement:
    """A notice goes to the last hop of a reverse-path that names a route."""
    sender = peer.at_sink(SENDER)
    notice = await _notice(peer, b"@hop.invalid:" + sender)
    to = printable(b", ".join(notice.recipients))
    routed = any(b":" in one or one.startswith(b"@") for one in notice.recipients)
    return (violated if routed else satisfied)(f"RCPT TO:<{to}>", f"RCPT TO:<{printable(sender)}>")


@case("bounce.no-backscatter")
async def unknown_users_are_refused_in_the_session(peer: SmtpPeer) -> Judgement:
    """Mail for an unknown user is refused in the session: who would be told of it later can be forged."""
    await peer.open()
    sender = peer.sender if peer.subject.sink is None else peer.at_sink(SENDER)
    expected = "refused in the session"
    answer = await peer.ask(b"MAIL FROM:<" + sender + b">")
    if not answer.yes:
        await peer.mail()
    answer = await peer.ask(b"RCPT TO:<" + peer.rejected + b">")
    if answer.yes:
        answer = await peer.ask(b"DATA")
        if answer.go_on:
            answer = await peer.end_of(peer.message())
    if answer.no or answer.later:
        return satisfied(answer, expected)
    if not answer.yes:
        return undetermined(answer, expected)
    told = peer.subject.sink is not None and await peer.sent_on()
    return violated(f"{answer} to a message for nobody{', and its sender was told' if told else ''}", expected)
