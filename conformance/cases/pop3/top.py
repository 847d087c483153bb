"""TOP (RFC 1939 §7), where it is offered."""

from collections.abc import Mapping
from typing import Final

from conformance.case import case
from conformance.cases.pop3.responses import NO_MESSAGE, NO_NUMBER, difference, listed, no_such, refused
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import BODILESS, DOTTED, EDGES, TEN_LINES, Sample
from loadgen.wire.printable import printable

ALL_LINES: Final = 99_999
BAD_COUNTS: Final[Mapping[str, bytes]] = {
    "negative": b"-1", "word": b"abc", "word-behind": b"1x", "fraction": b"1.5", "two": b"1 2",
}


@case("pop3.top.headers")
async def top_of_no_lines(peer: Pop3Peer) -> Judgement:
    """TOP of no lines gives the header and the empty line, and nothing of the body."""
    return await _as_in_retr(peer, TEN_LINES, 0)


@case("pop3.top.lines", variants={"one": 1, "five": 5, "nine": 9, "all": 10})
async def top_of_some_lines(peer: Pop3Peer, lines: int) -> Judgement:
    """TOP gives as many lines of the body as it is asked for, behind the header and the empty line."""
    return await _as_in_retr(peer, TEN_LINES, lines)


@case("pop3.top.more-than-body", variants={
    "one-more": 11, "many": ALL_LINES, "wraps-16-bits": 65_539, "most": 2_147_483_647,
})
async def top_of_more_than_there_is(peer: Pop3Peer, lines: int) -> Judgement:
    """TOP of more lines than there are gives the whole message."""
    return await _as_in_retr(peer, TEN_LINES, lines)


async def _as_in_retr(peer: Pop3Peer, sample: Sample, lines: int) -> Judgement:
    """Judge the top of a message by what RETR gives of it."""
    await peer.open(sample)
    number = peer.number_of(sample)
    whole = (await peer.control(b"RETR %d" % number)).body or b""
    header, empty, body = whole.partition(b"\r\n\r\n")
    if not empty:
        raise Undetermined("RETR gives a message without an empty line")
    wanted = b"".join(body.splitlines(keepends=True)[:lines])
    answer = await offered(peer, number, lines)
    if isinstance(answer, Judgement):
        return answer
    expected = f"the header, the empty line and {len(wanted.splitlines())} lines"
    if answer.body == header + empty + wanted:
        return satisfied(answer, expected)
    ours, _, rest = answer.body.partition(b"\r\n\r\n")
    if ours != header:
        return violated(f"another header: {difference(ours, header)}", expected)
    if not answer.body.startswith(header + empty):
        return violated(f"{answer}, and no empty line behind the header", expected)
    return violated(f"{len(rest.splitlines())} lines of the body: {difference(rest, wanted)}", expected)


async def offered(peer: Pop3Peer, number: int, lines: int) -> Pop3Answer | Judgement:
    """Return the answer to TOP if it is +OK; NotApplicable if it is not offered, which it need not be."""
    command = b"TOP %d %d" % (number, lines)
    answer = await listed(peer, command)
    if isinstance(answer, Pop3Answer) or "TOP" in peer.subject.found.keywords:
        return answer
    again = await peer.ask(b"TOP 1 0", multi_line=False)
    if again.err or (again.closed and "-ERR" in answer.got):      # it may have hung up on the refusal
        raise NotApplicable("TOP is not offered")
    return answer


async def _require(peer: Pop3Peer) -> None:
    """Go on only if TOP can be had."""
    answer = await peer.ask(b"TOP 1 0")
    if answer.err and "TOP" not in peer.subject.found.keywords:
        raise NotApplicable("TOP is not offered")
    peer.must(answer, to=b"TOP 1 0")


@case("pop3.top.stuffed", variants={"five-lines": (DOTTED, 5), "all-lines": (DOTTED, ALL_LINES),
                                    "edges": (EDGES, ALL_LINES)})
async def dots_are_stuffed_in_a_top_too(peer: Pop3Peer, what: tuple[Sample, int]) -> Judgement:
    """A line that begins with a dot is given another in what TOP gives, and ends it nowhere."""
    sample, lines = what
    await peer.open(sample)
    number = peer.number_of(sample)
    answer = await offered(peer, number, lines)
    if isinstance(answer, Judgement):
        return answer
    wanted = b"".join(sample.body.splitlines(keepends=True)[:lines])
    got = answer.body.partition(b"\r\n\r\n")[2]
    expected = f"{len(wanted.splitlines())} lines of body, stuffed"
    after = await peer.ask(b"NOOP")
    if not after.ok:
        return violated(f"{answer}, and then {after} to NOOP", expected)
    if got == wanted:
        return satisfied(answer, expected)
    whole = (await peer.ask(b"RETR %d" % number)).body.partition(b"\r\n\r\n")[2]
    if whole.startswith(got) and whole != sample.body:
        return undetermined("it was not stored as it was handed in, or RETR gives it wrongly as well", expected)
    return violated(difference(got, wanted), expected)


@case("pop3.top.missing-lines")
async def top_needs_a_count(peer: Pop3Peer) -> Judgement:
    """TOP without a number of lines is refused."""
    await peer.open(least=1)
    await _require(peer)
    return refused(await peer.ask(b"TOP 1", multi_line=False), "TOP 1")


@case("pop3.top.bad-lines", variants=BAD_COUNTS)
async def top_of_no_number_of_lines(peer: Pop3Peer, lines: bytes) -> Judgement:
    """TOP of what is no number of lines is refused."""
    await peer.open(least=1)
    await _require(peer)
    command = b"TOP 1 " + lines
    return refused(await peer.ask(command, multi_line=False), printable(command))


@case("pop3.top.bad-lines", variants={"huge": b"99999999999999999999"})
async def top_of_very_many_lines(peer: Pop3Peer, lines: bytes) -> Judgement:
    """TOP of more lines than a number can count is refused, or gives the whole message."""
    number = await peer.open_one(TEN_LINES)
    await _require(peer)
    whole = await peer.control(b"RETR %d" % number)
    command = b"TOP %d %b" % (number, lines)
    answer = await peer.ask(command)
    if answer.ok and answer.body != whole.body:
        return violated(f"{answer}: {difference(answer.body, whole.body or b'')}", "the whole message, or -ERR")
    return satisfied(answer) if answer.ok else refused(answer, command.decode())


@case("pop3.top.bad-msg", variants=NO_MESSAGE | NO_NUMBER)
async def top_of_no_message(peer: Pop3Peer, argument: bytes) -> Judgement:
    """TOP of what is no message's number is refused."""
    await peer.open(least=1)
    await _require(peer)
    return await no_such(peer, b"TOP", argument, b" 0")


@case("pop3.top.bad-msg", variants={"deleted": None})
async def top_of_a_deleted_message(peer: Pop3Peer, _: None) -> Judgement:
    """TOP of a message that is marked as deleted is refused."""
    peer.may_destroy()
    await peer.open(least=2)
    await _require(peer)
    await peer.control(b"DELE 1")
    answer = await peer.ask(b"TOP 1 0", multi_line=False)
    if answer.err:
        await peer.ask(b"RSET")
    return refused(answer, "TOP 1 0, which is deleted")


@case("pop3.top.no-body-message", variants={"no-lines": 0, "five-lines": 5})
async def top_of_a_header_alone(peer: Pop3Peer, lines: int) -> Judgement:
    """TOP of a message without a body gives its header, and comes to an end."""
    await peer.open(BODILESS)
    number = peer.number_of(BODILESS)
    answer = await offered(peer, number, lines)
    if isinstance(answer, Judgement):
        return answer
    after = await peer.ask(b"NOOP")
    mark, _ = peer.message_of(BODILESS)
    header, _, body = answer.body.partition(b"\r\n\r\n")
    if mark not in header:
        return violated(f'no header of ours: "{printable(header, 80)}"', "the header, and the dot")
    if body.strip(b"\r\n"):
        return violated(f'a body: "{printable(body, 80)}"', "the header, and the dot")
    return (satisfied if after.ok else violated)(f"{answer}, and then {after} to NOOP", "the header, and the dot")


@case("pop3.top.no-side-effect")
async def top_changes_nothing(peer: Pop3Peer) -> Judgement:
    """A message that TOP gave a part of is still there in the next session."""
    await peer.open(least=2)
    await _require(peer)
    before = await peer.stat()
    await peer.control(b"TOP 2 1")
    await peer.control(b"QUIT")
    again = peer.another()
    await again.log_in()
    answer = await again.ask(b"STAT")
    if not answer.ok:
        raise Undetermined(f"{answer} to STAT")
    there = answer.text.split(b" ")[0] == b"%d" % before[0]          # how large may change: fields of a store's own
    return (satisfied if there else violated)(answer, f"{before[0]} messages, as before TOP")
