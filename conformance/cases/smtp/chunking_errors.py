"""BDAT that is refused: its octets are swallowed all the same, and RSET puts everything right (RFC 3030 §2)."""

from typing import Final

import trio

from conformance.case import case
from conformance.cases.smtp.chunks import (
    COMMANDS,
    begin_chunks,
    chunk,
    judge_swallowed,
    ready_for_chunks,
    refusal,
    send_chunk,
    send_in_chunks,
)
from conformance.cases.smtp.groups import SHUT, as_lines, codes_of, mail_command, rcpt_command, take_answers
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer

PIECE: Final = 8_192


@case("smtp.bdat.after-last", variants={"middle": False, "last": True})
async def a_chunk_after_the_last_is_refused(peer: SmtpPeer, last: bool) -> Judgement:
    """A chunk behind the last one is out of order, and its octets are swallowed."""
    peer.must(await send_in_chunks(peer, peer.another_message()), to=b"the last chunk")
    await peer.send(chunk(COMMANDS, last=last))
    return await judge_swallowed(peer, silence=last and peer.subject.is_lmtp)


ERRORS: Final = ("after-last", "no-size", "bad-size", "data-after-bdat", "before-rcpt")
# What of a message has come in a chunk when RSET is said: no error, but as unfinished a state.
UNFINISHED: Final = {
    "in-header": b"Subject: half", "at-body": b"Subject: x\r\n\r\n", "in-body": b"\r\nhalf a line",
    "no-header": b"a line that is no field\r\n",
}  # fmt: skip


@case("smtp.bdat.rset-recovers", variants={**{name: name for name in ERRORS}, **UNFINISHED})
async def rset_puts_it_right(peer: SmtpPeer, trouble: str | bytes) -> Judgement:
    """After an error, or part of a message, and RSET a whole message is taken."""
    await ready_for_chunks(peer)
    if isinstance(trouble, bytes):
        await begin_chunks(peer)
        peer.must(await send_chunk(peer, trouble), to=b"a chunk")
    else:
        await _go_wrong(peer, trouble)
    answer = await peer.ask(b"RSET")
    if answer.closed or answer.matches(SHUT):
        return undetermined(f"{answer} to RSET")
    if not answer.yes:
        return answer.expect("250", to="RSET after a chunk")
    for command in (mail_command(peer), rcpt_command(peer)):
        answer = await peer.ask(command)
        if answer.silent and (await _another_answers(peer)):
            return violated(f"{answer} to {command[:4].decode()}, a new session is answered", "2yz")
        if not answer.yes:
            return answer.expect("2yz", to=f"{command[:4].decode()} after a chunk and RSET")
    final = await send_chunk(peer, peer.another_message(), last=True)
    return final.expect("2yz", to="a message after a chunk and RSET")


async def _another_answers(peer: SmtpPeer) -> bool:
    """Say whether a new session gets as far as this one did not."""
    other = peer.another()
    await other.begin_transaction()
    return (await other.quit()).yes


async def _go_wrong(peer: SmtpPeer, error: str) -> None:
    match error:
        case "after-last":
            peer.must(await send_in_chunks(peer, peer.another_message()), to=b"the last chunk")
            refusal(await send_chunk(peer, b"octets"), "a chunk behind the last")
        case "before-rcpt":
            await peer.mail()
            refusal(await send_chunk(peer, b"octets"), "a chunk before RCPT")
        case "data-after-bdat":
            await begin_chunks(peer)
            peer.must(await send_chunk(peer, b"octets"), to=b"a chunk")
            refusal(await peer.ask(b"DATA"), "DATA after BDAT")
        case _:
            await begin_chunks(peer)
            refusal(await peer.ask(b"BDAT" if error == "no-size" else b"BDAT abc"), "a malformed BDAT")


@case("smtp.bdat.data-after-bdat")
async def data_does_not_go_with_bdat(peer: SmtpPeer) -> Judgement:
    """DATA in a transaction that a chunk has come in is out of order."""
    await begin_chunks(peer)
    peer.must(await send_chunk(peer, b"octets"), to=b"a chunk")
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA after BDAT")


STATES: Final = {"before-mail": 0, "before-rcpt": 1}


@case("smtp.bdat.discard-on-error", variants=STATES)
async def octets_of_a_refused_chunk_are_swallowed(peer: SmtpPeer, mails: int) -> Judgement:
    """The octets of a chunk that is refused are swallowed, and not taken for commands."""
    await ready_for_chunks(peer)
    if mails:
        await peer.mail()
    await peer.send(chunk(COMMANDS))
    return await judge_swallowed(peer)


@case("smtp.bdat.discard-on-error", variants={f"{name}-last": mails for name, mails in STATES.items()})
async def octets_of_a_refused_last_chunk_are_swallowed(peer: SmtpPeer, mails: int) -> Judgement:
    """The octets of a last chunk that is refused are swallowed, and not taken for commands."""
    await ready_for_chunks(peer)
    if mails:
        await peer.mail()
    await peer.send(chunk(COMMANDS, last=True))
    return await judge_swallowed(peer, silence=peer.subject.is_lmtp)


@case("smtp.bdat.pipelined-after-failure", variants={"last": True, "middle": False})
async def a_chunk_for_nobody_is_swallowed(peer: SmtpPeer, last: bool) -> Judgement:
    """In a group whose recipient was refused, BDAT is refused, and its octets are swallowed."""
    refused = rcpt_command(peer, peer.rejected)
    await ready_for_chunks(peer)
    peer.require("PIPELINING")
    await peer.send(as_lines((mail_command(peer), refused)) + chunk(COMMANDS, last=last))
    answers = await take_answers(peer, 2)
    if len(answers) < 2 or not answers[0].yes or not answers[1].no:
        raise Undetermined(f"{codes_of(answers)} to MAIL and RCPT")
    return await judge_swallowed(peer, silence=last and peer.subject.is_lmtp)


def _limit(peer: SmtpPeer) -> int:
    limit = peer.subject.declared.claims.message_octets_max
    if limit is None:
        raise NotApplicable("needs a low limit on the size of a message (claims.message_octets_max)")
    return limit


@case("smtp.bdat.later-chunks-discarded")
async def what_follows_a_chunk_that_failed_is_swallowed(peer: SmtpPeer) -> Judgement:
    """Chunks that follow one that failed are refused and swallowed."""
    limit = _limit(peer)
    await ready_for_chunks(peer)
    peer.require("PIPELINING")
    await peer.begin_transaction()
    too_much = b"x" * 70 + b"\r\n"
    octets = chunk(too_much * (limit // len(too_much) + 2))
    await peer.send(octets + chunk(COMMANDS) + chunk(COMMANDS, last=True))
    first = await peer.answer()
    if not first.no:
        raise Undetermined(f"{first} to a chunk above the limit")
    return await judge_swallowed(peer, due=2)


@case("smtp.bdat.over-limit")
async def the_sum_of_the_chunks_is_limited(peer: SmtpPeer) -> Judgement:
    """Chunks that together are above the limit are refused, though each is below it."""
    limit = _limit(peer)
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    line = b"x" * 70 + b"\r\n"
    piece = line * (min(limit, 1 << 20) // 2 // len(line))
    sent = 0
    while sent <= limit:
        answer = await send_chunk(peer, piece)
        sent += len(piece)
        if not answer.yes:
            return answer.expect("5yz", to=f"{sent} octets in all, where {limit} are the limit")
    final = await send_chunk(peer, b"", last=True)
    return final.expect("5yz", to=f"{sent} octets in all, where {limit} are the limit")


async def _refuses(peer: SmtpPeer, command: bytes) -> Judgement:
    """Send a BDAT that is none, and judge whether it is refused at once: a server that waits took it for one."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    answer = await peer.ask(command)
    if answer.silent:
        return violated(f"{answer}: it waits for octets", f"5yz to {command.decode()}")
    return answer.expect("5yz", to=command.decode())


@case("smtp.bdat.no-size", variants={"bare": b"BDAT", "last": b"BDAT LAST", "space": b"BDAT "})
async def bdat_needs_a_size(peer: SmtpPeer, command: bytes) -> Judgement:
    """BDAT without a size is refused."""
    return await _refuses(peer, command)


SIZES: Final = {
    "negative": b"-1", "letters": b"abc", "hexadecimal": b"0x10", "plus": b"+5", "fraction": b"5.0", "trailing": b"5x",
    "equals": b"SIZE=5",
}  # fmt: skip


@case("smtp.bdat.bad-size", variants=SIZES)
async def a_size_is_a_number(peer: SmtpPeer, size: bytes) -> Judgement:
    """BDAT with a size that is no number is refused."""
    return await _refuses(peer, b"BDAT " + size)


HUGE: Final = {
    "2-64-less-one": (1 << 64) - 1, "2-64": 1 << 64, "2-63": 1 << 63, "2-32": 1 << 32, "hundred-digits": 10**100,
}  # fmt: skip


@case("smtp.bdat.huge-size", variants=HUGE)
async def a_huge_size_does_not_wrap(peer: SmtpPeer, size: int) -> Judgement:
    """BDAT of more octets than a number may hold is refused, or waits for them."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    await peer.send(b"BDAT %d LAST\r\n" % size)
    answer = await peer.answer_or_silence()
    if answer.yes or answer.go_on:
        return weakened(f"{answer} to BDAT {size} LAST before any octet", "5yz, 421, or silence")
    if answer.closed:
        return weakened(f"{answer} without a word to BDAT {size} LAST", "5yz, 421, or silence")
    return satisfied(answer)


JUNK: Final = {"word": b"BDAT 5 LAST X", "first": b"BDAT 5 FIRST", "number": b"BDAT 5 5", "glued": b"BDAT 5LAST"}


@case("smtp.bdat.junk-after-last", variants=JUNK)
async def nothing_stands_behind_last(peer: SmtpPeer, command: bytes) -> Judgement:
    """What stands behind the size is LAST, or nothing."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    await peer.send(command + b"\r\n")
    answer = await peer.answer_or_silence()
    if answer.silent:        # it may wait for the octets, so as to refuse them
        await peer.send(b"abc\r\n")
        answer = await peer.answer()
    return answer.expect("5yz", to=command.decode())


# Where the connection ends: behind a whole chunk, or within the last.
ABORTS: Final = {
    "between-reset": (True, True), "between-close": (True, False), "inside-reset": (False, True),
    "inside-close": (False, False),
}  # fmt: skip


@case("smtp.bdat.abort", variants=ABORTS)
async def what_was_cut_off_is_not_delivered(peer: SmtpPeer, how: tuple[bool, bool]) -> Judgement:
    """A message whose last chunk did not come whole is not delivered."""
    whole_chunk, by_reset = how
    cut = peer.another()
    await begin_chunks(cut)
    message = peer.message(b"A line of it.\r\n" * 50)
    if whole_chunk:
        peer.must(await send_chunk(cut, message), to=b"a chunk")
    else:
        await cut.send(chunk(message, last=True)[:-100])
    await (cut.reset() if by_reset else cut.send_eof())
    arrived = await peer.stored_before_a_later_one()
    return violated(f"{len(arrived)} messages arrived", "none") if arrived else satisfied("nothing arrived")


@case("smtp.bdat.after-error-then-data")
async def data_after_a_refused_chunk(peer: SmtpPeer) -> Judgement:
    """DATA behind a chunk that was refused, without MAIL and RCPT, is out of order."""
    await ready_for_chunks(peer)
    refusal(await send_chunk(peer, b"octets"), "a chunk before MAIL")
    answer = await peer.ask(b"DATA")
    if answer.go_on or answer.closed:
        return weakened(f"{answer} to DATA", "5yz")
    return answer.expect("5yz", to="DATA after a refused chunk")


@case("smtp.bdat.before-helo", variants={"middle": False, "last": True})
async def a_chunk_before_hello_is_refused(peer: SmtpPeer, last: bool) -> Judgement:
    """A chunk before EHLO is refused; its octets are best swallowed, or the session ended."""
    control = peer.another()
    await ready_for_chunks(control)
    await peer.greet()
    await peer.send(chunk(COMMANDS, last=last))
    # CHUNKING was not offered yet: to a server that sees no command in BDAT, what follows is the next line.
    return await judge_swallowed(peer, silence=last and peer.subject.is_lmtp, executed=weakened)


ALL: Final = bytes(range(256))


@case("smtp.bdat.arbitrary-octets-as-commands")
async def too_many_octets_are_no_commands(peer: SmtpPeer) -> Judgement:
    """Octets behind the end of a chunk are read as commands: refused, or the session is ended, and the server lives."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    await peer.send(chunk(b"four") + ALL + b"\r\n")
    first = await peer.answer()
    await trio.sleep(peer.subject.quiet_s)
    answer = await peer.ask(b"NOOP")
    got = f"{first} to a chunk and a line of all octets behind it, then {answer}"
    return violated(got, "5yz, or a close") if answer.silent else satisfied(got)
