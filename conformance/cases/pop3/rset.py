"""RSET and NOOP (RFC 1939 §5)."""

from typing import Final

from conformance.case import case
from conformance.cases.pop3.responses import substance
from conformance.judgement import Judgement, satisfied, violated
from conformance.pop3_peer import Pop3Peer

MARKED_MAX: Final = 40               # of the first, and of the last messages


async def mark_all(peer: Pop3Peer) -> None:
    """Mark all messages; the first and the last of very many."""
    count = await peer.count()
    for number in range(1, count + 1):
        if number <= MARKED_MAX or number > count - MARKED_MAX:
            await peer.control(b"DELE %d" % number)


@case("pop3.rset.unmarks", variants={"stat": b"STAT", "list": b"LIST"})
async def rset_takes_all_marks_off(peer: Pop3Peer, command: bytes) -> Judgement:
    """After RSET everything that was marked is there again."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await peer.ask(command)
    peer.must(before, to=command)
    await mark_all(peer)
    await peer.control(b"RSET")
    after = await peer.ask(command)
    asked = f"{command.decode()} after RSET"
    if after.ok and substance(after) != substance(before):
        return violated(f"{after} to {asked}", f"what came before DELE: {before}")
    return after.expect("+OK", to=asked)


@case("pop3.rset.unmarks", variants={"update": None})
async def what_rset_saved_survives_quit(peer: Pop3Peer, _: None) -> Judgement:
    """What RSET took the mark off is not removed at QUIT."""
    peer.may_destroy()
    await peer.open(least=2)
    before = await peer.count()
    await mark_all(peer)
    await peer.control(b"RSET")
    await peer.quit()
    again = peer.another()
    await again.log_in()
    after = await again.count()
    return (satisfied if after == before else violated)(f"{after} messages", f"{before} messages, as before DELE")


@case("pop3.rset.unmarks", variants={"again": None})
async def what_rset_unmarked_can_be_marked(peer: Pop3Peer, _: None) -> Judgement:
    """What RSET took the mark off can be marked again."""
    peer.may_destroy()
    await peer.open(least=1)
    await peer.control(b"DELE 1")
    await peer.control(b"RSET")
    answer = await peer.ask(b"DELE 1")
    await peer.ask(b"RSET")
    return answer.expect("+OK", to="DELE 1 after RSET")


@case("pop3.rset.no-marks")
async def rset_of_nothing(peer: Pop3Peer) -> Judgement:
    """RSET is answered with +OK where nothing is marked."""
    await peer.open()
    return (await peer.ask(b"RSET")).expect("+OK", to="RSET")


@case("pop3.noop.ok")
async def noop_does_nothing(peer: Pop3Peer) -> Judgement:
    """NOOP is answered with +OK, and nothing changes."""
    await peer.open()
    before = await peer.ask(b"STAT")
    answer = await peer.ask(b"NOOP")
    after = await peer.ask(b"STAT")
    if answer.ok and before.ok and after.ok and substance(after) != substance(before):
        return violated(f"{answer} to NOOP, and then {after} to STAT", f"+OK, and still {before}")
    return answer.expect("+OK", to="NOOP")


@case("pop3.noop.ok", variants={"marked": None})
async def noop_leaves_marks_alone(peer: Pop3Peer, _: None) -> Judgement:
    """NOOP takes no mark off."""
    peer.may_destroy()
    await peer.open(least=1)
    await peer.control(b"DELE 1")
    before = await peer.ask(b"STAT")
    await peer.control(b"NOOP")
    after = await peer.ask(b"STAT")
    await peer.ask(b"RSET")
    if not after.ok:
        return after.expect("+OK", to="STAT after NOOP")
    return (satisfied if substance(after) == substance(before) else violated)(after, f"still {before}")
