"""Mail that comes while its maildrop is open: the session keeps its view, and nothing is lost (RFC 1939 §4, §6)."""

import contextlib
from typing import Final

import trio
import trio.lowlevel

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.crossing.passage import NOT_THERE, begin, copies_of, deliver, letter, look
from conformance.cases.crossing.reading import own, quiet_box, reading
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, violated
from conformance.peer import SmtpPeer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.transparency import stuff

OLD: Final = 6                        # messages that lie there first
DELETED: Final = 3                    # of them
ARRIVING: Final = 12


async def _answered(peer: SmtpPeer, mark: str, box: bytes) -> Answer:
    """Send a message whose envelope is taken; return the answer to its end."""
    await begin(peer, box)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(letter(peer, mark, to=box)))
    return await peer.answer()


async def _view(session: Pop3Peer, numbers: list[int]) -> tuple[object, ...]:
    """Return all that a session shows: STAT, LIST, UIDL, and some messages."""
    shown = [session.must(await session.ask(b"RETR %d" % number), to=b"RETR").body for number in numbers]
    return await session.stat(), await session.sizes(), await session.unique_ids(), shown


@case("x.delivery.during-pop")
async def a_session_keeps_its_view(peer: SmtpPeer) -> Judgement:
    """Mail that is delivered while a POP3 session is open does not change its view, and is there the next time."""
    box = quiet_box(peer)
    await deliver(peer, letter(peer, "before", to=box), box)
    if not (keys := await look(peer, box, 1)):
        raise Undetermined(NOT_THERE)
    answers = []
    async with reading(peer, box) as session:
        numbers = list(await own(session, peer.token, keys))
        before = await _view(session, numbers)
        for number in range(2):
            try:
                answers.append(await _answered(peer, f"during{number}", box))
            except Undetermined:                 # refused while the maildrop is in use: it may be
                break
        await session.pause(peer.subject.quiet_s)          # for what is delivered to come there
        after = await _view(session, numbers)
        await session.quit()
    expected = "the same view, and the new mail the next time"
    if before != after:
        return violated(f"the view changed: {_difference(before, after)}", expected)
    taken = [number for number, answer in enumerate(answers) if answer.yes]
    there = list((await look(peer, box, 1 + len(taken))).values())
    lost = [number for number in taken if not copies_of(there, peer, f"during{number}")]
    if lost and not await _arrives(peer, box):
        raise Undetermined(NOT_THERE)
    if lost:
        return violated(f"{len(lost)} of {len(taken)} lost", expected)
    refused = next((answer for answer in answers if not answer.yes), None)
    if refused is not None and refused.no:
        return violated(f"{refused} while a POP3 session is open", "2yz or 4yz")
    return satisfied(f"the view stayed, {len(taken)} came the next time")


def _difference(before: tuple[object, ...], after: tuple[object, ...]) -> str:
    names = ("STAT", "LIST", "UIDL", "RETR")
    return ", ".join(name for name, one, other in zip(names, before, after, strict=True) if one != other)


async def _arrives(peer: SmtpPeer, box: bytes) -> bool:
    """Say whether a message that is sent now arrives: the control of what did not."""
    later = peer.aside()
    await deliver(later, letter(later, "control", to=box), box)
    return bool(await look(later, box, 1))


@case("x.delivery.delete-during-delivery")
async def deleting_loses_nothing_that_arrives(peer: SmtpPeer) -> Judgement:
    """DELE and QUIT remove what was marked, and nothing that is delivered meanwhile."""
    if not peer.subject.declared.allow.destroy_mail:
        raise NotApplicable("needs leave to delete mail (allow.destroy_mail)")
    box = quiet_box(peer)
    for number in range(OLD):
        await deliver(peer, letter(peer, f"old{number}", to=box), box)
    keys = await look(peer, box, OLD)
    if len(keys) < OLD:
        raise Undetermined(NOT_THERE)
    marked, new = await _delete_while_mail_arrives(peer, box, dict(keys))
    keys = await look(peer, box, OLD + len(new))
    async with reading(peer, box) as session:
        left = list((await own(session, peer.token, keys)).values())
    kept = [mark for mark in (f"old{number}" for number in range(OLD)) if mark not in marked]
    lost = [mark for mark in (*kept, *new) if not copies_of(left, peer, mark)]
    stayed = [mark for mark in marked if copies_of(left, peer, mark)]
    expected = "what was marked is gone, and nothing else"
    if lost and not await _arrives(peer, box):
        raise Undetermined(NOT_THERE)
    if lost:
        return violated(f"lost: {', '.join(lost)}", expected)
    return violated(f"still there: {', '.join(stayed)}", expected) if stayed else satisfied(
        f"{len(marked)} gone; {len(kept)} that lay there and {len(new)} that came are there"
    )


async def _delete_while_mail_arrives(
    peer: SmtpPeer, box: bytes, keys: dict[bytes, bytes]
) -> tuple[list[str], list[str]]:
    """Mark every other old message and leave, mail coming all the time; return what was marked and what was taken."""
    taken: list[str] = []
    sender = peer.another()
    await begin(sender, box)
    await sender.control(b"RSET")

    async def arrive(halfway: trio.Event) -> None:
        for number in range(ARRIVING):
            with contextlib.suppress(Undetermined):      # refused while the maildrop is in use: it may be
                answer = await _answered(sender, f"new{number}", box)
                taken.extend([f"new{number}"] * answer.yes)
            if number >= ARRIVING // 2:
                halfway.set()

    marked = []
    async with reading(peer, box) as session:
        copies = await own(session, peer.token, keys)
        async with trio.open_nursery() as nursery:
            halfway = trio.Event()
            nursery.start_soon(arrive, halfway)
            await halfway.wait()
            for number, copy in list(copies.items())[::2][:DELETED]:
                await session.control(b"DELE %d" % number)
                marked.append(next(f"old{nth}" for nth in range(OLD) if copies_of([copy], peer, f"old{nth}")))
                await trio.lowlevel.checkpoint()
            session.must(await session.quit(), to=b"QUIT")
    return marked, taken
