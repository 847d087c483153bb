"""BINARYMIME: content that has no lines, carried by BDAT and by nothing else (RFC 3030 §3)."""

import base64
import binascii
import quopri
import re
from typing import Final

from conformance.case import case
from conformance.cases.smtp.chunks import ready_for_chunks, send_chunk
from conformance.cases.smtp.data import same
from conformance.cases.smtp.groups import rcpt_command
from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.message import body_of
from conformance.peer import SmtpPeer

KEYWORD: Final = "BINARYMIME"
BINARY: Final = b"BODY=BINARYMIME"
BARE: Final = re.compile(rb"\0|(?<!\r)\n|\r(?!\n)")
ENCODING: Final = re.compile(rb"(?im)^Content-Transfer-Encoding[ \t]*:[ \t\r\n]*([A-Za-z0-9-]+)")


async def _offered(peer: SmtpPeer) -> None:
    await peer.open()
    peer.require(KEYWORD)


@case("smtp.binary.needs-chunking")
async def binarymime_comes_with_chunking(peer: SmtpPeer) -> Judgement:
    """A server that offers BINARYMIME offers CHUNKING too."""
    await _offered(peer)
    offered = "CHUNKING" in peer.extensions.keywords
    return satisfied("both are offered") if offered else violated("BINARYMIME alone", "CHUNKING beside it")


@case("smtp.binary.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """The keyword BINARYMIME has no parameters."""
    await _offered(peer)
    parameters = " ".join(peer.extensions.keywords[KEYWORD])
    return violated(f"BINARYMIME {parameters}", "it alone") if parameters else satisfied("it stands alone")


@case("smtp.binary.param", variants={"upper": BINARY, "lower": BINARY.lower()})
async def binary_bodies_are_taken(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """BODY=BINARYMIME is taken, in any case."""
    await _offered(peer)
    await peer.mail()
    await peer.control(b"RSET")
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b"> " + parameter)
    return answer.expect("2yz", to=f"MAIL with {parameter.decode()}")


@case("smtp.binary.data-refused")
async def data_does_not_carry_binary_bodies(peer: SmtpPeer) -> Judgement:
    """DATA is out of order for a message that was announced as binary."""
    await _offered(peer)
    await peer.mail(BINARY)
    await peer.rcpt()
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA after BODY=BINARYMIME")


BODIES: Final = {
    "all-octets": bytes(range(256)) * 2,
    "bare-cr-lf": b"one\rtwo\nthree\n\rfour\r\nfive\r\r\n",
    "nul": b"before\0after\0\0end",
    "dots": b"\r\n.\r\n..\r\n.x\r\n",
}


@case("smtp.binary.bits-kept", variants=BODIES)
async def every_octet_is_kept(peer: SmtpPeer, content: bytes) -> Judgement:
    """A binary body is kept octet for octet, or encoded so that it can be decoded."""
    await _offered(peer)
    await peer.mail(BINARY)
    await peer.rcpt()
    content += b"end of it"
    answer = await send_chunk(peer, _binary_message(peer, content), last=True)
    if not answer.yes:
        return undetermined(f"{answer} to a binary message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    kept = _decoded(arrived[0])
    if kept is None:
        return undetermined("the message was encoded in a way that we do not know")
    # A maildrop holds whole lines: an end may have been put to the last.
    return same(kept.removesuffix(b"\r\n"), content)


def _binary_message(peer: SmtpPeer, content: bytes) -> bytes:
    fields = b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
    return peer.message(content, header=fields)


def _decoded(message: bytes) -> bytes | None:
    """Return the content of a message of one part; None if its encoding is not known."""
    header, body = message.partition(b"\r\n\r\n")[0], body_of(message)
    found = ENCODING.search(header)
    encoding = found[1].lower() if found is not None else b"7bit"
    if encoding == b"quoted-printable":
        return quopri.decodestring(body)
    if encoding == b"base64":
        try:
            return base64.b64decode(body)
        except binascii.Error:
            return None
    return body if encoding in {b"binary", b"8bit", b"7bit"} else None


@case("smtp.binary.relay-converts")
async def binary_bodies_are_not_sent_on_raw(peer: SmtpPeer) -> Judgement:
    """A binary body is converted on its way to a next hop without BINARYMIME, or it comes back."""
    content = b"one\rtwo\nthree\n\rfour\0five, and no high octets"
    await _log_in_if_it_can_be(peer)
    peer.require(KEYWORD)
    sink = b"RCPT TO:<" + peer.at_sink() + b">"
    await peer.mail()
    await peer.control(sink)
    peer.must(await send_chunk(peer, peer.message(b"plain lines\r\n"), last=True), to=b"a plain message")
    if not await peer.sent_on():
        raise Undetermined("a plain message was taken, and not sent on in the time allowed (timers.delivery)")
    await peer.mail(BINARY)
    refused = await peer.ask(sink)
    answer = refused if not refused.yes else await send_chunk(peer, _binary_message(peer, content), last=True)
    if not answer.yes:
        return satisfied(f"{answer}: refused") if answer.no else undetermined(f"{answer} to a binary message")
    came = await peer.sent_on(2)
    if len(came) < 2:
        return satisfied("taken, and not sent on")
    kept = _decoded(came[1].mail_data + b"\r\n")
    raw = BARE.search(came[1].mail_data) is not None
    if raw or kept is None:
        return violated("sent on as it was", "converted, or returned") if raw else undetermined("an unknown encoding")
    return same(kept.removesuffix(b"\r\n"), content)


async def _log_in_if_it_can_be(peer: SmtpPeer) -> None:
    """Open the session as somebody whose mail is sent on."""
    await peer.open()
    if not peer.subject.declared.session.login and peer.subject.declared.accounts.smtp:
        if peer.extensions.starttls and not peer.extensions.auth:
            await peer.start_tls()
        if peer.extensions.auth:
            await peer.log_in()


@case("smtp.binary.unlabelled-cte")
async def a_field_is_no_reason_to_refuse(peer: SmtpPeer) -> Judgement:
    """A message of plain lines whose header says binary is taken though MAIL did not announce it."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    peer.must(await send_chunk(peer, peer.another_message(), last=True), to=b"the same message without the field")
    await peer.mail()
    await peer.control(rcpt_command(peer))
    answer = await send_chunk(peer, _binary_message(peer, b"plain lines\r\n"), last=True)
    return answer.expect("2yz", to="a message whose header says binary")
