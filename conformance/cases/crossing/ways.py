"""However a message came in, by DATA or BDAT, in TLS or in clear, in pieces of any size, the same octets are kept."""

from typing import Final

import trio

from conformance.case import case
from conformance.cases.crossing.passage import NOT_THERE, arrived, begin, came, copies_of, deliver, letter
from conformance.cases.smtp.chunks import KEYWORD, send_chunk
from conformance.cases.smtp.data import same
from conformance.connection import APART_S
from conformance.judgement import Judgement, Undetermined
from conformance.message import body_of
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

BODY: Final = b"first\r\n.dot\r\n..\r\n.\r\n\r\n trailing ~\t\r\n" + b"x" * 998 + b"\r\n\r\nBDAT 5 LAST\r\nlast\r\n\r\n"
SHORT: Final = b"a\r\n.b\r\n..\r\n.\r\n\r\nc ~ \r\n"
PIECES: Final = {"whole": None, "small": 7, "lines": 0, "empty-last": -1}      # octets of a chunk


def _chunks(message: bytes, octets: int | None) -> list[bytes]:
    if octets is None:
        return [message]
    if octets == -1:
        return [message, b""]
    if octets == 0:                       # cut inside each CRLF, and before each dot
        return [piece + b"\n" for piece in message.split(b"\n")][:-1]
    return [message[at:at + octets] for at in range(0, len(message), octets)]


@case("x.body.bdat-equals-data", variants=PIECES)
async def chunks_keep_what_data_keep(peer: SmtpPeer, octets: int | None) -> Judgement:
    """A message sent in chunks comes out like the same message sent by DATA."""
    body = SHORT if octets == 7 else BODY
    await peer.open()
    peer.require(KEYWORD)
    await deliver(peer, letter(peer, "data", body))
    await begin(peer)
    *pieces, last = _chunks(letter(peer, "bdat", body), octets)
    for piece in pieces:
        peer.must(await send_chunk(peer, piece), to=b"a chunk")
    peer.must(await send_chunk(peer, last, last=True), to=b"the last chunk")
    by_data, by_chunks = await _both(peer, "data", "bdat")
    return same(body_of(by_chunks), body_of(by_data))


async def _both(peer: SmtpPeer, one: str, other: str) -> tuple[bytes, bytes]:
    found = await came(peer, 2)
    copies = [copies_of(found, peer, mark) for mark in (one, other)]
    if not all(copies):
        raise Undetermined(NOT_THERE)
    return copies[0][0], copies[1][0]


@case("x.body.tls-equals-plain")
async def tls_keeps_what_clear_text_keeps(peer: SmtpPeer) -> Judgement:
    """A message sent inside TLS comes out like the same message sent in clear."""
    clear, inside = peer, peer.another()
    await inside.hello()
    if not inside.in_tls:
        await inside.start_tls()
    if peer.subject.declared.session.login:
        await inside.log_in()
    await deliver(clear, letter(peer, "clear", BODY))
    if clear.in_tls:
        raise Undetermined("mail is taken in TLS alone")
    await deliver(inside, letter(peer, "tls", BODY))
    one, other = await _both(peer, "clear", "tls")
    return same(body_of(other), body_of(one))


SEGMENTS: Final = {"1": 1, "7": 7, "1460": 1460, "65536": 65_536}


@case("x.body.segmentation", variants=SEGMENTS)
async def the_cutting_of_the_octets_does_not_matter(peer: SmtpPeer, octets: int) -> Judgement:
    """A message comes out the same in whatever pieces it was written."""
    body = SHORT if octets == 1 else BODY * max(1, min(70, octets // 600))
    await peer.begin_mail_data()
    wire = stuff(peer.message(body))
    for at in range(0, len(wire), octets):
        await peer.send(wire[at:at + octets])
        await trio.sleep(APART_S)            # too short to make room for another case
    peer.must(await peer.answer(), to=b"the message")
    return same(body_of(await arrived(peer)), body)
