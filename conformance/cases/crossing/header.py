"""The header and the structure that a message came with: nobody writes them anew on the way (RFC 5321 §6.4)."""

from typing import Final

from conformance.case import case
from conformance.cases.crossing.content import unchanged
from conformance.cases.crossing.passage import arrived, deliver, kept
from conformance.cases.smtp.data import same
from conformance.judgement import Judgement, NotApplicable
from conformance.message import body_of
from conformance.peer import SmtpPeer


async def _left_alone(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Send a message with fields above and below those of the case; judge its whole header by what was sent."""
    if peer.subject.is_submission:
        raise NotApplicable("a submission server may put a header right (RFC 6409 §8)")
    message = peer.message(header=fields)
    await deliver(peer, message)
    return unchanged(peer, await arrived(peer), message)


ODD: Final = {
    "folded": b"X-Folded: one\r\n two\r\n\tthree   four\r\n  \tfive\r\n",
    "spaced": b"X-Spaces:  two before, one behind \r\nX-None:none\r\nX-Tab:\ttab\r\n",
    "empty": b"X-Empty:\r\nX-Blank: \r\nX-After: there\r\n",
    "case": b"x-lOWER: a\r\nX-UPPER: B\r\nMESSAGE-iDS: none\r\n",
    "order": b"X-C: 3\r\nReply-To: <y@elsewhere.invalid>\r\nX-A: 1\r\nCc: <x@elsewhere.invalid>\r\nX-B: 2\r\n",
    "long": b"X-Long: " + b"x" * 990 + b"\r\nX-Many: " + b",\r\n ".join(b"y" * 70 for _ in range(60)) + b"\r\n",
    "addresses": b'Cc: "A, B" <a@elsewhere.invalid> (c; d),  group: b@elsewhere.invalid ;\r\n'
                 b"Reply-To: <Some.Body@ELSEWHERE.invalid>\r\n",
    "dates": b"Resent-Date: 1 Jan 26 00:00 GMT\r\nX-Date: Thu, 1 Jan 2026 00:00:00 +0100 (CET)\r\n",
    "colon": b"X-Colon: a: b:c\r\nX-From : x\r\nX-Dots: .\r\n ..\r\n\t.\r\n",
    "list": b"List-Id: a <a.elsewhere.invalid>\r\nPrecedence: bulk\r\nX-Priority: 1\r\nX-Loop: x\r\n",
}  # fmt: skip


@case("x.body.folding-kept", variants=ODD)
async def odd_fields_are_left_alone(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Fields come out as they went in: their folding, their spacing, their order and the case of their names."""
    return await _left_alone(peer, fields)


TWICE: Final = {
    "subject": b"Subject: second\r\nSubject: third\r\n",
    "received": b"Received: from b.example by c.example; Thu, 01 Jan 2026 00:00:01 +0000\r\n"
                b"X-Between: 1\r\nReceived: from a.example by b.example; Thu, 01 Jan 2026 00:00:00 +0000\r\n",
    "unknown": b"X-Twice: 1\r\nX-Other: 2\r\nX-Twice: 3\r\nX-Twice: 1\r\n",
    "references": b"References: <a@x.invalid>\r\nReferences: <b@x.invalid>\r\nIn-Reply-To: <c@x.invalid>\r\n",
}  # fmt: skip


@case("x.body.duplicate-headers", variants=TWICE)
async def fields_that_come_twice_are_all_kept(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Fields of one name are all kept, in their order."""
    return await _left_alone(peer, fields)


def _mixed(boundary: bytes, *parts: bytes, ends: bool = True, subtype: bytes = b"mixed") -> tuple[bytes, bytes]:
    """Return the fields and the body of a multipart message; the boundary is written as it is."""
    line = b"\r\n--" + boundary.strip(b'"')
    fields = b"MIME-Version: 1.0\r\nContent-Type: multipart/" + subtype + b";\r\n boundary=" + boundary + b"\r\n"
    body = b"A preamble." + b"".join(line + b"\r\n" + part for part in parts)
    return fields, body + (line + b"--\r\nAn epilogue.\r\n" if ends else b"\r\n")


TEXT: Final = b"Content-Type: text/plain; charset=US-ASCII\r\n\r\ntext \r\n"
BINARY: Final = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQF\r\n"
MIME: Final = {
    "odd-boundary": _mixed(b"\"=_a'()+_,-./:=? b\"", TEXT, BINARY),
    "dashes": _mixed(b'"----=_--"', TEXT, TEXT),
    "nested": _mixed(b"outer", b"Content-Type: multipart/alternative; boundary=outer-inner\r\n\r\n--outer-inner\r\n"
                     + TEXT + b"\r\n--outer-inner--\r\n", BINARY),
    "unended": _mixed(b"never", TEXT, BINARY, ends=False),
    "signed": _mixed(b"sig", TEXT, b"Content-Type: application/pgp-signature\r\n\r\n-----BEGIN PGP\r\n- -- \r\n",
                     subtype=b'signed; micalg=pgp-sha256; protocol="application/pgp-signature"'),
    "wrong-base64": (b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n", b"this is = no base64 !\r\nA\r\n"),
    "wrong-quoted": (b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n",
                     b"=ZZ is none, =e9 is small, = \r\n=\r\n=3d\r\n" + b"x" * 200 + b"\r\n"),
    "unknown-encoding": (b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: x-uuencode\r\n",
                         b"begin 644 a\r\n#0V%T\r\n`\r\nend\r\n"),
    "long-base64": (b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n", b"QUJD" * 240 + b"\r\nQQ==\r\n"),
    "flowed": (b"MIME-Version: 1.0\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n",
               b"flows on \r\nhere\r\n\r\n-- \r\n> quoted \r\n>> more\r\n From\r\n"),
    "no-version": (b"Content-Type: text/html\r\nContent-Transfer-Encoding: 7bit\r\n", b"<p>=20&nbsp;</p>\r\n"),
}  # fmt: skip


@case("x.body.mime-untouched", variants=MIME)
async def mime_is_not_written_anew(peer: SmtpPeer, content: tuple[bytes, bytes]) -> Judgement:
    """What is plain ASCII is not encoded anew, whatever its MIME fields say of it, and its structure stays."""
    fields, body = content
    if peer.subject.is_submission:
        return same(body_of(await kept(peer, body, header=fields)), body)
    message = peer.message(body, header=fields)
    await deliver(peer, message)
    return unchanged(peer, await arrived(peer), message)
