"""CHUNKING: a message in chunks, each counted in octets and answered once (RFC 3030 §2)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import trio

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.chunks import (
    KEYWORD,
    begin_chunks,
    chunk,
    ready_for_chunks,
    send_chunk,
    send_in_chunks,
)
from conformance.cases.smtp.data import same
from conformance.cases.smtp.groups import (
    SHUT,
    codes_of,
    is_too_slow_for_groups,
    mail_command,
    rcpt_command,
    take_answers,
)
from conformance.connection import APART_S
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.message import body_of
from conformance.peer import SmtpPeer

CHUNKS: Final = 1_000
CHUNKS_AT_ONCE: Final = 100


@case("smtp.bdat.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """The keyword CHUNKING has no parameters."""
    await peer.open()
    peer.require(KEYWORD)
    parameters = " ".join(peer.extensions.keywords[KEYWORD])
    return violated(f"CHUNKING {parameters}", "it alone") if parameters else satisfied("it stands alone")


@case("smtp.bdat.data-still-works")
async def data_works_beside_bdat(peer: SmtpPeer) -> Judgement:
    """A server that offers CHUNKING takes DATA as well, in the same session."""
    peer.must(await send_in_chunks(peer, peer.another_message()), to=b"a message in a chunk")
    await peer.begin_transaction()
    answer = await peer.ask(b"DATA")
    if not answer.go_on:
        return answer.expect("354", to="DATA, after a message by BDAT")
    return (await peer.end_of(peer.message())).expect("2yz", to="the end of the mail data")


async def _kept_as_sent(peer: SmtpPeer, body: bytes, *pieces: bytes) -> Judgement:
    """Send a message in chunks that DATA would carry, too; judge what is kept of its body."""
    await peer.open()
    peer.require(KEYWORD)
    peer.must(await peer.deliver(peer.another_message()), to=b"a message by DATA")
    answer = await send_in_chunks(peer, *(pieces or (peer.message(body),)))
    if not answer.yes:
        return _held_up(answer, "the last chunk")
    arrived = await peer.stored() or await peer.another().stored_before_a_later_one()
    return same(body_of(arrived[0]), body) if arrived else violated(f"{answer}, and nothing arrived", "the message")


def _marked(peer: SmtpPeer) -> bytes:
    """Return a body in which this case's token stands from end to end: whatever is kept of it is found."""
    return b"".join(b"line %02d of %s\r\n" % (number, peer.token.encode()) for number in range(20))


def _cut(message: bytes, *ends: int) -> list[bytes]:
    """Return a message in pieces that end at some places, counted from the start, or from the end."""
    places = [0, *(end % len(message) for end in ends), len(message)]
    return [message[start:end] for start, end in pairwise(places)]


@case("smtp.bdat.single-last")
async def one_chunk_is_enough(peer: SmtpPeer) -> Judgement:
    """A message in one chunk, the last, is taken and kept."""
    return await _kept_as_sent(peer, _marked(peer))


# Where the first two of three chunks end, counted from the start, or back from the end.
ENDS: Final = {"in-body": (-600, -300), "in-header": (20, 60), "by-octets": (1, 2), "at-the-end": (-2, -1)}


@case("smtp.bdat.multi", variants=ENDS)
async def chunks_are_joined(peer: SmtpPeer, ends: tuple[int, int]) -> Judgement:
    """A message in three chunks is kept as if it had been one."""
    body = _marked(peer)
    return await _kept_as_sent(peer, body, *_cut(peer.message(body), *ends))


@case("smtp.bdat.multi", variants={"at-lines": 2})
async def chunks_of_whole_lines_are_joined(peer: SmtpPeer, parts: int) -> Judgement:
    """A message in three chunks, each of whole lines, is kept as if it had been one."""
    body = _marked(peer)
    line = len(body) // 20
    return await _kept_as_sent(peer, body, *_cut(peer.message(body), -parts * 5 * line, -5 * line))


@case("smtp.bdat.zero-last")
async def an_empty_chunk_may_be_the_last(peer: SmtpPeer) -> Judgement:
    """A last chunk of no octets ends a message."""
    body = _marked(peer)
    return await _kept_as_sent(peer, body, peer.message(body), b"")


@case("smtp.bdat.zero-middle", variants={"first": 0, "middle": 40})
async def an_empty_chunk_is_a_chunk(peer: SmtpPeer, at: int) -> Judgement:
    """A chunk of no octets is taken like any other."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    message = peer.message()
    if at:
        peer.must(await send_chunk(peer, message[:at]), to=b"a chunk")
    empty = await send_chunk(peer, b"")
    if not empty.yes:
        return _held_up(empty, "BDAT 0")
    return (await send_chunk(peer, message[at:], last=True)).expect("2yz", to="the last chunk, after BDAT 0")


def _held_up(answer: Answer, to: str) -> Judgement:
    """Judge an answer that should be 2yz where even silence is a sign: the server waits for more octets."""
    return violated(f"{answer} to {to}", f"2yz to {to}") if answer.silent else answer.expect("2yz", to=to)


@case("smtp.bdat.only-zero-last")
async def what_becomes_of_no_octets(peer: SmtpPeer) -> Judgement:
    """A message without a single octet is taken or refused."""
    await begin_chunks(peer)
    return observed(await send_chunk(peer, b"", last=True))


@case("smtp.bdat.reply-each")
async def each_chunk_is_answered_once(peer: SmtpPeer) -> Judgement:
    """Every chunk is answered, and answered once."""
    await begin_chunks(peer)
    message = peer.message()
    answers = []
    for piece in (message[:20], message[20:40]):
        first = await send_chunk(peer, piece)
        if first.silent:
            later = await send_chunk(peer, message[40:], last=True)
            told = f"{first} to a chunk, then {later} to the last"
            return violated(told, "a reply to each chunk") if later.reply is not None else undetermined(told)
        if not first.yes:
            return undetermined(f"{first} to a chunk")
        answers.append(first)
    if (extra := await peer.answer_or_silence()).reply is not None:
        return violated(f"{codes_of(answers)}, then {extra}", "a reply to each chunk")
    final = await send_chunk(peer, message[40:], last=True)
    if final.reply is None:
        return undetermined(f"{final} to the last chunk")
    extra = await peer.answer_or_silence()
    got = f"{codes_of([*answers, final])}, then {extra}"
    return violated(got, "no more") if extra.reply is not None and not extra.matches(SHUT) else satisfied(got)


@case("smtp.bdat.no-354")
async def bdat_is_not_asked_to_go_on(peer: SmtpPeer) -> Judgement:
    """The octets follow BDAT at once: it is not answered before they have come."""
    await begin_chunks(peer)
    await peer.send(b"BDAT 10\r\n")
    early = await peer.answer_or_silence()
    if early.go_on or early.yes:
        return violated(f"{early} before the octets", "silence")
    if not early.silent:
        return undetermined(f"{early} before the octets")
    await peer.send(b"ten octets")
    return (await peer.answer()).expect("2yz", to="the octets")


OCTETS: Final = {"text": b"text", "cr": b"text\r", "crlf": b"text\r\n", "dot": b"text\r\n.\r\n", "one": b"x"}


@case("smtp.bdat.exact-octets", variants=OCTETS)
async def a_chunk_is_as_long_as_it_says(peer: SmtpPeer, octets: bytes) -> Judgement:
    """What stands behind a chunk in the same segment is the next command."""
    await begin_chunks(peer)
    peer.require("PIPELINING")
    await peer.send(chunk(octets) + b"NOOP\r\n")
    answers = await take_answers(peer, 2)
    got, expected = f"{codes_of(answers)} to a chunk and NOOP", "2yz, 2yz"
    if answers[-1].matches(SHUT, "521", "554") or answers[-1].closed or not answers[0].yes:    # mere impatience
        return undetermined(got, expected)
    return (satisfied if all(answer.yes for answer in answers) else violated)(got, expected)


# Where the 21 octets of BDAT 12 and its chunk are cut into segments; single: each octet by itself.
SEGMENTS: Final = {"in-size": (6,), "in-crlf": (8,), "behind-command": (9,), "in-octets": (14,), "single": range(1, 21)}


@case("smtp.bdat.exact-octets", variants={f"cut-{name}": places for name, places in SEGMENTS.items()})
async def segments_are_no_chunks(peer: SmtpPeer, places: Sequence[int]) -> Judgement:
    """Where a chunk is cut into segments makes no difference."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    octets = chunk(b"ABCD\r\nEFGH\r\n")
    for start, end in pairwise((0, *places, len(octets))):
        await peer.send(octets[start:end])
        await trio.sleep(APART_S)
    first = await peer.answer()
    second = await peer.ask(b"NOOP")
    got, expected = f"{first} to a chunk, then {second} to NOOP", "2yz, 2yz"
    if first.matches(SHUT, "4yz") or second.matches(SHUT) or first.closed or second.closed:
        return undetermined(got, expected)
    return (satisfied if first.yes and second.yes else violated)(got, expected)


DOTS: Final = {
    "line": b"before\r\n.\r\nafter\r\n",
    "two": b"before\r\n..\r\nafter\r\n",
    "leading": b".one\r\n..two\r\n...three\r\n",
    "commands": b"before\r\n.\r\nRSET\r\nQUIT\r\nafter\r\n",
    "last": b"before\r\n.\r\n",
}


@case("smtp.bdat.no-dot-processing", variants=DOTS)
async def a_dot_is_an_octet(peer: SmtpPeer, body: bytes) -> Judgement:
    """A dot in a chunk neither ends it nor is taken away."""
    return await _kept_as_sent(peer, body)


@case("smtp.bdat.dot-roundtrip", variants={"chunk-starts": 0, "behind-cr": -1, "behind-dot": 1})
async def dots_at_the_edges_of_chunks_are_kept(peer: SmtpPeer, shift: int) -> Judgement:
    """Lines that begin with dots are the same when they are sent on, or read, wherever a chunk ends."""
    body = b"first\r\n.one\r\n..two\r\n.\r\nlast\r\n"
    message = peer.message(body)
    at = len(message) - len(body)
    ends = [at + body.index(line) + shift for line in (b".one", b"..two", b".\r\nlast")]
    return await _kept_as_sent(peer, body, *_cut(message, *ends))


@case("smtp.bdat.split-crlf", variants={"in-body": -200, "in-header": 0})
async def cr_and_lf_may_come_in_two_chunks(peer: SmtpPeer, near: int) -> Judgement:
    """A CRLF that two chunks share is one line end."""
    body = _marked(peer)
    message = peer.message(body)
    at = message.index(b"\r\n", near % len(message)) + 1
    return await _kept_as_sent(peer, body, *_cut(message, at))


@case("smtp.bdat.no-final-crlf")
async def what_becomes_of_a_last_line_without_end(peer: SmtpPeer) -> Judgement:
    """What a server does with a message that does not end in CRLF is recorded."""
    body = b"first\r\nlast"
    answer = await send_in_chunks(peer, peer.message(body))
    if not answer.yes:
        return observed(answer)
    kept = await peer.stored_body()
    return observed(f"{answer}; kept as {kept[-20:]!r}")


CASES: Final = {"verb": (b"bdat", b"LAST"), "last": (b"BDAT", b"last"), "mixed": (b"BdAt", b"lASt")}


@case("smtp.bdat.case", variants=CASES)
async def bdat_and_last_have_no_case(peer: SmtpPeer, words: tuple[bytes, bytes]) -> Judgement:
    """BDAT and LAST may be written in any case."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    message = peer.message()
    verb, last = words
    await peer.send(verb + b" %d " % len(message) + last + b"\r\n" + message)
    return _held_up(await peer.answer(), f"{verb.decode()} … {last.decode()}")


BETWEEN: Final = {"noop": b"NOOP", "mail": b"MAIL", "rcpt": b"RCPT"}


@case("smtp.bdat.commands-between", variants=BETWEEN)
async def what_may_be_said_between_chunks(peer: SmtpPeer, verb: bytes) -> Judgement:
    """What is answered to NOOP, MAIL and RCPT between two chunks is recorded."""
    await begin_chunks(peer)
    peer.must(await send_chunk(peer, b"octets"), to=b"a chunk")
    commands = {b"MAIL": mail_command(peer), b"RCPT": rcpt_command(peer)}
    return observed(await peer.ask(commands.get(verb, verb)))


@case("smtp.bdat.rset-clears", variants={"rset": True, "hello": False})
async def chunks_are_forgotten(peer: SmtpPeer, by_rset: bool) -> Judgement:
    """RSET, and a new EHLO, forget the chunks that have come: the next message has nothing of them."""
    lost = b"X-Mailproof-Lost: this was to be forgotten\r\n"
    await begin_chunks(peer)
    peer.must(await send_chunk(peer, lost), to=b"a chunk")
    await peer.control(b"RSET" if by_rset else peer.hello_line, "250")
    await peer.begin_transaction()
    answer = await send_chunk(peer, peer.message(), last=True)
    if not answer.yes:
        return undetermined(f"{answer} to the next message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return violated("the forgotten chunk is in it", "the second message alone") if lost.strip() in arrived[0] else (
        satisfied("nothing of the first chunk is in it")
    )


@case("smtp.bdat.per-chunk-limit")
async def chunks_may_be_many(peer: SmtpPeer) -> Judgement:
    """A thousand chunks of one octet are answered each, until a limit is told."""
    await begin_chunks(peer)
    message = peer.another_message() + (b"x" * 70 + b"\r\n") * (CHUNKS // 72 + 1)
    at_once = CHUNKS_AT_ONCE if peer.extensions.pipelining else 1
    answers: list[Answer] = []
    for start in range(0, CHUNKS, at_once):
        await peer.send(b"".join(chunk(message[at : at + 1]) for at in range(start, start + at_once)))
        answers += await take_answers(peer, at_once)
        if not all(answer.yes for answer in answers):
            break
    last = next((answer for answer in answers if not answer.yes), answers[-1])
    if last.silent:
        told = f"{len(answers) - 1} answers, then it {last}"
        await begin_chunks(control := peer.another())
        one = await send_chunk(control, message[:1])
        if is_too_slow_for_groups(peer, one, at_once):
            return undetermined(f"{told}; {one} to one alone after {one.waited_s:.2g} s")
        return violated(told, f"{CHUNKS} answers")
    if not last.yes:
        told = f"{last} after {answers.index(last)} chunks"
        return declined(told) if last.later or last.no else undetermined(told)
    final = await send_chunk(peer, message[CHUNKS:], last=True)
    if final.no:                                       # it may be the message that is not wanted
        control = peer.another()
        await begin_chunks(control)
        control.must(await send_chunk(control, message, last=True), to=b"the message in one chunk")
    return final.expect("2yz", to=f"the last chunk, after {CHUNKS}")


@case("smtp.bdat.line-length-free")
async def what_becomes_of_a_long_line(peer: SmtpPeer) -> Judgement:
    """What a server does with a line of more than 998 octets in a chunk is recorded."""
    body = b"x" * 3000 + b"\r\n"
    answer = await send_in_chunks(peer, peer.message(body))
    arrived = await peer.stored() if answer.yes else ()
    if not arrived:
        return observed(f"{answer}; nothing arrived" if answer.yes else answer)
    return observed(f"{answer}; {'kept' if body_of(arrived[0]) == body else 'changed'}")


@case("smtp.bdat.unadvertised")
async def bdat_is_unknown_where_not_offered(peer: SmtpPeer) -> Judgement:
    """BDAT is refused where CHUNKING is not offered."""
    await peer.open()
    if KEYWORD in peer.extensions.keywords:
        raise NotApplicable("CHUNKING is offered")
    await peer.begin_transaction()
    return (await peer.ask(b"BDAT 0 LAST")).expect("5yz", to="BDAT, which is not offered")
