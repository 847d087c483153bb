"""Octets that a server may refuse, or may have to encode, and must not spoil: 8-bit, controls, bare CR and LF."""

import email
import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Final

from conformance.case import case
from conformance.cases.crossing.passage import arrived, begin, deliver, kept
from conformance.cases.smtp.data import same
from conformance.cases.smtp.eight_bit import CHARSET, ENCODING
from conformance.judgement import (
    Judgement,
    NotApplicable,
    declined,
    observed,
    satisfied,
    violated,
)
from conformance.message import body_of
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

CONTROLS: Final = bytes(octet for octet in (*range(0x01, 0x20), 0x7F) if octet not in b"\r\n\t")
HIGH: Final = bytes(range(0x80, 0x100))
LONG_LINES: Final = {"999": 999, "2048": 2048, "10000": 10_000, "1-mib": 1 << 20}


async def _offer(peer: SmtpPeer, body: bytes, header: bytes = b"") -> bytes | Judgement:
    """Send what a server may refuse, once it has taken an ordinary message; return what is kept, or the refusal."""
    await peer.must_take_mail()
    await begin(peer)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message(body, header=header)))
    answer = await peer.answer()
    if answer.no or answer.closed:
        return declined(f"{answer}: it is refused")
    peer.must(answer, to=b"the message")
    return await arrived(peer)


def mime(charset: str) -> bytes:
    """Return the fields that say of a body that it is eight-bit text."""
    return (
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=" + charset.encode()
        + b"\r\nContent-Transfer-Encoding: 8bit\r\n"
    )  # fmt: skip


EIGHT_BIT: Final = {
    "each": ("iso-8859-1", b"".join(b"<" + bytes([octet]) + b">\r\n" for octet in HIGH)),
    "row": ("iso-8859-1", HIGH + b"\r\n" + HIGH[::-1] + b"\r\n"),
    "edges": ("iso-8859-1", b"\xe9 begins\r\nends \xe9\r\n.\xe9\r\n\xa0\r\n\x85\r\n\xff\r\n"),
    "utf-8": ("utf-8", "Grüße, Καλημέρα, добро, 漢字, 🙂\r\n.é\r\né.\r\nFrom-é\r\n".encode()),
}


@case("x.body.8bit", variants=EIGHT_BIT)
async def eight_bits_come_out(peer: SmtpPeer, text: tuple[str, bytes]) -> Judgement:
    """Octets above 127 come out as they went in, or encoded and labelled so."""
    charset, body = text
    await peer.open()
    peer.require("8BITMIME")
    return same_text(await kept(peer, body, header=mime(charset), parameters=b" BODY=8BITMIME", control=True), body)


def same_text(copy: bytes, body: bytes) -> Judgement:
    """Judge a text by what is kept of it: it may have been encoded, or written in UTF-8, and labelled so."""
    if body_of(copy) == body:
        return same(body, body)
    decoded = email.message_from_bytes(copy).get_payload(decode=True)
    text = re.sub(rb"\r?\n", b"\r\n", decoded) if isinstance(decoded, bytes) else b""
    found = ENCODING.search(copy)
    encoded = found is not None and found[1].lower() not in {b"7bit", b"8bit", b"binary"}
    if encoded and text.rstrip(b"\r\n") == body.rstrip(b"\r\n"):
        return declined("encoded, and labelled so", "the body unchanged")
    charset = CHARSET.search(copy)
    if charset is not None and charset[1].lower() == b"utf-8" and text.rstrip() == body.decode("latin-1").encode():
        return declined("written in UTF-8, and labelled so", "the body unchanged")
    return same(body_of(copy), body)


UTF8_FIELDS: Final = {
    "subject": "Subject: Grüße, Καλημέρα", "from": "From: Jürgen 漢字 <{}>", "other": "X-Ort: Köln 🙂",
}


@case("x.body.utf8-headers", variants=UTF8_FIELDS)
async def fields_in_utf8_come_out(peer: SmtpPeer, field: str) -> Judgement:
    """A header field in UTF-8 comes out as it went in, or downgraded for readers who do not know UTF-8."""
    await peer.open()
    peer.require("SMTPUTF8")
    peer.must(await peer.another().deliver(peer.another_message()), to=b"an ordinary message")
    line = field.format(peer.sender.decode()).encode() + b"\r\n"
    name = line.partition(b":")[0] + b":"
    plain = re.sub(rb"(?m)^" + name + rb"[^\r]*\r\n", b"", peer.message())
    message = b"MIME-Version: 1.0\r\n" + line + plain
    parameters = b" SMTPUTF8" + (b" BODY=8BITMIME" if "8BITMIME" in peer.extensions.keywords else b"")
    await deliver(peer, message, parameters=parameters)
    copy = b"\r\n" + (await arrived(peer)).partition(b"\r\n\r\n")[0] + b"\r\n"
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", copy)
    if b"\r\n" + line in unfolded:
        return satisfied("kept as it is", "the field unchanged")
    expected = "the field unchanged, or downgraded"
    found = re.search(rb"\r\n" + name + rb"([^\r]*)", unfolded)
    if found is None:
        return declined("taken out: it was downgraded (RFC 6858 §2.3)", expected)
    if b"=?" in found[1] and _decoded(found[1]) == "".join(line.decode().partition(":")[2].split()):
        return declined("downgraded: in encoded words (RFC 6857, RFC 6858)", expected)
    return violated(printable(found[0].strip(), 120), expected)


def _decoded(value: bytes) -> str:
    """Return a field's value with its encoded words decoded, without any space."""
    try:
        text = str(make_header(decode_header(value.decode("ascii").strip())))
    except (UnicodeError, LookupError, HeaderParseError):
        return ""
    return "".join(text.split())


CONTROL_TEXTS: Final = {
    "inside": b"".join(b"<" + bytes([octet]) + b">\r\n" for octet in CONTROLS),
    "first": b"".join(bytes([octet]) + b"text\r\n" for octet in CONTROLS),
    "last": b"".join(b"text" + bytes([octet]) + b"\r\n" for octet in CONTROLS),
    "alone": b"".join(bytes([octet]) + b"\r\n" for octet in CONTROLS),
}


@case("x.body.control-octets", variants=CONTROL_TEXTS)
async def control_octets_come_out(peer: SmtpPeer, body: bytes) -> Judgement:
    """Control octets in a body come out as they went in, or the message is refused; they are not changed unsaid."""
    kept_so = await _offer(peer, body)
    return kept_so if isinstance(kept_so, Judgement) else same(body_of(kept_so), body)


NULS: Final = {
    "amid": b"before\0after\r\nlast line\r\n", "first": b"\0after\r\nlast line\r\n",
    "last": b"before\0\r\nlast line\r\n", "alone": b"before\r\n\0\r\nlast line\r\n",
    "pair": b"be\0\0fore\r\nlast line\r\n",
}


@case("x.body.nul", variants=NULS)
async def nul_ends_nothing(peer: SmtpPeer, body: bytes) -> Judgement:
    """What follows a NUL is not lost: it is kept, refused or replaced."""
    kept_so = await _offer(peer, body)
    if isinstance(kept_so, Judgement):
        return satisfied(kept_so.got)
    was = body_of(kept_so)
    got = "kept" if was == body else f"kept as {printable(was, 60)}"
    whole = all(word in was for word in re.findall(rb"\w+", body))
    return (satisfied if whole else violated)(got, "nothing but the NUL changed")


@case("x.body.nul", variants={"header": b"X-Nul: before\0after\r\nX-Next: there\r\n"})
async def nul_in_a_field_ends_nothing(peer: SmtpPeer, fields: bytes) -> Judgement:
    """What follows a NUL in the header is not lost."""
    kept_so = await _offer(peer, b"last line\r\n", fields)
    if isinstance(kept_so, Judgement):
        return satisfied(kept_so.got)
    whole = b"X-Next: there" in kept_so and b"last line" in kept_so
    return (satisfied if whole else violated)(f"{'kept' if whole else 'lost'}: what follows", "nothing lost")


@case("x.body.bare-cr", variants={"amid": b"one\rtwo\r\nlast\r\n", "crcrlf": b"one\r\r\nlast\r\n"})
async def what_becomes_of_a_bare_cr(peer: SmtpPeer, body: bytes) -> Judgement:
    """What becomes of a CR without LF is recorded."""
    return await _recorded(peer, body)


@case("x.body.bare-lf", variants={"amid": b"one\ntwo\r\nlast\r\n", "twice": b"one\n\ntwo\r\nlast\r\n"})
async def what_becomes_of_a_bare_lf(peer: SmtpPeer, body: bytes) -> Judgement:
    """What becomes of an LF without CR is recorded."""
    return await _recorded(peer, body)


async def _recorded(peer: SmtpPeer, body: bytes) -> Judgement:
    kept_so = await _offer(peer, body)
    if isinstance(kept_so, Judgement):
        return observed(kept_so.got)
    was = body_of(kept_so)
    return observed("kept" if was == body else f"kept as {printable(was, 60)}")


@case("x.body.long-line", variants=LONG_LINES)
async def what_becomes_of_a_long_line(peer: SmtpPeer, octets: int) -> Judgement:
    """A line above 998 octets is kept, wrapped or refused; octets of it are not lost unsaid."""
    limit = peer.subject.low_limit
    if limit is not None and octets + 2000 > limit:
        raise NotApplicable(f"no message of that size is taken: the limit is {limit} octets")
    line = b"".join(b"%07d," % number for number in range(octets // 8)) + b"x" * (octets % 8)
    kept_so = await _offer(peer, b"before\r\n" + line + b"\r\nafter\r\n")
    if isinstance(kept_so, Judgement):
        return observed(kept_so.got)
    was = body_of(kept_so)
    if b"\r\n" + line + b"\r\n" in was:
        return observed("kept whole")
    # Servers that wrap put CRLF in, some a space behind it, some a mark before it.
    if re.sub(rb"[\s!=]", b"", was) == b"before" + line + b"after":
        wrapped = max(map(len, was.split(b"\r\n")))
        return observed(f"wrapped at {wrapped} octets")
    digits = len(re.sub(rb"[\s!=]", b"", was))
    return violated(f"{digits} of {len(line) + 11} octets came out", "kept, wrapped or refused")


