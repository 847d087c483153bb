"""UIDL (RFC 1939 §7), where it is offered: what one session says."""

import re
from typing import Final

from conformance.case import case
from conformance.cases.pop3.crowd import crowded, remove, with_copies
from conformance.cases.pop3.list import ends_of
from conformance.cases.pop3.responses import NO_MESSAGE, NO_NUMBER, listed, no_such, refused
from conformance.judgement import Did, Judgement, NotApplicable, declined, satisfied, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

_LISTING: Final = re.compile(rb"[0-9]+ [^ ]+(?: .*)?")


async def offered(peer: Pop3Peer, command: bytes = b"UIDL") -> Pop3Answer | Judgement:
    """Return the answer to UIDL if it is +OK; NotApplicable if it is not offered, which it need not be."""
    answer = await listed(peer, command)
    if isinstance(answer, Judgement) and "UIDL" not in peer.subject.found.keywords:
        await require(peer, refused="-ERR" in answer.got)
    return answer


async def require(peer: Pop3Peer, *, refused: bool = False) -> None:
    """Go on only if UIDL can be had, for one message or for all. Who has refused it before may have hung up on that."""
    if "UIDL" in peer.subject.found.keywords:
        return
    one = await peer.ask(b"UIDL 1")
    every = await peer.ask(b"UIDL", multi_line=False) if one.err else one
    if (one.err and (every.err or every.closed)) or (refused and one.closed):
        raise NotApplicable("UIDL is not offered")
    await peer.ask(b"NOOP")


@case("pop3.uidl.all")
async def uidl_gives_every_message(peer: Pop3Peer) -> Judgement:
    """UIDL gives a line for each message, with its number and its unique-id, and ends with a dot."""
    await peer.open(least=2)
    count = await peer.count()
    return await _complete(peer, count)


async def _complete(peer: Pop3Peer, count: int) -> Judgement:
    answer = await offered(peer)
    if isinstance(answer, Judgement):
        return answer
    expected = f"{count} lines, each a number and an id"
    odd = next((line for line in answer.lines if not _LISTING.fullmatch(line)), None)
    if odd is not None:
        return violated(f'"{printable(odd, 100)}"', expected)
    numbers = {line.partition(b" ")[0] for line in answer.lines}
    every = {b"%d" % number for number in range(1, count + 1)}
    return (satisfied if len(answer.lines) == count and numbers == every else violated)(answer, expected)


@case("pop3.uidl.one", variants={"first": 1, "second": 2})
async def uidl_gives_one_message(peer: Pop3Peer, number: int) -> Judgement:
    """UIDL with a number gives that message's number and unique-id, in a single line."""
    await peer.open(least=2)
    answer = await peer.ask(b"UIDL %d" % number)
    if not answer.ok:
        await require(peer, refused=answer.err)
        return answer.expect("+OK", to=f"UIDL {number}")
    expected = f"+OK {number} and its id"
    if not re.fullmatch(rb"%d [^ ]+(?: .*)?" % number, answer.text):
        return violated(answer, expected)
    after = await peer.ask(b"NOOP")
    return (satisfied if after.ok else violated)(f"{answer}, and then {after} to NOOP", expected)


@case("pop3.uidl.agree")
async def both_forms_agree(peer: Pop3Peer) -> Judgement:
    """UIDL with a number says of a message what UIDL alone says of it."""
    await peer.open(least=2)
    ids = await peer.unique_ids()
    for number in ends_of(list(ids)):
        answer = await peer.ask(b"UIDL %d" % number)
        if not answer.ok:
            return answer.expect("+OK", to=f"UIDL {number}")
        if answer.text.split(b" ")[:2] != [b"%d" % number, ids[number]]:
            return violated(answer, f"{number} {printable(ids[number])}, as UIDL has it")
    return satisfied(f"{len(ends_of(list(ids)))} messages")


@case("pop3.uidl.no-trailing", variants={"all": b"UIDL", "one": b"UIDL 1"})
async def nothing_follows_an_id(peer: Pop3Peer, command: bytes) -> Judgement:
    """A unique-id listing ends with the id."""
    await peer.open(least=1)
    answer = await offered(peer, command)
    if isinstance(answer, Judgement):
        return answer
    lines = answer.lines if answer.body else (answer.text,)
    more = next((line for line in lines if line.count(b" ") > 1), None)
    return satisfied(answer) if more is None else violated(f'"{printable(more, 100)}"', "a number and an id")


@case("pop3.uidl.unique", variants={"what-is-there": 3, "copies": 0})
async def no_two_messages_have_one_id(peer: Pop3Peer, least: int) -> Judgement:
    """No two messages of a maildrop have the same unique-id, not even copies of one another."""
    if least:
        await peer.open(least=least)
        return _all_different(await peer.unique_ids(), frozenset())
    peer.may_destroy()
    copies = await with_copies(peer, 2)
    judgement = _all_different(await peer.unique_ids(), copies)
    await remove(peer, copies)
    return judgement


def _all_different(ids: dict[int, bytes], copies: frozenset[int]) -> Judgement:
    by_id: dict[bytes, list[int]] = {}
    for number, unique_id in ids.items():
        by_id.setdefault(unique_id, []).append(number)
    shared = {unique_id: numbers for unique_id, numbers in by_id.items() if len(numbers) > 1}
    if not shared:
        return satisfied(f"{len(ids)} messages, {len(by_id)} ids")
    got = "; ".join(f"{printable(one)} is that of {', '.join(map(str, of))}" for one, of in list(shared.items())[:5])
    only_copies = all(copies.issuperset(numbers) for numbers in shared.values())
    return (declined if only_copies else violated)(got, "an id for each message")


@case("pop3.uidl.unique", variants={"many": None}, limit_s=600.0)
async def nor_where_there_are_very_many(peer: Pop3Peer, _: None) -> Judgement:
    """UIDL gives every message of a large maildrop, each another unique-id; how large, the options say."""
    peer.may_destroy()
    copies = await crowded(peer)
    there = await peer.count()
    complete = await _complete(peer, there)
    judgement = _all_different(await peer.unique_ids(), copies)
    await remove(peer, copies)
    return judgement if complete.did is Did.SATISFIED else complete


@case("pop3.uidl.deleted", variants={"one": None})
async def uidl_of_a_deleted_message(peer: Pop3Peer, _: None) -> Judgement:
    """UIDL with the number of a message that is marked as deleted is refused."""
    peer.may_destroy()
    await peer.open(least=2)
    if not (await peer.ask(b"UIDL 1")).ok:
        await require(peer)
    await peer.control(b"DELE 1")
    answer = await peer.ask(b"UIDL 1")
    await peer.ask(b"RSET")
    return refused(answer, "UIDL 1, which is deleted")


@case("pop3.uidl.deleted", variants={"all": None})
async def uidl_leaves_deleted_out(peer: Pop3Peer, _: None) -> Judgement:
    """UIDL leaves out a message that is marked as deleted, and says of the others what it said."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await peer.unique_ids()
    await peer.control(b"DELE 2")
    answer = await offered(peer)
    await peer.ask(b"RSET")
    if isinstance(answer, Judgement):
        return answer
    said = [line.split(b" ")[:2] for line in answer.lines]
    wanted = [[b"%d" % number, one] for number, one in before.items() if number != 2]
    got = printable(b", ".join(map(b" ".join, said)), 200)
    return (satisfied if sorted(said) == sorted(wanted) else violated)(got, "the same list without 2")


@case("pop3.uidl.invalid", variants=NO_MESSAGE | NO_NUMBER)
async def uidl_of_no_message(peer: Pop3Peer, argument: bytes) -> Judgement:
    """UIDL with what is no message's number is refused."""
    await peer.open(least=1)
    await require(peer)
    return await no_such(peer, b"UIDL", argument)


@case("pop3.uidl.empty")
async def uidl_of_nothing(peer: Pop3Peer) -> Judgement:
    """UIDL of an empty maildrop is a list without lines, and no error."""
    await peer.empty()
    await peer.log_in()
    answer = await listed(peer, b"UIDL")
    if isinstance(answer, Judgement):
        if "UIDL" not in peer.subject.found.keywords:
            raise NotApplicable("UIDL is not known to be offered")
        return answer
    if not answer.lines:
        return satisfied(answer)
    await peer.must_hold_nothing()
    return violated(answer, "+OK, and the dot")
