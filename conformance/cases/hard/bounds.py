"""Too much of anything: errors, recipients, octets, fields, connections. All of it is bounded, and none is delivered
unless mail may be left."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import trio

from conformance.answer import Answer, Ended
from conformance.case import case
from conformance.cases.slowness import grows_past_its_size
from conformance.judgement import Did, Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated
from conformance.peer import END_OF_MAIL_DATA, SmtpPeer

ERRORS: Final = 1_000
STRANGERS: Final = 200
DELAY_S: Final = 0.5                 # an answer that is held back so long is held back on purpose
NOOPS: Final = 12_000
DRIP_S: Final = 20.0
DRIPS: Final = 54                    # eighteen minutes
SLOW_LIMIT_S: Final = 1_300.0
BLOCK: Final = b"x" * 65_536
LINE_BLOCKS: Final = 256             # 16 MiB in all
FIELDS: Final = 100_000
PARTS: Final = 1_000
LATENCY_S: Final = 10.0              # what takes no longer for so much hurts nobody
RECIPIENTS: Final = 20_000           # few that anybody would miss
GROUP: Final = 500
RECIPIENTS_WITHIN_S: Final = 8.0
CONNECTIONS: Final = 60              # a case has no more
RESETS: Final = CONNECTIONS - 5
SETTLES_S: Final = (0.5, 2.0, 8.0)   # pauses in which a server may notice that connections are gone


def _is_held_back(peer: SmtpPeer, answer: Answer) -> bool:
    return answer.waited_s >= max(DELAY_S, peer.subject.quiet_s)


async def _until_bounded(peer: SmtpPeer, command: bytes, times: int, what: str) -> Judgement:
    """Say one command again and again, until it is held back, or the session ends."""
    for number in range(1, times + 1):
        answer = await peer.ask(command)
        if answer.closed or answer.matches("421"):
            return satisfied(f"{answer} to {what} number {number}")
        if answer.reply is None:
            return undetermined(answer)
        if _is_held_back(peer, answer):
            return satisfied(f"{what} number {number} was answered after {answer.waited_s:.2g} s")
    return violated(f"{times} of {what}, each answered at once", "a delay, 421, or a close")


@case("hard.error-limit")
async def errors_have_an_end(peer: SmtpPeer) -> Judgement:
    """A thousand unknown commands are slowed down, or end the session."""
    await peer.hello()
    return await _until_bounded(peer, b"MAILPROOF", ERRORS, "unknown command")


@case("hard.rcpt-harvest")
async def guessing_names_has_an_end(peer: SmtpPeer) -> Judgement:
    """Two hundred unknown recipients are slowed down, or end the session."""
    rcpt = b"RCPT TO:<" + peer.rejected + b">"
    await peer.open()
    await peer.mail()
    refused = await peer.ask(rcpt)
    if not refused.no:
        raise NotApplicable(f"{refused} to a recipient that was declared as rejected")
    return await _until_bounded(peer, rcpt, STRANGERS, "unknown recipient")


@case("hard.noop-idle", limit_s=SLOW_LIMIT_S)
async def doing_nothing_has_an_end(peer: SmtpPeer) -> Judgement:
    """NOOP without mail is not answered for ever."""
    await peer.hello()
    return await _until_bounded(peer, b"NOOP", NOOPS, "NOOP")


async def _drip(peer: SmtpPeer, what: str) -> Judgement:
    """Send an octet now and then, until the server has had enough."""
    for number in range(1, DRIPS + 1):
        await peer.send(b"x")
        answer = await peer.answer(DRIP_S)
        if answer.closed or answer.matches("421") or answer.reply is not None:
            return satisfied(f"{answer} after {number * DRIP_S:.0f} s of {what}")
    return violated(f"{what}, one octet every {DRIP_S:.0f} s, was read for {DRIPS * DRIP_S / 60:.0f} minutes", "an end")


@case("hard.slow-command", limit_s=SLOW_LIMIT_S)
async def a_dripping_command_is_cut(peer: SmtpPeer) -> Judgement:
    """A command of which one octet comes every twenty seconds is cut off in the end."""
    await peer.hello()
    await peer.send(b"NOOP ")
    return await _drip(peer, "a command")


@case("hard.slow-data", limit_s=SLOW_LIMIT_S)
async def dripping_mail_data_are_cut(peer: SmtpPeer) -> Judgement:
    """Mail data of which one octet comes every twenty seconds are cut off in the end."""
    await peer.begin_mail_data()
    return await _drip(peer, "mail data")


async def _pour(peer: SmtpPeer) -> Answer | None:
    """Send an endless line; return what the server said to it before its end, if anything."""
    for _ in range(LINE_BLOCKS):
        await peer.send(BLOCK)
        answer = await peer.answer(0.0)
        if not answer.silent:
            return answer
    return None


@case("hard.endless-line")
async def an_endless_command_is_cut(peer: SmtpPeer) -> Judgement:
    """A command of 16 MiB is refused, or ends the session."""
    await peer.hello()
    try:
        answer = await _pour(peer)
    except Undetermined as stopped:
        return satisfied(stopped)
    if answer is None:
        await peer.send(b"\r\n")
        answer = await peer.answer()
    to = "a command of 16 MiB"
    return satisfied(f"{answer} to {to}") if answer.closed else answer.expect("5yz", "421", to=to)


@case("hard.endless-data-line")
async def an_endless_line_of_mail_hurts_nobody(peer: SmtpPeer) -> Judgement:
    """A line of 16 MiB in mail data, which then are broken off, leaves the server as it was."""
    await peer.begin_mail_data()
    try:
        answer = await _pour(peer)
    except Undetermined as stopped:
        return satisfied(stopped)
    await peer.reset()
    return await _serves_on(peer, f"a line of 16 MiB in mail data ({answer or 'no answer'})")


async def _serves_on(peer: SmtpPeer, after: str, pauses_s: Sequence[float] = SETTLES_S) -> Judgement:
    """Judge by whether a new session is served; one that is turned away is tried again after each pause."""
    for pause_s in (*pauses_s, None):
        other = peer.another()
        greeting, away = await _greeting_of(other)
        if not away:
            break
        if pause_s is None:
            return violated(f"{away} after {after}", "a new session is served")
        await trio.sleep(pause_s)
    answer = greeting
    for command in (other.hello_line, b"NOOP"):
        if answer.reply is not None:
            answer = await other.ask(command)
    if answer.reply is None:
        return violated(f"{answer} in a new session after {after}", "it is served")
    return satisfied(f"served on after {after}")


async def _greeting_of(session: SmtpPeer) -> tuple[Answer, str]:
    """Return a session's greeting, and in words how it was turned away, if it was."""
    try:
        greeting = await session.answer()
    except Undetermined as trouble:
        return Answer(ended=Ended.CLOSED), str(trouble)
    return greeting, str(greeting) if greeting.later or greeting.no else ""


async def _timed(peer: SmtpPeer, message: bytes) -> tuple[Answer, float]:
    """Deliver a message in a session of its own; return the answer, and how long that took from its first octet on."""
    session = peer.another()
    await session.begin_mail_data()
    began_s = trio.current_time()
    await session.send(message + END_OF_MAIL_DATA)
    answer = await session.answer()
    return answer, trio.current_time() - began_s


async def _grows(peer: SmtpPeer, message_of: Callable[[int, str], bytes], count: int, what: str) -> Judgement:
    """Deliver a message of so many parts; one that is answered late is held against a tenth of it, and sent again.

    A server may take its time for any message, and so may a busy machine. Work that grows faster than the message is
    what hurts: every time, and the larger one far more.
    """
    if not peer.subject.declared.allow.leave_mail:
        raise NotApplicable("mail may not be left (allow.leave_mail)")
    answer, took_s = await _timed(peer, message_of(count, "whole"))
    got = f"{answer} to {count:,} {what} after {took_s:.2g} s"
    if took_s <= LATENCY_S:
        return satisfied(got) if answer.reply is None or answer.yes or answer.no else undetermined(got)
    part, part_s = await _timed(peer, message_of(count // 10, "part"))
    again, again_s = await _timed(peer, message_of(count, "again"))
    got += f", {part} to {count // 10:,} after {part_s:.2g} s, and {again} to {count:,} again after {again_s:.2g} s"
    slow_s = min(took_s, again_s)
    if slow_s <= LATENCY_S or not grows_past_its_size(slow_s, part_s, 10):
        return undetermined(got) if answer.silent or again.silent else satisfied(got)
    # Some servers let those wait whom they refuse, and refuse what is too large.
    alike = answer.reply is None or answer.code // 100 == part.code // 100
    return violated(got, "a time in proportion") if alike else undetermined(got)


def _with_fields(peer: SmtpPeer, count: int, mark: str) -> bytes:
    return peer.message(header=b"X-A: b\r\n" * count, mark=mark)


def _nested(peer: SmtpPeer, count: int, mark: str) -> bytes:
    """Return a message of so many multiparts, each within the other."""
    header = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b0"\r\n'
    opening = [b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (n, n + 1) for n in range(count)]
    closing = [b"--b%d--\r\n" % n for n in range(count, -1, -1)]
    body = b"".join((*opening, b"--b%d\r\n\r\nA line.\r\n" % count, *closing))
    return peer.message(body, header=header, mark=mark)


@case("hard.endless-header")
async def many_fields_take_no_time(peer: SmtpPeer) -> Judgement:
    """A message of 100,000 header fields is answered soon, or in proportion to its size, whatever the answer."""
    return await _grows(peer, partial(_with_fields, peer), FIELDS, "header fields")


@case("hard.deep-mime")
async def deep_nesting_takes_no_time(peer: SmtpPeer) -> Judgement:
    """A message of 1,000 multiparts, each within the other, is answered soon, or in proportion to its size."""
    return await _grows(peer, partial(_nested, peer), PARTS, "nested multiparts")


@case("hard.many-rcpt-memory")
async def recipients_have_an_end(peer: SmtpPeer) -> Judgement:
    """Twenty thousand recipients of one message are too many."""
    rcpt = b"RCPT TO:<" + peer.recipient + b">\r\n"
    await peer.open()
    await peer.mail()
    group = GROUP if peer.extensions.pipelining else 1
    taken, waited_s = 0, 0.0
    while taken < RECIPIENTS:
        await peer.send(rcpt * group)
        for _ in range(group):
            answer = await peer.answer()
            if not answer.yes:
                await peer.reset()
                return undetermined(answer) if answer.silent else satisfied(f"{answer} to recipient number {taken + 1}")
            taken, waited_s = taken + 1, waited_s + answer.waited_s
        if waited_s > RECIPIENTS_WITHIN_S:
            await peer.reset()
            return undetermined(f"{taken} recipients taken in {waited_s:.0f} s, and no more were sent")
    await peer.reset()
    return violated(f"{taken} recipients taken", "452 at some point")


async def _served(session: SmtpPeer) -> Answer:
    """Return the answer to NOOP in a session that is open."""
    return await session.still_there()


@case("hard.connection-limit", alone=True)
async def many_connections_stall_nobody(peer: SmtpPeer) -> Judgement:
    """Sixty connections at once are served or turned away, and who was there first is served."""
    await peer.hello()
    for number in range(2, CONNECTIONS + 1):
        try:
            greeting = await peer.another().answer()
        except Undetermined as refused:
            first = await _served(peer)
            return satisfied(f"connection number {number}: {refused}") if first.yes else undetermined(first)
        if not greeting.yes:
            first = await _served(peer)
            got = f"{greeting} to connection number {number}, {first} to NOOP in the first"
            if first.later:
                return undetermined(got)
            return violated(got, "421") if greeting.silent or not first.yes else satisfied(got)
    first = await _served(peer)
    got = f"{CONNECTIONS} connections, {first} to NOOP in the first"
    if first.later:
        return undetermined(got)
    return satisfied(got) if first.yes else violated(got, "2yz")


@case("hard.half-open", alone=True, limit_s=SLOW_LIMIT_S)
async def those_who_never_speak_are_left(peer: SmtpPeer) -> Judgement:
    """Sixty connections that never speak keep nobody out, and are closed in the end."""
    silent = [peer.another() for _ in range(CONNECTIONS - 1)]
    for number, session in enumerate(silent, 1):
        greeting, away = await _greeting_of(session)
        if away:                             # too many from one client are no other's loss
            return satisfied(f"connection number {number}: {away}")
        if not greeting.yes:
            break
    served = await _serves_on(peer, f"{len(silent)} connections that never spoke", ())
    if served.did is not Did.SATISFIED:
        return served
    answer = await silent[0].answer(SLOW_LIMIT_S - 100)
    return violated(answer, "a close") if answer.silent else satisfied(f"{answer} after {answer.waited_s:.3g} s")


@case("hard.rst-storm", alone=True)
async def resets_leave_nothing_behind(peer: SmtpPeer) -> Judgement:
    """Sixty connections that are reset after EHLO leave the server as it was."""
    await (control := peer.another()).hello()
    await control.quit()
    for _ in range(RESETS):
        session = peer.another()
        if not (await session.answer()).yes or not (await session.ask(session.hello_line)).yes:
            break
        await session.reset()
    return await _serves_on(peer, f"{RESETS} resets")
