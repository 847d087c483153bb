"""Octets that must come out as they went in: dots, spaces, empty lines, lines of every length (RFC 5321 §4.5.2)."""

import random
import string
from typing import Final

from conformance.case import case
from conformance.cases.crossing.passage import arrived, came, copies_of, deliver, kept, kept_body, letter
from conformance.cases.smtp.data import same
from conformance.cases.trace.fields import header_of, ours
from conformance.judgement import Did, Judgement, Undetermined, declined, satisfied, undetermined, violated
from conformance.message import body_of
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

MESSAGES: Final = 24
LINE_OCTETS: Final = 998              # without CRLF: RFC 5321 §4.5.3.1.6
EDGES_TO: Final = 65536               # the largest buffer whose edge is looked for
DOTTED: Final = b".line"              # and CRLF: seven octets, eight on the way, so that shifts meet every edge
TEXT: Final = (string.ascii_letters + string.digits + string.punctuation + " \t").encode()


def generated(number: int) -> bytes:
    """Return the n-th of many texts, each longer than the one before, with lines of any length and any text octet.

    No line ends in a space and none begins with "From ": what becomes of those is asked by cases of their own.
    """
    rng = random.Random(number)  # noqa: S311  no secret
    lines = []
    for _ in range(1 + number * number // 8):
        line = bytes(rng.choices(TEXT, k=rng.choice((0, 1, 2, 40, 72, 78, 79, 200, LINE_OCTETS)))).rstrip()
        lines.append(rng.choice((b"", b"", b"", b".", b"..")) + line[:LINE_OCTETS - 2])
    return b"".join(b"x" + line if line.startswith(b"From ") else line for line in (each + b"\r\n" for each in lines))


@case("x.body.identity")
async def generated_messages_are_kept(peer: SmtpPeer) -> Judgement:
    """Messages of every size and with every text octet come out as they went in, header and body."""
    sent = {number: letter(peer, number, generated(number)) for number in range(MESSAGES)}
    for message in sent.values():
        await deliver(peer, message)
    found = await came(peer, MESSAGES)
    missing = 0
    relaid = False
    for number, message in sent.items():
        copies = copies_of(found, peer, number)
        missing += not copies
        for copy in copies:
            judgement = unchanged(peer, copy, message)
            if judgement.did is Did.VIOLATED:
                return judgement
            relaid |= judgement.did is Did.DECLINED
    if missing:
        return undetermined(f"{missing} of {MESSAGES} did not arrive in the time allowed (timers.delivery)")
    return (declined if relaid else satisfied)(f"{MESSAGES} messages{' with fields laid out anew' * relaid}")


def unchanged(peer: SmtpPeer, copy: bytes, message: bytes) -> Judgement:
    """Judge a copy by what was sent: the body octet for octet, the header but for fields that were added."""
    body = same(body_of(copy), body_of(message))
    if body.did is Did.VIOLATED or peer.subject.is_submission:       # which may put a header right: RFC 6409 §8
        return body
    sent, expected = ours(message), "every field unchanged, in its order"
    fields = [field for field in header_of(copy).fields if field in sent]
    if fields == sent:
        return body
    meant = [b"".join(field.split()) for field in sent]
    if [meaning for field in header_of(copy).fields if (meaning := b"".join(field.split())) in meant] == meant:
        return declined("fields were folded or spaced anew", expected)
    lost = next((field for field in sent if field not in fields), b"the order of the fields")
    return violated(f"changed: {printable(lost.strip(), 120)}", expected)


def _keeps(row: str, body: bytes, variant: str) -> None:
    @case(row, variants={variant: body})
    async def question(peer: SmtpPeer, body: bytes) -> Judgement:
        """A body comes out of the maildrop octet for octet."""
        return same(await kept_body(peer, body), body)


KEPT: Final = {
    "x.body.dot-lines": {
        "amid": b"before\r\n.\r\n..\r\n.a\r\n...\r\nafter\r\n",
        "each": b"".join(b"a\r\n" + b"." * count + b"\r\nb\r\n" for count in range(1, 9)),
        "last": b"before\r\n..\r\n.\r\n",
        "spaced": b"before\r\n. \r\n.\t\r\n .\r\n.\r\n. .\r\nafter\r\n",
        "commands": b"before\r\n.\r\nQUIT\r\n.\r\n-ERR no\r\n+OK yes\r\n.\r\n250 yes\r\nafter\r\n",
    },
    "x.body.only-dots": {"hundred": b".\r\n" * 100, "pairs": b"..\r\n" * 100},
    "x.body.trailing-space": {
        "spaces": b"one \r\ntwo  \r\nnone\r\n   \r\n \r\nlast \r\n",
        "tabs": b"one\t\r\ntwo\t\t\r\n\t\r\nmixed \t \r\nlast\t\r\n",
        "leading": b" one\r\n\ttwo\r\n   three\r\nfour   inside\tand\t\ttabs\r\n",
        "soft-breaks": b"a soft break=\r\nand =20\r\nthe end =09\r\na=3Db \r\n-- \r\nsignature\r\n",
    },
    "x.body.trailing-empty-lines": {
        "five": b"last\r\n" + b"\r\n" * 5, "one": b"last\r\n\r\n", "leading": b"\r\n\r\n\r\nfirst\r\n",
        "alone": b"\r\n" * 5,
    },
}  # fmt: skip
for _row, _bodies in KEPT.items():
    for _variant, _body in _bodies.items():
        _keeps(_row, _body, _variant)


@case("x.body.first-line-dot", variants={"text": b".first\r\nsecond\r\n", "dot": b".\r\nsecond\r\n",
                                         "dots": b"..\r\n...\r\nthird\r\n"})
async def the_first_line_of_a_body_may_begin_with_a_dot(peer: SmtpPeer, body: bytes) -> Judgement:
    """A dot on the first line of a body is kept, and not doubled."""
    return same(await kept_body(peer, body), body)


@case("x.body.first-line-dot", variants={"of-all": b".X-First: line\r\n"})
async def the_first_line_of_all_may_begin_with_a_dot(peer: SmtpPeer, line: bytes) -> Judgement:
    """A dot on the very first line of mail data is kept, and not doubled."""
    await deliver(peer, line + peer.message())
    copy = await arrived(peer)
    if b"\r\n." + line in b"\r\n" + copy:
        return violated("two dots were kept", "one dot")
    if b"\r\n" + line in b"\r\n" + copy:
        return satisfied("one dot")
    if b"\r\n" + line[1:] in b"\r\n" + copy:
        return violated("the dot was lost", "one dot")
    raise Undetermined("the line was made into something else: it is no field")


@case("x.body.dot-at-buffer-edge", variants={str(shift): shift for shift in range(8)})
async def dots_at_every_edge_of_a_buffer_are_kept(peer: SmtpPeer, shift: int) -> Judgement:
    """A dot that begins a line is kept wherever a buffer ends, on the way in and on the way out."""
    line = DOTTED + b"\r\n"
    octets = min(EDGES_TO + 1024, _room(peer))
    body = b"s" * shift + b"\r\n" + line * (octets // (len(line) + 1))
    return same(await kept_body(peer, body), body)


def _room(peer: SmtpPeer) -> int:
    """Return how many octets of stuffed text a message may surely have."""
    limit = peer.subject.low_limit
    return limit * 7 // 8 if limit is not None else 10 * EDGES_TO


LONGEST: Final = {
    "text": b"x" * LINE_OCTETS, "dot": b"." + b"x" * (LINE_OCTETS - 1), "dots": b"." * LINE_OCTETS,
    "words": (b"word " * 200)[:LINE_OCTETS - 1] + b"!",
}


@case("x.body.line-998", variants=LONGEST)
async def a_line_of_998_octets_is_kept(peer: SmtpPeer, line: bytes) -> Judgement:
    """A line of 998 octets is taken and kept, a dot in front not counted twice."""
    body = b"before\r\n" + line + b"\r\nafter\r\n"
    await peer.must_take_mail()
    await peer.begin_mail_data()
    await peer.send(stuff(peer.message(body)))
    answer = await peer.answer()
    if not answer.yes:
        return answer.expect("2yz", to="a line of 998 octets")
    return same(body_of(await arrived(peer)), body)


FROM: Final = {
    "first": b"From here on\r\nall is text.\r\n",
    "amid": b"text\r\n\r\nFrom here on\r\nall is text.\r\n",
    "mbox": b"text\r\n\r\nFrom a@example.test Thu Jan  1 00:00:00 2026\r\nSubject: two?\r\n\r\nmore\r\n",
    "quoted": b"text\r\n\r\n>From here on\r\n\r\n>>From there\r\nall is text.\r\n",
}


@case("x.body.from-line", variants=FROM)
async def a_line_that_begins_with_from_is_kept(peer: SmtpPeer, body: bytes) -> Judgement:
    """A line that an mbox would take for the start of a message is kept as it is."""
    return same(body_of(await kept(peer, body)), body)
