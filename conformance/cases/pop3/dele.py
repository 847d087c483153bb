"""DELE (RFC 1939 §5)."""

from collections.abc import Mapping
from typing import Final

from conformance.case import case
from conformance.cases.pop3.responses import NO_MESSAGE, NO_NUMBER, difference, no_such, refused, substance
from conformance.judgement import Judgement, NotApplicable, Undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

NO_ARGUMENT: Final = {"none": b"DELE", "two": b"DELE 1 2"}
ASKED_FOR: Final[Mapping[str, bytes]] = {"retr": b"RETR 2", "list": b"LIST 2", "uidl": b"UIDL 2", "top": b"TOP 2 0"}


@case("pop3.dele.ok", variants={"first": 1, "last": -1})
async def dele_marks(peer: Pop3Peer, at: int) -> Judgement:
    """DELE of a message is answered with +OK."""
    peer.may_destroy()
    await peer.open(least=2)
    number = at if at > 0 else await peer.count()
    answer = await peer.ask(b"DELE %d" % number)
    await peer.ask(b"RSET")
    return answer.expect("+OK", to=f"DELE {number}")


@case("pop3.dele.twice")
async def dele_of_a_deleted_message(peer: Pop3Peer) -> Judgement:
    """DELE of a message that is marked already is refused."""
    peer.may_destroy()
    await peer.open(least=2)
    await peer.control(b"DELE 1")
    answer = await peer.ask(b"DELE 1")
    await peer.ask(b"RSET")
    return refused(answer, "DELE 1, which is deleted")


@case("pop3.dele.invalid", variants=NO_MESSAGE | NO_NUMBER)
async def dele_of_no_message(peer: Pop3Peer, argument: bytes) -> Judgement:
    """DELE of what is no message's number is refused, and nothing is marked."""
    peer.may_destroy()
    await peer.open(least=1)
    before = await peer.ask(b"STAT")
    judgement = await no_such(peer, b"DELE", argument, control=b"LIST 1")
    return await _with_nothing_marked(peer, before, judgement)


@case("pop3.dele.invalid", variants=NO_ARGUMENT)
async def dele_takes_one_number(peer: Pop3Peer, command: bytes) -> Judgement:
    """DELE without a number, or with two, is refused, and nothing is marked."""
    peer.may_destroy()
    await peer.open(least=2)
    before = await peer.ask(b"STAT")
    judgement = refused(await peer.ask(command), printable(command))
    return await _with_nothing_marked(peer, before, judgement)


async def _with_nothing_marked(peer: Pop3Peer, before: Pop3Answer, judgement: Judgement) -> Judgement:
    after = await peer.ask(b"STAT")
    await peer.ask(b"RSET")
    if after.ok and before.ok and substance(after) != substance(before):
        return violated(f"{judgement.got}, and then {after} to STAT", f"-ERR, and still {before}")
    return judgement


@case("pop3.dele.numbers-stable", variants=ASKED_FOR)
async def numbers_stay_when_others_go(peer: Pop3Peer, command: bytes) -> Judgement:
    """A message keeps its number when one before it is marked as deleted."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await peer.ask(command)
    if not before.ok:
        raise NotApplicable("not offered") if command[:4] in {b"UIDL", b"TOP "} else Undetermined(str(before))
    await peer.control(b"DELE 1")
    after = await peer.ask(command)
    await peer.ask(b"RSET")
    asked = command.decode()
    if after.ok and substance(before) != substance(after):
        got = difference(after.body, before.body) if before.body != after.body else printable(after.text, 80)
        return violated(f"{asked}: {got}", f"the message that was 2 before DELE 1: {before}")
    return after.expect("+OK", to=f"{asked} after DELE 1")


@case("pop3.dele.not-immediate")
async def dele_removes_nothing_yet(peer: Pop3Peer) -> Judgement:
    """A message that was marked is still there once RSET has taken the mark off."""
    peer.may_destroy()
    await peer.open(least=2)
    before = await peer.control(b"RETR 1")
    await peer.control(b"DELE 1")
    await peer.control(b"RSET")
    after = await peer.ask(b"RETR 1")
    if after.err:                        # whatever its code says: it could be read just now
        return violated(f"{after} to RETR 1 after DELE 1 and RSET", "+OK, as before")
    if after.ok and after.body != (before.body or b""):
        return violated(difference(after.body, before.body or b""), "the message that was 1 before DELE 1")
    return after.expect("+OK", to="RETR 1 after DELE 1 and RSET")
