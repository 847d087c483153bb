"""8BITMIME: the BODY parameter, and octets above 127 that stay what they are (RFC 6152)."""

import quopri
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Final

from conformance.case import case
from conformance.cases.smtp.parameters import (
    ask_mail,
    keyword_alone,
    mail_refuses,
    mail_takes,
    ready_for_mail,
)
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.message import body_of
from conformance.peer import SmtpPeer

KEYWORD: Final = "8BITMIME"
DECODERS: Final[Mapping[bytes, Callable[[bytes], bytes]]] = {
    b"quoted-printable": quopri.decodestring,
    b"base64": b64decode,
}
ENCODING: Final = re.compile(rb"(?im)^content-transfer-encoding:[ \t]*([a-z0-9-]+)")
CHARSET: Final = re.compile(rb'(?im)^content-type:(?:[^\r\n]|\r\n[ \t])*?charset="?([a-z0-9-]+)')


@case("smtp.8bit.offered")
async def eight_bits_are_offered(peer: SmtpPeer) -> Judgement:
    """EHLO lists 8BITMIME."""
    await peer.open()
    offered = KEYWORD in peer.extensions.keywords
    return satisfied("8BITMIME") if offered else violated("8BITMIME is not listed", "8BITMIME")


@case("smtp.8bit.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """EHLO lists 8BITMIME without parameters."""
    return await keyword_alone(peer, KEYWORD)


@case("smtp.8bit.body-8bit")
async def body_8bitmime_is_taken(peer: SmtpPeer) -> Judgement:
    """MAIL takes BODY=8BITMIME."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_takes(peer, b"BODY=8BITMIME")


@case("smtp.8bit.body-7bit")
async def body_7bit_is_taken(peer: SmtpPeer) -> Judgement:
    """MAIL takes BODY=7BIT."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_takes(peer, b"BODY=7BIT")


CASES_OF_WORDS: Final = {"both": b"body=8bitmime", "value": b"BODY=8BitMime", "keyword": b"Body=7BIT"}


@case("smtp.8bit.value-case", variants=CASES_OF_WORDS)
async def the_case_of_body_is_of_no_account(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """BODY and its values are known in any case."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_takes(peer, parameter)


BAD: Final = {
    "number": b"BODY=9BIT",
    "short": b"BODY=8BIT",
    "longer": b"BODY=8BITMIMEX",
    "list": b"BODY=7BIT,8BITMIME",
    "empty": b"BODY=",
    "alone": b"BODY",
}


@case("smtp.8bit.bad-value", variants=BAD)
async def other_bodies_are_refused(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A value of BODY that nobody defined, or none, is refused."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameter)


@case("smtp.8bit.duplicate", variants={"same": b"BODY=8BITMIME BODY=8BITMIME", "other": b"BODY=7BIT BODY=8BITMIME"})
async def body_twice_is_refused(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """BODY twice is refused."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameters)


@case("smtp.8bit.unadvertised", variants={"helo": False, "ehlo": True})
async def body_is_refused_where_it_was_not_offered(peer: SmtpPeer, extended: bool) -> Judgement:
    """BODY is refused after HELO, and where EHLO did not list 8BITMIME."""
    if extended:
        await peer.open()
        if KEYWORD in peer.extensions.keywords:
            raise NotApplicable("8BITMIME is offered")
    else:
        await peer.greet()
        await peer.helo()
    await peer.mail()
    await peer.control(b"RSET")
    answer = await ask_mail(peer, b"BODY=8BITMIME")
    return answer.expect("5yz", to="MAIL with BODY=8BITMIME, which was not offered")


BOTH: Final = {"body-first": b"BODY=8BITMIME SIZE=1000", "size-first": b"SIZE=1000 BODY=8BITMIME"}


@case("smtp.8bit.combined", variants=BOTH)
async def body_stands_beside_size(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """BODY and SIZE are taken together, in both orders."""
    await ready_for_mail(peer, KEYWORD)
    peer.require("SIZE")
    return await mail_takes(peer, parameters)


HIGH: Final = bytes(range(0x80, 0x100))
# charset, body: lines end with CRLF and have no more than 998 octets
TEXTS: Final = {
    "all-octets": ("iso-8859-1", b"".join(b"%c<%c>%c\r\n" % (octet, octet, octet) for octet in HIGH) + HIGH + b"\r\n"),
    "utf-8": ("utf-8", "Grüße, Καλημέρα, добро, 漢字, 🙂\r\n.é\r\né.\r\n".encode()),
}
REFUSABLE: Final = "all-octets"        # a filter may mislike control characters; nobody can mislike a greeting


@case("smtp.8bit.bits-kept", variants={name: name for name in TEXTS})
async def eight_bits_are_kept(peer: SmtpPeer, name: str) -> Judgement:
    """Octets above 127 in a message sent with BODY=8BITMIME are kept, or encoded and labelled so."""
    charset, body = TEXTS[name]
    return await _kept(peer, charset, body, may_refuse=name == REFUSABLE)


@case("smtp.8bit.long-lines", variants={"one-octet": "iso-8859-1", "two-octets": "utf-8"})
async def long_lines_of_eight_bits_are_kept(peer: SmtpPeer, charset: str) -> Judgement:
    """A line of 998 octets above 127 is taken and kept, as 998 octets of ASCII would be."""
    line = ("é" * (998 // len("é".encode(charset)))).encode(charset)
    return await _kept(peer, charset, b"short\r\n" + line + b"\r\nshort\r\n", may_refuse=False)


async def _kept(peer: SmtpPeer, charset: str, body: bytes, *, may_refuse: bool) -> Judgement:
    """Send a text with BODY=8BITMIME, after one in ASCII as control, and judge what is kept of it."""
    await peer.open()
    peer.require(KEYWORD)
    peer.must(await peer.deliver(peer.another_message()), to=b"a message in ASCII")
    await peer.mail(b"BODY=8BITMIME")
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    answer = await peer.end_of(_message(peer, charset, body))
    if not answer.yes:
        return undetermined(f"{answer} to the text") if may_refuse else answer.expect("2yz", to="the text")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return _judge(arrived[0], charset, body)


def _message(peer: SmtpPeer, charset: str, body: bytes) -> bytes:
    header = f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n"
    return peer.message(body, header=header.encode())


def _judge(arrived: bytes, charset: str, body: bytes) -> Judgement:
    """Judge by the text that a reader of the message would see: its encoding and charset may be others, if labelled."""
    kept = body_of(arrived)
    if kept == body:
        return satisfied("kept octet for octet", "the text unchanged")
    header = arrived[: len(arrived) - len(kept)]
    encoding = found[1].lower() if (found := ENCODING.search(header)) else b"7bit"
    decoded = DECODERS.get(encoding, bytes)(kept)
    label = found[1].decode("ascii") if (found := CHARSET.search(header)) else charset
    try:
        same = decoded.decode(label) == body.decode(charset)
    except (UnicodeDecodeError, LookupError):
        same = False
    how, unchanged = f"{encoding.decode('ascii')}, {label}", "the text unchanged"
    if same:
        return satisfied(f"the same text as {how}", unchanged)
    differs = (at for at, (a, b) in enumerate(zip(decoded, body, strict=False)) if a != b)
    at = next(differs, min(len(decoded), len(body)))
    return violated(f"from octet {at} on {decoded[at : at + 30]!r} for {body[at : at + 30]!r} ({how})", unchanged)
