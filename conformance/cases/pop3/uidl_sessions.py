"""Unique-ids from one session to the next (RFC 1939 §7): a client knows by them what it has read."""

from typing import Final

from conformance.case import case
from conformance.judgement import Judgement, Undetermined, satisfied, violated
from conformance.pop3_peer import Pop3Peer
from conformance.restart import restart
from conformance.samples import Sample
from loadgen.wire.printable import printable

LATER: Final = Sample("later", b"It came when the others were gone.\r\n")


@case("pop3.uidl.persistent")
async def ids_stay_after_quit(peer: Pop3Peer) -> Judgement:
    """A message has the same unique-id in the next session."""
    await peer.open(least=2)
    before = await peer.unique_ids()
    await peer.control(b"QUIT")
    return await _same_again(peer, before)


@case("pop3.uidl.persistent", variants={"read": None})
async def ids_stay_when_a_message_is_read(peer: Pop3Peer, _: None) -> Judgement:
    """A message has the same unique-id in the next session when RETR has given it in this one."""
    await peer.open(least=2)
    before = await peer.unique_ids()
    for number in (1, 2):
        await peer.control(b"RETR %d" % number)
    await peer.control(b"QUIT")
    return await _same_again(peer, before)


@case("pop3.uidl.persistent-no-quit")
async def ids_stay_after_a_drop(peer: Pop3Peer) -> Judgement:
    """A message has the same unique-id in the next session when this one was broken off."""
    await peer.open(least=2)
    before = await peer.unique_ids()
    await peer.hang_up()
    return await _same_again(peer, before)


@case("pop3.uidl.persistent-restart", alone=True)
async def ids_stay_when_the_server_is_restarted(peer: Pop3Peer) -> Judgement:
    """A message has the same unique-id when the server has been restarted."""
    await peer.open(least=2)
    before = await peer.unique_ids()
    await peer.control(b"QUIT")
    await restart(peer)
    return await _same_again(peer, before)


async def _same_again(peer: Pop3Peer, before: dict[int, bytes], without: int | None = None) -> Judgement:
    """Hold a new session's unique-ids against those before; `without`: of the messages but one."""
    again = peer.another()
    await again.log_in()
    after = await again.unique_ids()
    wanted = [one for number, one in sorted(before.items()) if number != without]
    got = [one for _, one in sorted(after.items())]
    if sorted(got) == sorted(wanted):
        return satisfied(f"{len(got)} messages, with the ids they had")
    if len(got) != len(wanted):
        raise Undetermined(f"{len(got)} messages in the next session, and {len(wanted)} expected")
    changed = next(pair for pair in zip(wanted, got, strict=True) if pair[0] != pair[1])
    return violated(f"{printable(changed[0])} became {printable(changed[1])}", "the ids that there were")


@case("pop3.uidl.not-reused")
async def an_id_is_not_given_again(peer: Pop3Peer) -> Judgement:
    """The unique-id of a message that is gone is not given to another."""
    peer.may_destroy()
    await peer.open(least=2)
    before = await peer.unique_ids()
    await peer.quit()
    await peer.empty()
    later = peer.another()
    await later.with_one_more(LATER)
    after = await later.unique_ids()
    again = sorted(set(before.values()) & set(after.values()))
    expected = "none of the ids that there were"
    return violated(f"{printable(again[0])} again", expected) if again else satisfied(f"{len(after)} new", expected)


@case("pop3.uidl.stable-on-delete", variants={"first": 1, "second": 2})
async def ids_stay_when_another_goes(peer: Pop3Peer, number: int) -> Judgement:
    """A message keeps its unique-id when another one is removed."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await peer.unique_ids()
    await peer.control(b"DELE %d" % number)
    await peer.control(b"QUIT")
    return await _same_again(peer, before, without=number)
