"""What becomes of mail that came by LMTP: it is delivered for those whose reply said so (RFC 2033 §1)."""

import re
from typing import Final

import trio

from conformance.case import case
from conformance.cases.lmtp.replies import (
    begin_for,
    final_answers,
    over_quota,
    send_message,
    take_over_quota,
)
from conformance.cases.smtp.groups import codes_of
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    observed,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.message import body_of
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

AT_ONCE: Final = 50
# with LMTP, LMTPS, LMTPA, LMTPSA (RFC 3848 §2), and with UTF8 before it (RFC 6531 §4.3)
WITH: Final = re.compile(rb"\bwith\s+([A-Za-z0-9]+)", re.IGNORECASE)
OURS: Final = re.compile(rb"(UTF8)?LMTPS?A?", re.IGNORECASE)


@case("lmtp.data.independent-outcome")
async def each_recipient_has_its_own_outcome(peer: SmtpPeer) -> Judgement:
    """A recipient whose reply said 2yz has the message, though another was refused after the dot."""
    await _delivered_to_all(peer)
    first, last = peer.recipients(2)
    await begin_for(peer, [first])
    await take_over_quota(peer)
    await peer.rcpt(last)
    await send_message(peer)
    answers = await final_answers(peer, 3)
    if len(answers) != 3 or answers[1].yes or any(answer.later for answer in (answers[0], answers[2])):
        return undetermined(f"{codes_of(answers)} to good, full, good")
    if not (answers[0].yes and answers[2].yes):
        return violated(f"{codes_of(answers)} to good, full, good", "2yz for the good ones")
    copies = len(await peer.another().stored_before_a_later_one())
    if copies != 1:
        return violated(f"{codes_of(answers)}, and {copies} copies for the first", "one copy for whom 2yz was said")
    return satisfied(f"{codes_of(answers)}, and one copy")


async def _delivered_to_all(peer: SmtpPeer) -> None:
    """See that a message for the good recipients alone is taken: the control."""
    control = peer.another()
    await begin_for(control, control.recipients(2))
    await control.control(b"DATA", "354")
    await control.send(stuff(control.another_message()))
    for _ in range(2):
        control.must(await control.answer(), to=b"the message for the good recipients alone")


@case("lmtp.data.no-bounce-by-server")
async def a_refusal_is_told_to_the_client_alone(peer: SmtpPeer) -> Judgement:
    """A recipient that is refused after the dot is told to the client, and not by a message to the sender."""
    over_quota(peer)
    await peer.open()
    await peer.control(b"MAIL FROM:<" + peer.recipient + b">")      # what is sent there can be read back
    await take_over_quota(peer)
    await send_message(peer)
    answer = await peer.answer()
    if not (answer.no or answer.later):
        return undetermined(f"{answer} for the full maildrop")
    told = await peer.another().stored_before_a_later_one()
    return violated(f"{answer}, and a message to the sender", "the reply alone") if told else satisfied(answer)


@case("lmtp.received-with")
async def the_trace_field_says_lmtp(peer: SmtpPeer) -> Judgement:
    """The Received field says that the message came with LMTP."""
    header = await _header_of_a_delivery(peer)
    ways = [match[1] for field in _fields(header, b"received") if (match := WITH.search(field))]
    if not ways:
        raise NotApplicable("no Received field says how the message came")
    lmtp = any(OURS.fullmatch(way) for way in ways)
    got = ", ".join(f"with {printable(way)}" for way in ways)
    return (satisfied if lmtp else violated)(got, "with LMTP, LMTPS, LMTPA or LMTPSA")


@case("lmtp.return-path")
async def final_delivery_adds_return_path(peer: SmtpPeer) -> Judgement:
    """Final delivery adds a Return-Path field that holds the reverse-path."""
    fields = _fields(await _header_of_a_delivery(peer), b"return-path")
    if not fields:
        return violated("no Return-Path", "Return-Path, added by final delivery")
    got = printable(fields[0])
    if peer.subject.declared.claims.rewrites_senders or b"<" + peer.sender + b">" in fields[0]:
        return satisfied(got)
    return violated(got, f"<{peer.sender.decode()}>")


async def _header_of_a_delivery(peer: SmtpPeer) -> bytes:
    await peer.open()
    peer.must(await peer.deliver(peer.message()), to=b"a message")
    arrived = await peer.stored()
    if not arrived:
        raise Undetermined("the message was taken, and did not arrive in the time allowed (timers.delivery)")
    return arrived[0].partition(b"\r\n\r\n")[0] + b"\r\n"


def _fields(header: bytes, name: bytes) -> list[bytes]:
    """Return the bodies of the fields of one name, folding and all, the newest first."""
    found = re.compile(rb"^" + name + rb"[ \t]*:((?:[^\n]*\n)(?:[ \t][^\n]*\n)*)", re.IGNORECASE | re.MULTILINE)
    return [body.strip() for body in found.findall(header)]


@case("lmtp.quit.mid-transaction")
async def quit_delivers_nothing(peer: SmtpPeer) -> Judgement:
    """QUIT after MAIL and RCPT is answered 221, and nothing is delivered."""
    await peer.open()
    await peer.control(b"MAIL FROM:<" + peer.marked_sender + b">")
    await peer.rcpt()
    answer = await peer.quit()
    if not answer.matches("221"):
        return answer.expect("221", to="QUIT in a transaction")
    arrived = await peer.another().stored_before_a_later_one()
    return violated(f"{len(arrived)} messages arrived", "none") if arrived else satisfied("221, and nothing arrived")


@case("lmtp.abort.before-replies", variants={"reset": True, "close": False})
async def who_hangs_up_before_the_replies(peer: SmtpPeer, by_reset: bool) -> Judgement:
    """If the client is gone right after the final dot, each maildrop has the whole message or nothing, and once."""
    body = b"".join(b"line %d of many\r\n" % line for line in range(200))
    cut = peer.another()
    await begin_for(cut, cut.recipients(1))
    await cut.control(b"DATA", "354")
    await cut.send(stuff(peer.message(body)))
    await (cut.reset() if by_reset else cut.send_eof())
    arrived = await peer.stored_before_a_later_one()
    if len(arrived) > 1:
        return violated(f"{len(arrived)} copies", "one copy or none")
    if arrived and body_of(arrived[0]) != body:
        return violated(f"{len(body_of(arrived[0]))} of {len(body)} octets", "all of the message, or nothing")
    return satisfied(f"{len(arrived)} copies")


@case("lmtp.concurrent-same-box")
async def many_sessions_fill_one_maildrop(peer: SmtpPeer) -> Judgement:
    """Fifty sessions at once deliver into one maildrop, and every message arrives whole."""
    bodies = [b"This is number %02d.\r\n" % number for number in range(AT_ONCE)]
    taken: list[bytes] = []
    refused: list[str] = []

    async def deliver(session: SmtpPeer, body: bytes) -> None:
        try:
            answer = await session.deliver(session.message(body, mark=body.split()[-1].decode().strip(".")))
            await session.quit()
        except Undetermined as why:      # a server may admit fewer at once
            refused.append(str(why))
            return
        if answer.yes:
            taken.append(body)
        else:
            refused.append(str(answer))

    async with trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(deliver, peer.another(), body)
    if len(taken) < 2:
        raise Undetermined(f"{len(taken)} of {AT_ONCE} messages were taken: {refused[0]}")
    arrived = sorted(body_of(message) for message in await peer.stored(len(taken)))
    if arrived == sorted(taken):
        return satisfied(f"{len(taken)} taken, and arrived")
    return weakened(f"{len(taken)} taken, {len(set(arrived) & set(taken))} arrived whole", "every one, once")


@case("lmtp.unix-socket")
async def a_unix_socket_serves_as_well(peer: SmtpPeer) -> Judgement:
    """LMTP may be spoken over a unix socket."""
    if peer.subject.endpoint.path is None:
        raise NotApplicable("reached over TCP, not over a unix socket")
    await peer.begin_transaction()
    return observed("LHLO, MAIL and RCPT are answered over a unix socket")


ODD: Final = {"mailbox": b'RCPT TO:<""@%s>', "space": b'RCPT TO:<"" >'}


@case("lmtp.mail.empty-quoted-local", variants=ODD)
async def an_empty_quoted_local_part(peer: SmtpPeer, form: bytes) -> Judgement:
    """An empty quoted local-part is answered, and the session lives."""
    await peer.open()
    await peer.mail()
    domain = peer.recipient.rpartition(b"@")[2] or b"local.example"
    answer = await peer.ask(form % domain if b"%s" in form else form)
    if answer.closed:
        return weakened(f"{answer} on an empty quoted local-part", "an answer")
    if answer.reply is None:
        return undetermined(answer)
    after = await peer.still_there()
    return satisfied(answer) if after.reply is not None else weakened(f"{answer}, then {after} to NOOP", "a session")


ARGUMENTS: Final = (b"x" * 480, b'"', b"{5}", b"<>", b"\\", b"(", b"%s%n", b"\xc3\xa9", b"\xff\xfe", b"a " * 200)


@case("lmtp.noop.many-args")
async def noop_takes_odd_arguments(peer: SmtpPeer) -> Judgement:
    """NOOP with long and odd arguments, many times, is answered each time."""
    await peer.open()
    await peer.control(b"NOOP")
    answers = []
    for argument in ARGUMENTS:
        answer = await peer.ask(b"NOOP " + argument)
        answers.append(answer)
        if answer.matches("421"):
            return satisfied(f"{answer} after {len(answers)}")
        if answer.reply is None:
            return weakened(f"{answer} to NOOP {printable(argument, 20)}", "an answer")
    return satisfied(codes_of(answers))
