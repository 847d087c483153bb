"""Mail that is sent on: who may have it done, and what a next hop without 8BITMIME or SMTPUTF8 gets (RFC 6152)."""

from typing import Final

from conformance.case import case
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.message import MARK, make_message
from conformance.peer import SmtpPeer
from conformance.room import resting
from conformance.sink import Sink, Transferred
from loadgen.wire.printable import printable

BODY: Final = b"This line is for the recipient.\r\n"
MIME: Final = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
EIGHT_BITS: Final = "Grüße.\r\n".encode()
SUBJECT: Final = "Grüße"


async def begin_onward(peer: SmtpPeer, *keywords: str) -> None:
    """Come to where mail may be sent on: logged in, if a login was declared, and with what is needed on offer."""
    if peer.subject.is_lmtp:
        raise NotApplicable("LMTP delivers, and sends nothing on")
    peer.at_sink()                     # without a sink there is no question
    await peer.open()
    if peer.subject.declared.accounts.smtp and not peer.subject.declared.session.login:
        if not peer.extensions.auth and peer.extensions.starttls and not peer.in_tls:
            await peer.start_tls()
        await peer.log_in()
    for keyword in keywords:
        peer.require(keyword)


def plain_sink(peer: SmtpPeer) -> Sink:
    """Return the server of ours that offers no extensions."""
    if peer.sink.plain is None:
        raise NotApplicable("needs a second sink, without extensions (sink.plain, sink.plain_domain)")
    return peer.sink.plain


def at_plain_sink(peer: SmtpPeer, prefix: bytes = b"") -> bytes:
    """Return an address of this case alone whose mail comes to that one."""
    return prefix + peer.token.encode() + b"@" + plain_sink(peer).domain.encode()


def sender_here(peer: SmtpPeer) -> bytes:
    """Return the reverse-path whose maildrop we read: notices come there."""
    if b"@" not in peer.recipient:
        raise NotApplicable("needs an accepted address with a domain (addresses.accepted)")
    return peer.recipient


async def send_on(
    peer: SmtpPeer, *recipients: bytes, of_mail: bytes = b"", sender: bytes | None = None, message: bytes | None = None
) -> None:
    """Send a message to recipients elsewhere, each with what stands behind its address in RCPT after a space."""
    reverse_path = sender_here(peer) if sender is None else sender
    await peer.control((b"MAIL FROM:<" + reverse_path + b"> " + of_mail).rstrip())
    for recipient in recipients:
        address, _, parameters = recipient.partition(b" ")
        answer = await peer.ask((b"RCPT TO:<" + address + b"> " + parameters).rstrip())
        if answer.no and not peer.subject.declared.accounts.smtp:
            raise NotApplicable(f"{answer} to RCPT: sending on needs a login (accounts.smtp)")
        peer.must(answer, to=b"RCPT for the sink")
    await peer.control(b"DATA", "354")
    peer.must(await peer.end_of(letter(peer) if message is None else message), to=b"the message")


def letter(peer: SmtpPeer, body: bytes = BODY, *, header: bytes = b"") -> bytes:
    """Return a message of this case for somebody elsewhere."""
    return make_message(sender_here(peer), peer.at_sink(), peer.token, body, header=header)


async def came_to(peer: SmtpPeer, sink: Sink, within_s: float | None = None) -> Transferred | None:
    """Return this case's message as it came to a sink, None if it did not: notices do not count."""
    async with resting():
        found = await sink.find(peer.token, 1, peer.subject.declared.timers.delivery if within_s is None else within_s)
    return next((one for one in found if MARK in one.mail_data.partition(b"\r\n\r\n")[0]), None)


async def returned(peer: SmtpPeer) -> bool:
    """Say whether something has come to the sender's maildrop."""
    return bool(await peer.stored())


@case("smtp.rcpt.local-case-preserved")
async def the_case_of_a_local_part_is_kept(peer: SmtpPeer) -> Judgement:
    """The local-part of an address goes to the next hop in the letters in which it came."""
    await begin_onward(peer)
    sent = peer.at_sink(b"MiXeD-CaSe-")
    await send_on(peer, sent)
    came = await came_to(peer, peer.sink)
    if came is None:
        return undetermined("the message did not come to the sink")
    wanted = sent.rpartition(b"@")[0]
    local_parts = [recipient.rpartition(b"@")[0] for recipient in came.recipients]
    got, expected = printable(b" ".join(local_parts)), printable(wanted)
    if wanted in local_parts:
        return satisfied(got, expected)
    if wanted.lower() in [local_part.lower() for local_part in local_parts]:
        return violated(got, expected)
    return undetermined(f"the recipient is another one there: {got}", expected)      # an alias, say


@case("smtp.8bit.relay-declares")
async def eight_bits_are_declared(peer: SmtpPeer) -> Judgement:
    """What is sent on with octets above 127 is declared as BODY=8BITMIME."""
    await begin_onward(peer, "8BITMIME")
    await send_on(peer, peer.at_sink(), of_mail=b"BODY=8BITMIME", message=letter(peer, EIGHT_BITS, header=MIME))
    came = await came_to(peer, peer.sink)
    if came is None:
        return undetermined("the message did not come to the sink")
    if came.mail_data.isascii():
        return satisfied("converted", "BODY=8BITMIME")
    body = came.asked(b"BODY")
    declared = body is not None and body.upper() in {b"8BITMIME", b"BINARYMIME"}
    return (satisfied if declared else violated)(f"MAIL with {printable(came.mail_parameters)!r}", "BODY=8BITMIME")


@case("smtp.8bit.relay-converts")
async def eight_bits_do_not_go_where_they_are_not_taken(peer: SmtpPeer) -> Judgement:
    """To a next hop without 8BITMIME a message with octets above 127 is converted, or not sent and its sender told."""
    await begin_onward(peer, "8BITMIME")
    message = letter(peer, EIGHT_BITS, header=MIME)
    await send_on(peer, at_plain_sink(peer), of_mail=b"BODY=8BITMIME", message=message)
    return await _kept_from_plain(peer, of_header_alone=False)


@case("smtp.utf8.no-downgrade-path")
async def utf8_does_not_go_where_it_is_not_taken(peer: SmtpPeer) -> Judgement:
    """To a next hop without SMTPUTF8 header fields in UTF-8 are not sent: the sender is told, or they are encoded."""
    await begin_onward(peer, "SMTPUTF8")
    message = letter(peer).replace(b"Subject: ", f"Subject: {SUBJECT} ".encode(), 1)
    await send_on(peer, at_plain_sink(peer), of_mail=b"SMTPUTF8", message=message)
    return await _kept_from_plain(peer, of_header_alone=True)


async def _kept_from_plain(peer: SmtpPeer, *, of_header_alone: bool) -> Judgement:
    """Judge what became of a message that the plain sink must not get as it is."""
    expected = "no octets above 127 there, or a notice to the sender"
    # Whichever comes first would do; the sink is quick, and a notice takes a delivery.
    if (came := await came_to(peer, plain_sink(peer), peer.subject.quiet_s)) is None:
        if await returned(peer):
            return satisfied("returned to the sender", expected)
        if (came := await came_to(peer, plain_sink(peer))) is None:
            return undetermined("neither the message nor a notice came", expected)
    looked_at = came.mail_data.partition(b"\r\n\r\n")[0] if of_header_alone else came.mail_data
    return satisfied("converted", expected) if looked_at.isascii() else violated("sent as it was", expected)


@case("smtp.utf8.a-label-not-needed")
async def ascii_goes_everywhere(peer: SmtpPeer) -> Judgement:
    """A message in ASCII that was sent with SMTPUTF8 goes to a next hop without it."""
    await begin_onward(peer, "SMTPUTF8")
    await send_on(peer, at_plain_sink(peer), of_mail=b"SMTPUTF8")
    if (came := await came_to(peer, plain_sink(peer), peer.subject.quiet_s)) is not None:
        return satisfied(f"sent with {printable(came.mail_parameters)!r}", "sent on")
    if await returned(peer):
        return violated("returned to the sender", "sent on")
    if await came_to(peer, plain_sink(peer)) is None:
        raise Undetermined("neither the message nor a notice came")
    return satisfied("sent", "sent on")
