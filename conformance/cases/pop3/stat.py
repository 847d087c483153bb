"""STAT (RFC 1939 §5)."""

import re
from typing import Final

from conformance.case import case
from conformance.judgement import Judgement, satisfied, violated
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

_DROP_LISTING: Final = re.compile(rb"[0-9]+ [0-9]+(?: .*)?")


@case("pop3.stat.format")
async def stat_gives_two_numbers(peer: Pop3Peer) -> Judgement:
    """STAT is answered with +OK, the number of messages, and their octets, single spaces between."""
    await peer.open(least=1 if peer.can_fill else 0)
    answer = await peer.ask(b"STAT")
    if not answer.ok:
        return answer.expect("+OK", to="STAT")
    expected = "+OK, a number, a number"
    return (satisfied if _DROP_LISTING.fullmatch(answer.text) else violated)(str(answer), expected)


@case("pop3.stat.counts")
async def stat_agrees_with_list(peer: Pop3Peer) -> Judgement:
    """STAT counts what LIST lists, and sums up its octets."""
    await peer.open(least=3)
    sizes = await peer.sizes()
    answer = await peer.ask(b"STAT")
    if not answer.ok:
        return answer.expect("+OK", to="STAT")
    expected = f"{len(sizes)} {sum(sizes.values())}, as LIST says"
    agrees = re.match(rb"%d %d(?: |$)" % (len(sizes), sum(sizes.values())), answer.text)
    return (satisfied if agrees else violated)(printable(answer.text), expected)


@case("pop3.stat.deleted-excluded")
async def stat_leaves_deleted_out(peer: Pop3Peer) -> Judgement:
    """STAT leaves out a message that is marked as deleted."""
    peer.may_destroy()
    await peer.open(least=2)
    sizes = await peer.sizes()
    await peer.control(b"DELE 1")
    left = (len(sizes) - 1, sum(sizes.values()) - sizes[1])
    answer = await peer.ask(b"STAT")
    await peer.control(b"RSET")
    if not answer.ok:
        return answer.expect("+OK", to="STAT")
    agrees = re.match(rb"%d %d(?: |$)" % left, answer.text)
    return (satisfied if agrees else violated)(printable(answer.text), f"{left[0]} {left[1]}")


@case("pop3.stat.empty")
async def stat_of_nothing(peer: Pop3Peer) -> Judgement:
    """STAT of an empty maildrop gives 0 0."""
    await peer.empty()
    await peer.log_in()
    answer = await peer.ask(b"STAT")
    if not answer.ok:
        return answer.expect("+OK", to="STAT")
    if re.match(rb"0 0(?: |$)", answer.text):
        return satisfied(printable(answer.text))
    await peer.must_hold_nothing()
    return violated(printable(answer.text), "0 0")
