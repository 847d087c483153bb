"""SMTP over X.25 (RFC 1090): its packets, line ends and times. Asked only with the profile `rfc1090`."""

from typing import Final

from conformance.case import case
from conformance.connection import APART_S
from conformance.judgement import Judgement, Undetermined, observed, satisfied, undetermined, violated
from conformance.message import body_of
from conformance.peer import SmtpPeer
from conformance.x25 import AFTER_QUIT_S, GREETING_S, PACKET_OCTETS, REPLY_S
from loadgen.wire.transparency import stuff

LINES: Final = b"".join(b"line %04d %s\r\n" % (number, b"x" * 52) for number in range(400))
FILLER_OCTETS: Final = 60
# What a packet ends in the middle of: the octets, and how many of them are in the first packet.
ENDS: Final = {"line-end": (b"before\r\nbehind\r\n", 7), "dot": (b"before\r\n.behind\r\n", 9), "long": (b"", 0)}


@case("smtp.x25.lf-lines", variants={"noop": (b"NOOP",), "transaction": (b"MAIL", b"RCPT", b"RSET")})
async def lines_may_end_with_lf(peer: SmtpPeer, verbs: tuple[bytes, ...]) -> Judgement:
    """A command line that ends with LF alone is recognised."""
    await peer.open()
    said = {
        b"NOOP": b"NOOP", b"RSET": b"RSET",
        b"MAIL": b"MAIL FROM:<" + peer.sender + b">", b"RCPT": b"RCPT TO:<" + peer.recipient + b">",
    }  # fmt: skip
    for verb in verbs:
        await peer.control(said[verb], "2yz")         # the same, as every server takes it
    await peer.control(b"RSET", "2yz")
    for verb in verbs:
        await peer.send(said[verb] + b"\n")
        answer = await peer.answer_or_silence()
        if answer.later:
            return undetermined(f"{answer} to {verb.decode()}")
        if not answer.yes:
            return violated(f"{answer} to {verb.decode()} ended by LF", "2yz, as to a line ended by CRLF")
    return satisfied(f"2yz to {len(verbs)} lines ended by LF")


@case("smtp.x25.packets", variants=ENDS)
async def packets_are_no_lines(peer: SmtpPeer, ends: tuple[bytes, int]) -> Judgement:
    """A message that goes in packets of 2,048 octets arrives as it was, wherever they end."""
    octets, inside = ends
    await peer.begin_mail_data()
    body = _body(peer, octets, inside)
    sent = stuff(peer.message(body))
    for start in range(0, len(sent), PACKET_OCTETS):
        await peer.send(sent[start : start + PACKET_OCTETS])
        await peer.pause(APART_S)
    answer = await peer.answer()
    if not answer.yes:
        raise Undetermined(f"{answer} to the message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    got = body_of(arrived[0])
    what = f"{len(body)} octets as they were"
    return satisfied(what) if got == body else violated(f"{len(got)} octets, changed", what)


def _body(peer: SmtpPeer, octets: bytes, inside: int) -> bytes:
    """Return a body of several packets; the first of them ends after so many of `octets`."""
    if not octets:
        return LINES
    header = len(stuff(peer.message(b""))) - len(b".\r\n")
    lines, rest = divmod(PACKET_OCTETS - header - inside, FILLER_OCTETS)
    filler = b"x" * (FILLER_OCTETS - 2) + b"\r\n"        # no line is long: what is longer than 998 may be folded
    return filler * (lines - 1) + b"x" * (rest + FILLER_OCTETS - 2) + b"\r\n" + octets + LINES


@case("smtp.x25.greeting", limit_s=4 * GREETING_S)
async def service_is_ready_in_time(peer: SmtpPeer) -> Judgement:
    """Service Ready comes within two minutes of the connection."""
    answer = await peer.answer(GREETING_S)
    if answer.silent:
        return violated(answer, f"220 within {GREETING_S:.0f} s")
    return satisfied(f"{answer} after {answer.waited_s:.3g} s") if answer.matches("220") else undetermined(answer)


@case("smtp.x25.replies")
async def replies_come_in_time(peer: SmtpPeer) -> Judgement:
    """Each reply of a session with a message comes within ten minutes."""
    await peer.open()
    slowest_s = 0.0
    mail, rcpt = b"MAIL FROM:<" + peer.sender + b">\r\n", b"RCPT TO:<" + peer.recipient + b">\r\n"
    for said in (mail, rcpt, b"DATA\r\n", stuff(peer.another_message()), b"NOOP\r\n"):
        await peer.send(said)
        answer = await peer.answer(REPLY_S)
        if answer.silent:
            return violated(f"{answer} to {said[:4].decode()}", "a reply within 10 minutes")
        if not (answer.yes or answer.go_on):
            return undetermined(f"{answer} to {said[:4].decode()}")
        slowest_s = max(slowest_s, answer.waited_s)
    return satisfied(f"{slowest_s:.3g} s at most")


@case("smtp.x25.after-quit")
async def who_ends_the_circuit(peer: SmtpPeer) -> Judgement:
    """Over X.25 the caller clears after the reply to QUIT; how long the server waits for that is recorded."""
    await peer.open()
    await peer.control(b"QUIT", "221")
    answer = await peer.answer(AFTER_QUIT_S)
    return observed("it leaves the end to us" if answer.silent else f"{answer} after {answer.waited_s:.3g} s")
