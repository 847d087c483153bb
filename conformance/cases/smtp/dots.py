"""Transparency: a dot at the start of a line is doubled on the way, and only there (RFC 5321 §4.5.2)."""

from typing import Final

from conformance.case import case
from conformance.cases.smtp.data import same
from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

# Some leave an octet for a NUL behind what they have read.
BUFFERS: Final = (512, 1023, 1024, 2047, 2048, 4095, 4096, 8191, 8192, 16384, 32768, 65536)
SLOW_S: Final = 2.0
TEXT_LINE_OCTETS: Final = 998                      # without CRLF: RFC 5321 §4.5.3.1.6

# What is sent between 354 and CRLF.CRLF, behind a header, and what it stands for.
WIRE: Final = {
    "unstuff": (b"before\r\n..middle\r\nafter\r\n", b"before\r\n.middle\r\nafter\r\n"),
    "unstuff-every-line": (b"..line\r\n" * 20, b".line\r\n" * 20),
    "removes-single": (b"before\r\n.abc\r\nafter\r\n", b"before\r\nabc\r\nafter\r\n"),
    "double-dot-line": (b"before\r\n..\r\nafter\r\n", b"before\r\n.\r\nafter\r\n"),
    "triple-dot-line": (b"before\r\n...\r\nafter\r\n", b"before\r\n..\r\nafter\r\n"),
    "not-mid-line": (b"a line that ends in a dot.\r\nafter\r\n", b"a line that ends in a dot.\r\nafter\r\n"),
}


async def kept_as(peer: SmtpPeer, mail_data: bytes, content: bytes) -> Judgement:
    """Send mail data as they are, CRLF.CRLF after them, and judge what is kept by what they stand for."""
    await peer.open()
    await peer.begin_mail_data()
    await peer.send(mail_data)
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", "CRLF.CRLF ends the mail data")
    if not early.silent:
        raise Undetermined(f"{early} amid the mail data")
    answer = await peer.end_mail_data()
    if not answer.yes:
        return undetermined(f"{answer} to the message")
    return same(await peer.stored_body(), content)


def _register(name: str, sent: bytes, content: bytes) -> None:
    @case(f"smtp.dot.{name}")
    async def question(peer: SmtpPeer) -> Judgement:
        """A dot at the start of a line that holds more than it is taken away, once; any other dot is text."""
        return await kept_as(peer, peer.message(sent), content)


for _name, (_sent, _content) in WIRE.items():
    _register(_name, _sent, _content)


@case("smtp.dot.dot-space", variants={"space": b". ", "tab": b".\t"})
async def a_dot_and_space_are_no_end(peer: SmtpPeer, line: bytes) -> Judgement:
    """A dot with white space behind it is a line of text."""
    await peer.begin_mail_data()
    await peer.send(peer.message(b"before\r\n" + line + b"\r\n"))
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", "CRLF.CRLF ends the mail data")
    return satisfied(early)


@case("smtp.dot.unstuff-first-line")
async def a_dot_on_the_very_first_line(peer: SmtpPeer) -> Judgement:
    """The line after 354 is a line like any other: its stuffed dot is taken away."""
    await peer.open()
    answer = await peer.deliver_as_is(b"..X-First: line\r\n" + peer.message() + b".\r\n")
    if not answer.yes:
        return undetermined(f"{answer} to the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    lines = arrived[0].split(b"\r\n")
    if b"..X-First: line" in lines:
        return violated("two dots were kept", "one dot")
    return satisfied("one dot") if b".X-First: line" in lines else undetermined("the line was made into something else")


@case("smtp.dot.unstuff-header")
async def a_dot_in_a_folded_field(peer: SmtpPeer) -> Judgement:
    """A stuffed dot in the header section is taken away like any other."""
    await peer.open()
    head, _, body = peer.message().partition(b"\r\n\r\n")
    answer = await peer.deliver_as_is(head + b"\r\nX-Dots: first\r\n\tsecond\r\n..X-Third: 3\r\n\r\n" + body + b".\r\n")
    if not answer.yes:
        return undetermined(f"{answer} to the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    if b"\r\n..X-Third" in arrived[0]:
        return violated("two dots were kept", "one dot")
    return satisfied("one dot") if b"\r\n.X-Third" in arrived[0] else undetermined("the line was made into another")


@case("smtp.dot.split-terminator", variants={str(at): at for at in range(1, 5)})
async def the_end_may_come_in_pieces(peer: SmtpPeer, at: int) -> Judgement:
    """CRLF.CRLF ends mail data wherever it is cut between segments."""
    await peer.begin_mail_data()
    end = b"\r\n.\r\n"
    await peer.send(peer.message(b"last line") + end[:at])
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", "one answer, to CRLF.CRLF")
    await peer.send(end[at:])
    answer = await peer.answer()
    if answer.silent:
        return violated(f"{answer} after CRLF.CRLF", "an answer")
    return answer.expect("2yz", lawful=("5yz",), to="CRLF.CRLF")


@case("smtp.dot.buffer-edges", variants={str(octets): octets for octets in BUFFERS})
async def a_stuffed_dot_at_the_edge_of_a_buffer(peer: SmtpPeer, octets: int) -> Judgement:
    """A stuffed dot is taken away wherever a buffer of the server's ends."""
    head = len(peer.message(b""))
    sent, content = b"", b""
    for line in range(-2, 3):
        # Each round puts CRLF..x across the edge, one octet further on.
        fill = _lines(octets - head + line) if not sent else _lines(octets - 6 + 1)
        sent += fill + b"\r\n..x\r\n"
        content += fill + b"\r\n.x\r\n"
    return await kept_as(peer, peer.message(sent), content)


@case("smtp.dot.long-line-inner-dot", variants={str(octets): octets for octets in (510, 998, 1000, 1024, 2048, 4096)})
async def a_dot_in_a_long_line(peer: SmtpPeer, octets: int) -> Judgement:
    """A dot amid a long line neither ends the mail data nor is taken away."""
    body = b"x" * octets + b".\r\nafter\r\n"
    await peer.open()
    await peer.begin_mail_data()
    await peer.send(peer.message(body))
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", "CRLF.CRLF ends the mail data")
    answer = await peer.end_mail_data()
    if not answer.yes:
        return undetermined(f"{answer} to the message")      # 1,000 octets are all that must be taken: §4.5.3.1.6
    kept = await peer.stored_body()
    if octets < TEXT_LINE_OCTETS:
        return same(kept, body)
    # A longer line may be wrapped on its way, and is: Postfix does it where it sends on.
    before, found, _ = kept.partition(b"after\r\n")
    whole = found and before.rstrip().endswith(b".")
    return satisfied("the dot was kept") if whole else violated(repr(kept[-80:]), "the dot and what follows")


@case("smtp.dot.slow-terminator")
async def the_end_may_come_slowly(peer: SmtpPeer) -> Judgement:
    """A dot is no end until its CRLF has come."""
    await peer.begin_mail_data()
    await peer.send(peer.message(b"last line\r\n") + b".")
    await peer.pause(SLOW_S)
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} to a dot without CRLF", "silence")
    await peer.send(b"\r\n")
    return (await peer.answer()).expect("2yz", lawful=("5yz",), to="CRLF.CRLF")


@case("smtp.dot.pipelined-after")
async def commands_may_follow_the_end(peer: SmtpPeer) -> Judgement:
    """What comes in one segment with the end of mail data is the next command (RFC 2920 §3.1)."""
    await peer.open()
    peer.require("PIPELINING")
    await peer.begin_mail_data()
    await peer.send(peer.message() + b".\r\nMAIL FROM:<" + peer.sender + b">\r\n")
    first = await peer.answer()
    if first.reply is None:
        return undetermined(first)
    second = await peer.answer()
    got, expected = f"{first}, then {second}", "an answer to each"
    if second.silent:
        return violated(got, expected)
    return satisfied(got, expected) if second.reply is not None else undetermined(got, expected)


def _lines(octets: int) -> bytes:
    """Return so many octets of text in lines, the last one without its end."""
    return (b"y" * 70 + b"\r\n") * (octets // 72) + b"z" * (octets % 72)
