"""Message-numbers: given at login, and not changed before the next one (RFC 1939 §4)."""

from typing import Final

from conformance.case import case
from conformance.cases.pop3.responses import substance
from conformance.judgement import Judgement, Undetermined, diverged, satisfied, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import Sample
from loadgen.wire.printable import printable

SENT_ON_S: Final = 1.0               # what is taken by SMTP may take so long to the maildrop; then we look again
COMING: Final = Sample("coming", b"It comes while a session is open.\r\n")


@case("pop3.numbers.start-at-1")
async def a_new_session_numbers_anew(peer: Pop3Peer) -> Judgement:
    """A session numbers what earlier ones have left from 1 on, without a gap."""
    peer.may_destroy()
    await peer.open(least=2)
    count = await peer.count()
    await peer.control(b"DELE 1")
    await peer.control(b"QUIT")
    again = peer.another()
    await again.log_in()
    answer = await again.ask(b"LIST")
    if not answer.ok:
        raise Undetermined(f"{answer} to LIST")
    said = [line.partition(b" ")[0] for line in answer.lines]
    wanted = [b"%d" % number for number in range(1, len(said) + 1)]
    if len(said) >= count:
        raise Undetermined(f"{count} messages, DELE 1 and QUIT, and then {answer}")
    return (satisfied if sorted(said) == sorted(wanted) else violated)(printable(b" ".join(said), 200), "1, 2, 3 …")


@case("pop3.numbers.stable-on-arrival")
async def what_arrives_changes_nothing(peer: Pop3Peer) -> Judgement:
    """What is delivered during a session changes neither its numbers nor what STAT and LIST say."""
    await peer.open(least=1)
    before = await _what_there_is(peer)
    await peer.deliver(COMING)
    deliverer = peer.subject.deliverer
    if deliverer is not None and not deliverer.is_lmtp:
        await peer.pause(SENT_ON_S)
    after = await _what_there_is(peer)
    await peer.quit()
    await peer.arrived(COMING)
    (stat, listing), (stat_after, listing_after) = before, after
    expected = f"{stat}, as before it came"
    if (substance(stat), substance(listing)) == (substance(stat_after), substance(listing_after)):
        return satisfied(stat_after, expected)
    if listing_after.lines[: len(listing.lines)] == listing.lines:
        return diverged(f"{stat_after}: it was appended", expected)
    return violated(f"{stat_after}, and {listing_after} to LIST", expected)


async def _what_there_is(peer: Pop3Peer) -> tuple[Pop3Answer, Pop3Answer]:
    stat, listing = await peer.ask(b"STAT"), await peer.ask(b"LIST")
    if not (stat.ok and listing.ok):
        raise Undetermined(f"{stat} to STAT and {listing} to LIST")
    return stat, listing
