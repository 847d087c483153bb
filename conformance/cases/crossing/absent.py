"""What was not taken does not arrive: refused, given up, cut off, or a part of another message (RFC 5321 §4.1.1)."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.crossing.passage import (
    begin,
    boxes,
    copies_of,
    deliver,
    letter,
    marked,
    must_be_apart,
    set_apart,
    settled,
)
from conformance.cases.smtp.chunks import KEYWORD, chunk
from conformance.cases.smtp.data import deliver_too_much
from conformance.cases.smtp.groups import rcpt_command
from conformance.cases.smuggle.forms import FORMS
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

NOTHING: Final = "nothing of it in the maildrop"


# What a server may refuse. Each is the body of a message whose first line can be found again.
REFUSABLE: Final = {
    "bare-lf": b"one\ntwo\r\n", "bare-cr": b"one\rtwo\r\n", "nul": b"one\0two\r\n",
    "long-line": b"x" * 70_000 + b"\r\n", "8bit": b"gr\xfc\xdfe\r\n", "controls": bytes(range(1, 9)) + b"\r\n",
}
REFUSABLE_FIELDS: Final = {
    "bad-from": b"From: two\r\nFrom: three@\r\n",
    "loop": b"Received: by x.example; Thu, 1 Jan 2026 00:00:00 +0000\r\n" * 150,
    "bad-field": b"no field at all\r\n",
}  # fmt: skip


@case("x.delivery.refused-absent", variants={"odd-content": None})
async def refused_messages_are_not_delivered(peer: SmtpPeer, _: None) -> Judgement:
    """A message that was answered 4yz or 5yz at its end is not delivered, nor is a part of it."""
    box = boxes(peer)[0]
    await deliver(peer, letter(peer, "good"))
    messages = {name: letter(peer, name, body) for name, body in REFUSABLE.items()}
    messages |= {name: letter(peer, name, header=fields) for name, fields in REFUSABLE_FIELDS.items()}
    refused: dict[str, Answer] = {}
    for name, message in messages.items():
        session = peer.another()
        await begin(session)
        await session.control(b"DATA", "354")
        await session.send(stuff(message))
        answer = await session.answer()
        if answer.no or answer.later:
            refused[name] = answer
    if not refused:
        raise Undetermined("not one odd message was refused")
    return await _absent(peer, box, refused)


@case("x.delivery.refused-absent", variants={"too-large": None})
async def a_message_that_is_too_large_is_not_delivered(peer: SmtpPeer, _: None) -> Judgement:
    """A message that was refused for its size is not delivered, nor is a part of it."""
    box = boxes(peer)[0]
    await peer.open()
    answer = await deliver_too_much(peer)
    if not (answer.no or answer.later):
        raise Undetermined(f"{answer} to a message above the limit")
    return _none((await settled(peer, box))[box], f"{answer} to a message above the limit")


@case("x.delivery.refused-absent", variants={"no-recipient": None})
async def mail_for_nobody_is_not_delivered(peer: SmtpPeer, _: None) -> Judgement:
    """Mail data that came although every recipient was refused are not delivered to anybody."""
    found = boxes(peer)
    await peer.open()
    await peer.mail()
    answer = await peer.ask(rcpt_command(peer, peer.rejected))
    if not answer.no:
        raise NotApplicable(f"{answer} to a recipient who is rejected")
    answer = await peer.ask(b"DATA")
    if not answer.go_on:
        return satisfied(f"{answer} to DATA")
    await peer.send(stuff(letter(peer, "nobody")))
    answer = await peer.answer()
    boxed = await settled(peer, *found)
    return _none([one for box in boxed.values() for one in box], f"{answer} to mail for nobody")


async def _absent(peer: SmtpPeer, box: bytes, refused: dict[str, Answer]) -> Judgement:
    found = (await settled(peer, box))[box]
    for name, answer in refused.items():
        if copies_of(found, peer, name):
            return violated(f"{answer} to {name}, and it was delivered", NOTHING)
    return satisfied(f"refused and not delivered: {', '.join(refused)}")


def _none(found: list[bytes], what: str) -> Judgement:
    return violated(f"{what}, and it was delivered", NOTHING) if found else satisfied(f"{what}; nothing was delivered")


# Ways to give a transaction up before anything was sent.

async def _rset(peer: SmtpPeer) -> None:
    await peer.control(b"RSET", "250")


async def _hello(peer: SmtpPeer) -> None:
    await peer.ehlo()


GIVEN_UP: Final[dict[str, Callable[[SmtpPeer], Awaitable[None]]]] = {"rset": _rset, "hello": _hello}


@case("x.delivery.rset-absent", variants=GIVEN_UP)
async def who_was_given_up_gets_nothing(peer: SmtpPeer, give_up: Callable[[SmtpPeer], Awaitable[None]]) -> Judgement:
    """A recipient named before RSET, or EHLO, gets nothing of the message sent after it."""
    first = boxes(peer)[0]
    second = next(one for one in peer.recipients(2) if one != first)
    await set_apart(peer, second)
    await begin(peer, first)
    await give_up(peer)
    await deliver(peer, letter(peer, "after", to=second), second)
    found = (await settled(peer, first))[first]
    must_be_apart(found, peer, second)
    if found:
        return violated("the message was delivered to who was named before", "to who was named after it alone")
    return satisfied("nothing was delivered to who was named before")


@case("x.delivery.rset-absent", variants={"sender": None})
async def the_sender_given_up_is_forgotten(peer: SmtpPeer, _: None) -> Judgement:
    """The reverse-path from before RSET is not that of the message sent after it."""
    box = boxes(peer)[0]
    await begin(peer, box, sender=peer.marked_sender)
    await peer.control(b"RSET", "250")
    message = letter(peer.aside(), "after", to=box)
    await deliver(peer, message, box)
    found = (await settled(peer, box))[box]
    return _none(found, "RSET, and another message")


# Where a session is cut off: what is sent before the end, behind MAIL and RCPT.
Cut = Callable[[SmtpPeer, str], Awaitable[None]]


async def _after_mail(peer: SmtpPeer, mark: str) -> None:
    await peer.open()
    await peer.control(b"MAIL FROM:<" + _sender(peer, mark) + b">")


async def _after_rcpt(peer: SmtpPeer, mark: str) -> None:
    await begin(peer, sender=_sender(peer, mark))


async def _at_once(peer: SmtpPeer, mark: str) -> None:
    await begin(peer, sender=_sender(peer, mark))
    await peer.control(b"DATA", "354")


async def _after_data(peer: SmtpPeer) -> None:
    await begin(peer)
    await peer.control(b"DATA", "354")


async def _in_header(peer: SmtpPeer, mark: str) -> None:
    await _after_data(peer)
    await peer.send(letter(peer, mark).partition(b"\r\n\r\n")[0][:-3])


async def _in_line(peer: SmtpPeer, mark: str) -> None:
    await _after_data(peer)
    await peer.send(letter(peer, mark, b"a line\r\ncut he"))


async def _after_line(peer: SmtpPeer, mark: str) -> None:
    await _after_data(peer)
    await peer.send(letter(peer, mark, b"a line\r\n"))


async def _after_dot(peer: SmtpPeer, mark: str) -> None:
    await _after_data(peer)
    await peer.send(letter(peer, mark, b"a line\r\n") + b".")


async def _after_dot_cr(peer: SmtpPeer, mark: str) -> None:
    await _after_data(peer)
    await peer.send(letter(peer, mark, b"a line\r\n") + b".\r")


async def _in_chunk(peer: SmtpPeer, mark: str) -> None:
    await begin(peer)
    await peer.send(chunk(letter(peer, mark), last=True)[:-2])


async def _between_chunks(peer: SmtpPeer, mark: str) -> None:
    await begin(peer)
    await peer.send(chunk(letter(peer, mark)))
    peer.must(await peer.answer(), to=b"a chunk")


POINTS: Final[dict[str, Cut]] = {
    "after-mail": _after_mail, "after-rcpt": _after_rcpt, "after-data": _at_once, "in-header": _in_header,
    "in-line": _in_line, "after-line": _after_line, "after-dot": _after_dot, "after-dot-cr": _after_dot_cr,
}
CHUNKED: Final[dict[str, Cut]] = {"in-chunk": _in_chunk, "between-chunks": _between_chunks}


def _sender(peer: SmtpPeer, mark: str) -> bytes:
    """Return a reverse-path that marks even what has no content. It has to be short: RFC 5321 §4.5.3.1.1."""
    return marked(peer, mark).encode() + b"@" + peer.marked_sender.rpartition(b"@")[2]


async def _close(peer: SmtpPeer) -> None:
    await peer.send_eof()


async def _reset(peer: SmtpPeer) -> None:
    await peer.reset()


async def _cut_off(peer: SmtpPeer, points: dict[str, Cut], end: Callable[[SmtpPeer], Awaitable[None]]) -> Judgement:
    box = boxes(peer)[0]
    marks: dict[str, str] = {}
    for number, (point, cut) in enumerate(points.items()):
        session = peer.another()
        with contextlib.suppress(Undetermined):       # a reverse-path that it does not take: the others are asked
            await cut(session, f"c{number}")
            marks[point] = f"c{number}"
        await end(session)
    found = (await settled(peer, box))[box]
    came = [point for point, mark in marks.items() if copies_of(found, peer, mark)]
    if came:
        return violated(f"delivered, although it was cut off: {', '.join(came)}", NOTHING)
    if not marks:
        raise Undetermined("no transaction came to where it was to be cut off")
    return satisfied(f"nothing of {len(marks)} that were cut off")


@case("x.delivery.abort-absent", variants={"close": _close, "reset": _reset})
async def what_was_cut_off_does_not_arrive(
    peer: SmtpPeer, end: Callable[[SmtpPeer], Awaitable[None]]
) -> Judgement:
    """Nothing is delivered of a message when the connection ends before the mail data do, wherever that is."""
    return await _cut_off(peer, POINTS, end)


@case("x.delivery.abort-absent", variants={"chunks-close": _close, "chunks-reset": _reset})
async def chunks_that_were_cut_off_do_not_arrive(
    peer: SmtpPeer, end: Callable[[SmtpPeer], Awaitable[None]]
) -> Judgement:
    """Nothing is delivered of a message when the connection ends before its last chunk does."""
    await peer.open()
    peer.require(KEYWORD)
    return await _cut_off(peer, CHUNKED, end)


@case("x.delivery.quit-mid-absent", variants={"after-rcpt": _after_rcpt})
async def quit_gives_the_transaction_up(peer: SmtpPeer, come_to: Cut) -> Judgement:
    """QUIT before the mail data delivers nothing."""
    box = boxes(peer)[0]
    session = peer.another()
    await come_to(session, "quit")
    answer = await session.quit()
    return _none((await settled(peer, box))[box], f"{answer} to QUIT")


@case("x.delivery.quit-mid-absent", variants={"between-chunks": _between_chunks})
async def quit_amid_chunks_gives_the_message_up(peer: SmtpPeer, come_to: Cut) -> Judgement:
    """QUIT before the last chunk delivers nothing."""
    box = boxes(peer)[0]
    await peer.open()
    peer.require(KEYWORD)
    session = peer.another()
    await come_to(session, "quit")
    answer = await session.quit()
    return _none((await settled(peer, box))[box], f"{answer} to QUIT")


@case("x.delivery.smuggle-count")
async def no_message_makes_two(peer: SmtpPeer) -> Judgement:
    """Whatever looks like the end of mail data within a message, no second message comes of what follows it."""
    box = boxes(peer)[0]
    for name, form in FORMS.items():
        session = peer.another()
        inner = letter(peer, f"{name}-inner", b"smuggled\r\n")
        commands = b"MAIL FROM:<" + peer.sender + b">\r\nRCPT TO:<" + box + b">\r\nDATA\r\n"
        outer = letter(peer, f"{name}-outer", b"A line without an end")
        await begin(session, box)
        await session.control(b"DATA", "354")
        await session.send(outer + form.octets + commands + inner + b".\r\nNOOP\r\n")
        if (await session.answer()).reply is not None:      # who is fooled has more to say, which need not be heard
            await session.answer_or_silence()
    found = (await settled(peer, box))[box]
    smuggled = [name for name in FORMS if _is_alone(copies_of(found, peer, f"{name}-inner"), f"{name}-outer")]
    if smuggled:
        return violated(f"delivered as a message of its own: what followed {', '.join(smuggled)}", "one message")
    return satisfied(f"{len(found)} messages of {len(FORMS)}, and none made two")


def _is_alone(copies: list[bytes], outer: str) -> bool:
    """Say whether a smuggled message came by itself, not within the body of the one that was sent."""
    return any(outer.encode() not in copy for copy in copies)


