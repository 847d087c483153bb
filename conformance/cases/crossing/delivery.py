"""A message that was taken arrives, once and whole: each reply of 250 against the maildrop (RFC 5321 §6.1)."""

import contextlib
from collections.abc import Collection, Mapping
from itertools import pairwise
from statistics import median
from typing import Final

import trio

from conformance.case import case
from conformance.cases.crossing.passage import (
    begin,
    boxes,
    copies_of,
    deliver,
    letter,
    look,
    settled,
)
from conformance.cases.smtp.data import same
from conformance.judgement import Did, Judgement, Undetermined, observed, satisfied, violated
from conformance.message import body_of
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

ONE_EACH: Final = "one copy of each"
LOAD: Final = (10, 10)                # sessions at once, messages in each; `mailproof run` sends as many as one likes
IN_A_ROW: Final = 10
ORDERED: Final = 20
TIMED: Final = 5


async def _counted(peer: SmtpPeer, sent: Mapping[str, bytes], perhaps: Collection[str] = ()) -> Judgement:
    """Wait for so many messages, and judge how often each of them came, and whether it is what was sent.

    `perhaps` are the marks of those that may have come or not.
    """
    box = boxes(peer)[0]
    there = list((await look(peer, box, len(sent))).values())
    some_lost = any(not copies_of(there, peer, mark) for mark in sent)
    # Where others arrived and the time is over, no later message has to be seen as well.
    found = there if there and some_lost else (await settled(peer, box))[box]
    copies = {mark: copies_of(found, peer, mark) for mark in sent}
    lost = [mark for mark, of_one in copies.items() if not of_one]
    doubled = [mark for mark, of_one in copies.items() if len(of_one) > 1]
    if lost or doubled:
        got = [f"{len(lost)} of {len(sent)} lost"] * bool(lost) + [f"{len(doubled)} twice or more"] * bool(doubled)
        return violated(', '.join(got), ONE_EACH)
    for mark, message in sent.items():
        if (judgement := same(body_of(copies[mark][0]), body_of(message))).did is Did.VIOLATED:
            return judgement
    strange = len(found) - len(sent) - sum(len(copies_of(found, peer, mark)) for mark in perhaps)
    return violated(f"{strange} more arrived", ONE_EACH) if strange else satisfied(f"{len(sent)} arrived, each once")


@case("x.delivery.exactly-once", variants={"one": 1, "in-a-row": IN_A_ROW})
async def what_is_taken_arrives_once(peer: SmtpPeer, count: int) -> Judgement:
    """Each message that was answered 250 arrives, once."""
    sent = {f"n{number}": letter(peer, f"n{number}", b"Message %d.\r\n" % number) for number in range(count)}
    for message in sent.values():
        await deliver(peer, message)
    return await _counted(peer, sent)


@case("x.delivery.exactly-once", variants={"pipelined": IN_A_ROW})
async def what_is_taken_in_groups_arrives_once(peer: SmtpPeer, count: int) -> Judgement:
    """Each message arrives once, when the end of one and the next transaction go in one segment."""
    await peer.open()
    peer.require("PIPELINING")
    sent = {f"n{number}": letter(peer, f"n{number}", b"Message %d.\r\n" % number) for number in range(count)}
    group = b"MAIL FROM:<" + peer.sender + b">\r\nRCPT TO:<" + peer.recipient + b">\r\nDATA\r\n"
    await peer.send(group)
    for number, message in enumerate(sent.values(), 1):
        for wanted in ("2yz", "2yz", "354"):
            peer.must(await peer.answer(), wanted, to=b"a group of commands")
        await peer.send(stuff(message) + (group if number < count else b""))
        peer.must(await peer.answer(), to=b"the message")
    return await _counted(peer, sent)


@case("x.delivery.exactly-once-load")
async def under_load_each_arrives_once(peer: SmtpPeer) -> Judgement:
    """Of many messages that come over many connections at once none is lost, doubled or spoilt."""
    sessions, each = LOAD
    await peer.open()
    taken: dict[str, bytes] = {}
    perhaps: set[str] = set()

    async def session(number: int) -> None:
        one = peer.another()
        for nth in range(each):
            mark = f"s{number}n{nth}"
            message = letter(peer, mark, b"%d of session %d.\r\n" % (nth, number) * (1 + nth * nth))
            perhaps.add(mark)
            with contextlib.suppress(Undetermined):      # no room for so many just now: it was not taken, or who knows
                await deliver(one, message)
                taken[mark] = message
            if mark not in taken:
                return
            perhaps.remove(mark)

    async with trio.open_nursery() as nursery:
        for number in range(sessions):
            nursery.start_soon(session, number)
    if len(taken) < each:
        raise Undetermined(f"{len(taken)} of {sessions * each} were taken")
    return await _counted(peer, taken, perhaps)


CUTS: Final = {"reset": True, "close": False}


@case("x.delivery.unknown-outcome", variants=CUTS)
async def who_does_not_wait_for_the_reply(peer: SmtpPeer, by_reset: bool) -> Judgement:
    """A message whose sender did not wait for the reply arrives once or never: not twice, and not in part."""
    box = boxes(peer)[0]
    cut = peer.another()
    message = letter(peer, "cut", b"line\r\n" * 50)
    await begin(cut)
    await cut.control(b"DATA", "354")
    await cut.send(stuff(message))
    if by_reset:
        await cut.reset()
    else:
        await cut.send_eof()
    found = copies_of((await settled(peer, box))[box], peer, "cut")
    if len(found) > 1:
        return violated(f"{len(found)} copies arrived", "one or none")
    if found and (judgement := same(body_of(found[0]), body_of(message))).did is Did.VIOLATED:
        return judgement
    return observed("one copy" if found else "none")


@case("x.delivery.order")
async def the_order_of_arrival(peer: SmtpPeer) -> Judgement:
    """Whether messages lie in the maildrop in the order in which they were taken is recorded."""
    box = boxes(peer)[0]
    for number in range(ORDERED):
        await deliver(peer, letter(peer, f"n{number}"))
    found = list((await look(peer, box, ORDERED)).values())
    places = [next((at for at, one in enumerate(found) if copies_of([one], peer, f"n{number}")), None)
              for number in range(ORDERED)]  # fmt: skip
    there = [place for place in places if place is not None]
    if len(there) < ORDERED:
        return observed(f"{len(there)} of {ORDERED} arrived in time")
    early = sum(later < before for before, later in pairwise(there))
    return observed("kept" if not early else f"{early} of {ORDERED} came before one that was taken earlier")


@case("x.delivery.latency")
async def how_long_delivery_takes(peer: SmtpPeer) -> Judgement:
    """How long a message takes from its 250 to the maildrop is recorded."""
    box = boxes(peer)[0]
    waits = []
    for number in range(TIMED):
        await deliver(peer, letter(peer, f"n{number}"))
        taken_s = trio.current_time()
        if len(await look(peer, box, number + 1)) <= number:
            return observed(f"{number} of {TIMED} arrived in time")
        waits.append(trio.current_time() - taken_s)
    return observed(f"{min(waits):.2g} s, {median(waits):.2g} s, {max(waits):.2g} s: the least, the median, the most")


