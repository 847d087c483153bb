"""What a header tells of the others who get a message: nothing (RFC 5321 §7.2)."""

from conformance.case import case
from conformance.cases.trace.fields import Header, header_of, may_look, name_of, ours, stamp_of, store
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, violated, weakened
from conformance.message import MARK
from conformance.peer import SmtpPeer
from conformance.trace.header import RECEIVED


async def _tells(peer: SmtpPeer, what: object) -> Judgement:
    """Judge a header that names the other recipient, unless it is that of his own copy, in a maildrop for both."""
    copies = len(await peer.stored_before_a_later_one())
    if copies > 1:
        raise NotApplicable(f"{copies} copies lie in one maildrop: whose is whose cannot be told")
    return weakened(what, "no other recipient")


async def _for_two(peer: SmtpPeer) -> tuple[Header, list[bytes]]:
    """Deliver a message for two; return the first one's header, and both addresses."""
    may_look(peer)
    both = peer.recipients(2)
    await peer.begin_transaction()
    await peer.rcpt(both[1])
    return await store(peer, peer.message()), both


def _new_received(header: Header, peer: SmtpPeer) -> list[bytes]:
    new = [field for field in header.new(ours(peer.message())) if name_of(field) == RECEIVED]
    if not new:
        raise Undetermined("no Received field was put on top: trace.received.added looks into that")
    return new


@case("trace.received.for-single", variants={"one": 1, "two": 2})
async def for_names_one_at_most(peer: SmtpPeer, count: int) -> Judgement:
    """A Received field says of at most one recipient that it is for him."""
    may_look(peer)
    await peer.begin_transaction()
    if count > 1:
        await peer.rcpt(peer.recipients(2)[1])
    header = await store(peer, peer.message())
    for field in _new_received(header, peer):
        stamp = stamp_of(field)
        if sum(b" ".join(each.words).count(b"@") for each in stamp.field.clauses if each.keyword == b"for") > 1:
            return violated(stamp, "one path at most behind for")
    return satisfied("one path at most behind for")


@case("trace.received.for-multi-hidden")
async def for_tells_nothing_of_the_others(peer: SmtpPeer) -> Judgement:
    """A message for two does not say in a Received field who the other is."""
    header, both = await _for_two(peer)
    told = [field for field in _new_received(header, peer) if both[1].lower() in field.lower()]
    if told:
        return await _tells(peer, f"names the other: {stamp_of(told[0])}")
    return satisfied("no other recipient in Received")


@case("trace.headers.no-envelope-leak")
async def no_field_tells_of_the_others(peer: SmtpPeer) -> Judgement:
    """A message for two does not say anywhere in its header who the other is."""
    header, both = await _for_two(peer)
    told = [field for field in header.fields if both[1].lower() in field.lower()]
    if told:
        return await _tells(peer, f"{name_of(told[0]).decode('ascii', 'replace')} names the other")
    return satisfied("no other recipient in the header")


@case("trace.headers.no-apparently-to")
async def no_to_field_is_made_up(peer: SmtpPeer) -> Judgement:
    """A message without To gets no Apparently-To."""
    await peer.begin_transaction()
    message = b"From: <" + peer.sender + b">\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
    message += MARK + b": " + peer.token.encode() + b"\r\n\r\nA line.\r\n"
    header = await store(peer, message)
    assert header_of(message).fields
    found = header.named(b"apparently-to")
    return violated("Apparently-To was added", "none") if found else satisfied("no Apparently-To")
