"""How long a line and a message every server has to take, and how often a message may have been received.

RFC 5321 §4.5.3.1.6, §4.5.3.1.7, §6.3; RFC 5322 §2.1.1. A line that is taken and comes out cut was not taken.
"""

from typing import Final

from conformance.case import case
from conformance.judgement import Judgement, not_applicable, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

LINE_OCTETS: Final = 1_000           # with its CRLF
HEADER_LINE_OCTETS: Final = 998      # without it
MESSAGE_OCTETS: Final = 64 * 1024
LONGER: Final = (1_001, 2_048, 8_192, 65_536)
MARKED_OCTETS: Final = 40            # of a line's beginning, by which it is known again


def line_of(octets: int, first: bytes = b"l") -> bytes:
    """Return a line of so many octets with its CRLF, which no other line is the beginning of."""
    mark = first + b"ine of %d octets " % octets
    return mark + b"x" * (octets - len(mark) - 3) + b"z\r\n"


def kept(line: bytes, message: bytes) -> bool | None:
    """Say whether a line stands whole in a message; None if it cannot be found at all."""
    if line in message:
        return True
    return False if line[:MARKED_OCTETS] in message else None


async def taken_whole(peer: SmtpPeer, message: bytes, line: bytes) -> Judgement:
    """Send a message with a long line, and judge whether it was taken, and where that can be seen, whole."""
    control = peer.another()
    peer.must(await control.deliver(peer.another_message()), to=b"a message of short lines")
    answer = await peer.deliver(message)
    if not answer.yes or peer.subject.mailbox is None:
        return answer.expect("2yz", to=f"a line of {len(line)} octets")
    arrived = await peer.stored()
    whole = kept(line, arrived[0]) if arrived else None
    if whole is None:
        return satisfied(f"{answer}; what became of it could not be seen")
    got = f"{answer}, and the line {'was kept' if whole else 'came out cut or folded'}"
    return (satisfied if whole else violated)(got, "the whole line")


@case("smtp.limit.text-line-1000")
async def lines_have_1000_octets(peer: SmtpPeer) -> Judgement:
    """A line of mail data may have 1000 octets with its CRLF."""
    line = line_of(LINE_OCTETS)
    return await taken_whole(peer, peer.message(line), line)


@case("smtp.limit.text-line-1000-stuffed")
async def the_stuffed_dot_does_not_count(peer: SmtpPeer) -> Judgement:
    """The dot that transparency puts before a line does not count."""
    line = line_of(LINE_OCTETS, b".")
    return await taken_whole(peer, peer.message(line), line)


@case("smtp.limit.header-line-998")
async def header_lines_have_998_octets(peer: SmtpPeer) -> Judgement:
    """A line of the header may have 998 octets before its CRLF."""
    field = b"X-Mailproof-Long: "
    line = field + line_of(HEADER_LINE_OCTETS + 2 - len(field))
    return await taken_whole(peer, peer.message(header=line), line)


@case("smtp.limit.text-line-over")
async def longer_lines(peer: SmtpPeer) -> Judgement:
    """What a server does with longer lines is recorded."""
    await peer.open()
    fates: dict[int, str] = {}
    for octets in LONGER:
        await peer.begin_transaction()
        await peer.control(b"DATA", "354")
        answer = await peer.end_of(peer.message(line_of(octets)))
        fates[octets] = "taken" if answer.yes else str(answer)
        if answer.reply is None:
            break
        if not answer.yes:
            await peer.control(b"RSET")
    arrived = await peer.stored([*fates.values()].count("taken"))
    for octets, fate in fates.items():
        ways = [way for message in arrived if (way := kept(line_of(octets), message)) is not None]
        if fate == "taken" and ways:
            fates[octets] = "kept" if ways[0] else "cut or folded"
    return observed(", ".join(f"{octets} octets: {fate}" for octets, fate in fates.items()))


@case("smtp.limit.message-64k")
async def messages_have_64_kib(peer: SmtpPeer) -> Judgement:
    """A message of 64 KiB is taken."""
    low = peer.subject.declared.claims.message_octets_max
    if low is not None and low < MESSAGE_OCTETS:
        return not_applicable(f"a low limit was declared: {low} octets (claims.message_octets_max)")
    control = peer.another()
    peer.must(await control.deliver(peer.another_message()), to=b"a small message")
    line = b"x" * 62 + b"\r\n"
    lines, octets_over = divmod(MESSAGE_OCTETS - len(peer.message(b"")), len(line))
    message = peer.message(b"x" * octets_over + line * lines)
    assert len(message) == MESSAGE_OCTETS
    return (await peer.deliver(message)).expect("2yz", to=f"a message of {len(message)} octets")


@case("smtp.limit.size-advertised")
async def a_limit_is_told(peer: SmtpPeer) -> Judgement:
    """A server that limits the size of messages offers SIZE."""
    await peer.open()
    if "SIZE" in peer.extensions.keywords:
        return satisfied("SIZE is offered")
    return violated("SIZE is not offered", "SIZE, as there is a limit")


def received(count: int) -> bytes:
    """Return so many Received fields, the newest first."""
    return b"".join(
        b"Received: from h%d.example by h%d.example; Thu, 01 Jan 2026 00:00:00 +0000\r\n" % (number, number + 1)
        for number in reversed(range(count))
    )


@case("smtp.limit.received-99")
async def a_long_way_is_no_loop(peer: SmtpPeer) -> Judgement:
    """A message with 99 Received fields is no loop yet."""
    control = peer.another()
    peer.must(await control.deliver(peer.another_message()), to=b"a message without Received fields")
    return (await peer.deliver(peer.message(header=received(99)))).expect("2yz", to="99 Received fields")


@case("smtp.limit.received-loop")
async def a_loop_is_ended(peer: SmtpPeer) -> Judgement:
    """A message with 1000 Received fields does not go round once more."""
    control = peer.another()
    peer.must(await control.deliver(peer.another_message()), to=b"a message without Received fields")
    await peer.begin_mail_data()
    await peer.send(stuff(peer.message(header=received(1_000))))
    answer = await peer.answer()
    if not answer.yes:
        return answer.expect("5yz", to="1000 Received fields")
    arrived = len(await peer.stored_before_a_later_one())
    got, expected = f"{answer}; {arrived} copies arrived", "5yz, or a bounce"
    if arrived > 1:
        return violated(got, expected)
    # Delivered once and here is no loop; not delivered, it was bounced or is still under way.
    return observed(got) if arrived else undetermined(got, expected)
