"""Messages as large as the server says that they may be, and with as many lines."""

from typing import Final

from conformance.case import case
from conformance.cases.crossing.passage import NOT_THERE, begin, came
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, violated
from conformance.message import body_of
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

LARGEST: Final = 10 * 1024 * 1024     # what is sent where the limit is higher, or none is told
LINES: Final = 1_000_000
LINE: Final = b"%06d 0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n"
SENT_AT_ONCE: Final = 1 << 20


async def _kept(peer: SmtpPeer, body: bytes) -> Judgement:
    await peer.must_take_mail()
    await begin(peer)
    await peer.control(b"DATA", "354")
    wire = stuff(peer.message(body))
    for at in range(0, len(wire), SENT_AT_ONCE):
        await peer.send(wire[at:at + SENT_AT_ONCE])
    peer.must(await peer.answer(), to=b"a message of %d octets" % len(wire))
    found = await came(peer)
    if not found:
        raise Undetermined(NOT_THERE)
    was = body_of(found[0])
    if was == body:
        return satisfied(f"{len(body)} octets came out as they went in")
    at = next((at for at in range(0, len(body), 4096) if was[at:at + 4096] != body[at:at + 4096]), len(body))
    return violated(f"{len(was)} octets, otherwise from about octet {at} on", f"{len(body)} octets, unchanged")


def _limit(peer: SmtpPeer) -> int:
    """Return how many octets a message may have, as offered or declared; a great many if nobody says."""
    offered = peer.extensions.size or peer.subject.declared.claims.message_octets_max
    return min(offered or LARGEST, LARGEST * 10 // 9)


@case("x.body.large")
async def a_large_message_is_kept(peer: SmtpPeer) -> Judgement:
    """A message of nine tenths of the limit comes out whole; of 10 MiB where the limit is higher."""
    await peer.open()
    if not peer.extensions.size and peer.subject.low_limit is None:
        raise NotApplicable("no limit is told (SIZE, claims.message_octets_max)")
    count = _limit(peer) * 9 // 10 // len(LINE % 0)
    return await _kept(peer, b"".join([LINE % number for number in range(count)]))


@case("x.body.many-lines")
async def a_million_lines_are_kept(peer: SmtpPeer) -> Judgement:
    """A message of a million lines of two octets comes out whole; of fewer, where the limit on its size is lower."""
    await peer.open()
    count = min(LINES, _limit(peer) * 8 // 10 // 4)
    pairs = [b"%02d\r\n" % (number % 100) for number in range(100)]
    return await _kept(peer, b"".join(pairs) * (count // 100))
