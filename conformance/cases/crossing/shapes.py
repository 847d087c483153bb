"""Messages that lack a part: no body, no empty line, no header, nothing at all. They can be read all the same."""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from conformance.case import case
from conformance.cases.crossing.passage import LINE, begin, letter, look
from conformance.cases.crossing.reading import NEWEST, quiet_box, reading
from conformance.judgement import Judgement, Undetermined, observed, satisfied, violated
from conformance.peer import SmtpPeer
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.transparency import stuff

Shape = Callable[[SmtpPeer, bytes], bytes]


def _empty(peer: SmtpPeer, box: bytes) -> bytes:
    return letter(peer, "shape", b"", to=box)


def _headers_only(peer: SmtpPeer, box: bytes) -> bytes:
    return letter(peer, "shape", b"", to=box).removesuffix(b"\r\n")


def _no_headers(peer: SmtpPeer, box: bytes) -> bytes:
    return b"only text, of " + peer.token.encode() + b"\r\n" + LINE


def _nothing(peer: SmtpPeer, box: bytes) -> bytes:
    return b""


async def _taken(peer: SmtpPeer, box: bytes, shape: Shape) -> bool:
    """Send a message of some shape, marked by its sender too; say whether it was taken."""
    await peer.must_take_mail()
    await begin(peer, box, sender=peer.marked_sender)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(shape(peer, box)))
    answer = await peer.answer()
    if answer.reply is None or answer.later:
        raise Undetermined(f"{answer} to the message")
    return answer.yes


async def _found(session: Pop3Peer, token: str, keys: Collection[bytes]) -> int:
    """Return the number of the message in which a token stands; Undetermined if there is none.

    `keys` are unique-ids, if it could be read before; else it is looked for among the newest.
    """
    listed = await session.unique_ids()
    numbers = [number for number, unique_id in listed.items() if unique_id in keys]
    for number in numbers or list(listed)[: -NEWEST - 1 : -1]:
        answer = await session.ask(b"TOP %d 0" % number)
        if answer.err:
            answer = await session.ask(b"RETR %d" % number)
        if token.encode() in answer.body:
            return number
        if answer.response is None:
            raise Undetermined(f"{answer} to a message that may be another's")
    raise Undetermined("the message was taken, and is not among those that can be read")


async def _read(peer: SmtpPeer, box: bytes) -> tuple[Pop3Answer, Pop3Answer, int]:
    """Return the answers to RETR and TOP for the case's message, and what LIST says of its size."""
    keys: Collection[bytes] = ()
    with suppress(Undetermined):             # if it cannot be read, that is what is looked for
        keys = await look(peer, box, 1)
    async with reading(peer, box) as session:
        number = await _found(session, peer.token, keys)
        size = (await session.sizes()).get(number, -1)
        top = await session.ask(b"TOP %d 10" % number)
        return await session.ask(b"RETR %d" % number), top, size


@case("x.body.empty")
async def a_message_without_a_body_is_read(peer: SmtpPeer) -> Judgement:
    """A message of a header and no body is taken, and RETR of it ends."""
    box = quiet_box(peer)
    if not await _taken(peer, box, _empty):
        raise Undetermined("a message without a body was refused")
    retr, _, _ = await _read(peer, box)
    if not retr.ok:
        return violated(f"{retr} to RETR", "the message, and its end")
    header, blank, body = retr.body.partition(b"\r\n\r\n")
    whole = b"\r\nSubject:" in header and blank and not body
    got = "the header and no body" if whole else f"{len(retr.body)} octets, {len(body)} of them a body"
    return (satisfied if whole else violated)(got, "the header and no body")


def _observes(row: str, shape: Shape) -> None:
    @case(row)
    async def question(peer: SmtpPeer) -> Judgement:
        """Whether a message that lacks a part is taken, and what LIST, RETR and TOP say of it, is recorded."""
        box = quiet_box(peer)
        if not await _taken(peer, box, shape):
            return observed("refused")
        retr, top, size = await _read(peer, box)
        ends = {"RETR": retr, "TOP": top}
        said = [f"{verb} ends" if one.ok else f"{one} to {verb}" for verb, one in ends.items()]
        agrees = f"LIST says {size} octets, RETR gives {len(retr.body)}" if size != len(retr.body) else "LIST agrees"
        return observed(f"taken; {', '.join(said)}; {agrees}")


SHAPES: Final = {
    "x.body.headers-only": _headers_only, "x.body.no-headers": _no_headers, "x.body.zero-octets": _nothing,
}
for _row, _shape in SHAPES.items():
    _observes(_row, _shape)
