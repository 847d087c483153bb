"""PIPELINING: commands in groups, each answered in its turn, nothing lost and nothing held back (RFC 2920)."""

import re
from collections.abc import Sequence
from typing import Final

import trio

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

NOBODY_KNOWS: Final = b"XMAILPROOF"
MANY: Final = 1_000
GROUPS: Final = 10
BIG_GROUP: Final = 512                       # commands of 512 octets: 256 KiB
CUTS_PER_SESSION: Final = 4                  # some servers mind many commands without mail
RECORDS: Final = re.compile(rb"[^\r\n]{1,7}\r?|\r|\n")
SHUT: Final = "421"


async def _ready(peer: SmtpPeer) -> None:
    await peer.open()
    peer.require("PIPELINING")


def _mail(peer: SmtpPeer) -> bytes:
    return b"MAIL FROM:<" + peer.sender + b">"


def _rcpt(peer: SmtpPeer, address: bytes | None = None) -> bytes:
    return b"RCPT TO:<" + (peer.recipient if address is None else address) + b">"


def _lines(commands: Sequence[bytes]) -> bytes:
    return b"".join(command + b"\r\n" for command in commands)


async def _answers(peer: SmtpPeer, count: int) -> list[Answer]:
    """Return so many answers, fewer only if the last is none."""
    answers: list[Answer] = []
    while len(answers) < count and (not answers or answers[-1].reply is not None):
        answers.append(await peer.answer())
    return answers


async def _group(peer: SmtpPeer, *commands: bytes) -> list[Answer]:
    """Send commands in one segment and return the answers."""
    await peer.send(_lines(commands))
    return await _answers(peer, len(commands))


async def _one_by_one(peer: SmtpPeer, *commands: bytes) -> list[Answer]:
    """Send commands each when the one before was answered. All must be answered."""
    answers = [await peer.ask(command) for command in commands]
    if any(answer.reply is None or answer.matches(SHUT) for answer in answers):
        raise Undetermined(f"one by one: {_told(answers)}")
    return answers


def _told(answers: Sequence[Answer]) -> str:
    return ", ".join(str(answer.code) if answer.reply is not None else str(answer) for answer in answers)


def _alike(grouped: Sequence[Answer], single: Sequence[Answer]) -> Judgement:
    """Judge the answers to a group by those to the same commands one by one: class by class."""
    got, expected = _told(grouped), _told(single)
    if any(answer.matches(SHUT) or answer.closed for answer in grouped):
        return undetermined(got, expected)
    same = [answer.code // 100 for answer in grouped] == [answer.code // 100 for answer in single]
    return satisfied(got, expected) if same else violated(got, expected)


async def _same_in_a_group(peer: SmtpPeer, *commands: bytes) -> Judgement:
    single = await _one_by_one(peer, *commands)
    await peer.control(b"RSET")
    return _alike(await _group(peer, *commands), single)


async def _none_held(peer: SmtpPeer, *commands: bytes) -> Judgement:
    """Send a group, and see whether every answer comes before anything else is said."""
    answers = await _group(peer, *commands)
    if len(answers) == len(commands) and answers[-1].reply is not None:
        return satisfied(_told(answers))
    if not answers[-1].silent:
        closed_by_quit = commands[-1] == b"QUIT" and answers[-1].closed
        told = f"{_told(answers)} to {len(commands)} commands"
        return violated(told, "an answer to each") if closed_by_quit else undetermined(told)
    late = await peer.ask(b"NOOP")
    if late.reply is None:
        return undetermined(f"{_told(answers)}, then {late} to NOOP")
    return violated(f"{_told(answers)}, and {late} only once NOOP was said", "every answer at once")


@case("smtp.pipe.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """The keyword PIPELINING has no parameters."""
    await _ready(peer)
    parameters = " ".join(peer.extensions.keywords["PIPELINING"])
    return violated(f"PIPELINING {parameters}", "it alone") if parameters else satisfied("it stands alone")


@case("smtp.pipe.order")
async def answers_come_in_order(peer: SmtpPeer) -> Judgement:
    """The commands of a group are answered in their order."""
    commands = (_mail(peer), _rcpt(peer), _rcpt(peer, peer.rejected), _rcpt(peer))
    await _ready(peer)
    return await _same_in_a_group(peer, b"RSET", *commands)


@case("smtp.pipe.count")
async def each_command_has_an_answer(peer: SmtpPeer) -> Judgement:
    """A thousand commands in a group have a thousand answers."""
    await _ready(peer)
    await peer.mail()
    answers = await _group(peer, *[_rcpt(peer)] * MANY)
    last = answers[-1]
    if last.reply is None:
        before = answers[-2] if len(answers) > 1 else last
        if before.matches(SHUT):
            return declined(f"{before} after {len(answers) - 1} answers")
        told = f"{len(answers) - 1} answers, then it {last}"
        return violated(told, f"{MANY} answers") if last.silent else undetermined(told)
    more = await peer.answer_or_silence()
    return violated(f"{MANY} answers, then {more}", "no more") if more.reply is not None else satisfied(f"{MANY}")


@case("smtp.pipe.no-input-loss")
async def nothing_is_lost_around_data(peer: SmtpPeer) -> Judgement:
    """What comes with the end of mail data is not lost."""
    await _deliverable(peer)
    follow = (_mail(peer), _rcpt(peer), b"RSET")
    answers = await _after_the_dot(peer, *follow)
    return _all_yes(answers, 1 + len(follow))


async def _deliverable(peer: SmtpPeer) -> None:
    if not peer.subject.declared.allow.leave_mail:
        raise NotApplicable("needs leave to deliver mail and leave it there (allow.leave_mail)")
    await _ready(peer)


async def _after_the_dot(peer: SmtpPeer, *commands: bytes) -> list[Answer]:
    """Begin a message by a group, send it with commands right behind its end, and return the answers to both."""
    answers = await _group(peer, _mail(peer), _rcpt(peer), b"DATA")
    if not answers[-1].go_on:
        raise Undetermined(f"{_told(answers)} to MAIL, RCPT, DATA")
    await peer.send(stuff(peer.message()) + _lines(commands))
    final = await peer.answer()
    if not final.yes:
        raise Undetermined(f"{final} to the message")
    return [final, *await _answers(peer, len(commands))]


def _all_yes(answers: Sequence[Answer], count: int, *, quits: bool = False) -> Judgement:
    """Judge answers each of which should be 2yz, or 354 at the end; a close is no answer to QUIT."""
    got, expected = _told(answers), f"{count} times 2yz"
    if len(answers) < count or answers[-1].reply is None:
        lost = answers[-1].silent or (answers[-1].closed and quits)
        return violated(got, expected) if lost else undetermined(got, expected)
    if all(answer.yes or answer.go_on for answer in answers):
        return satisfied(got)
    return undetermined(got, expected) if any(answer.later for answer in answers) else violated(got, expected)


@case("smtp.pipe.loss-after-error")
async def an_error_does_not_lose_the_rest(peer: SmtpPeer) -> Judgement:
    """What follows an unknown command in a group is answered like everything."""
    await _ready(peer)
    return await _same_in_a_group(peer, b"NOOP", NOBODY_KNOWS, b"NOOP", b"RSET")


async def _for_nobody(peer: SmtpPeer, sender: bytes) -> Answer:
    """Send MAIL, a RCPT that is refused, and DATA in a group; return the answer to DATA."""
    refused = _rcpt(peer, peer.rejected)
    await _ready(peer)
    answers = await _group(peer, b"MAIL FROM:<" + sender + b">", refused, b"DATA")
    if len(answers) < 3 or not answers[0].yes or not answers[1].no:
        raise Undetermined(f"{_told(answers)} to MAIL, RCPT, DATA")
    return answers[2]


@case("smtp.pipe.data-needs-rcpt")
async def data_in_a_group_needs_a_recipient(peer: SmtpPeer) -> Judgement:
    """DATA is refused in a group whose recipients were all refused."""
    answer = await _for_nobody(peer, peer.sender)
    return violated(answer, "5yz to DATA") if answer.go_on else answer.expect("5yz", to="DATA")


@case("smtp.pipe.empty-no-send")
async def no_mail_for_nobody(peer: SmtpPeer) -> Judgement:
    """If DATA was answered 354 although every recipient was refused, a lone dot sends nothing to anybody."""
    answer = await _for_nobody(peer, peer.marked_sender)
    if not answer.go_on:
        return satisfied(f"{answer} to DATA")
    final = await peer.end_mail_data()
    arrived = await peer.another().stored_before_a_later_one()
    return violated(f"{final}, and {len(arrived)} messages arrived", "none") if arrived else satisfied(final)


@case("smtp.pipe.no-hold-ehlo")
async def ehlo_ends_a_group(peer: SmtpPeer) -> Judgement:
    """The answers to a group that EHLO ends are not held back."""
    await _ready(peer)
    return await _none_held(peer, b"RSET", _mail(peer), b"EHLO " + peer.hello_name)


LAST: Final = {"noop": b"NOOP", "vrfy": b"VRFY postmaster", "expn": b"EXPN postmaster", "quit": b"QUIT"}


@case("smtp.pipe.no-hold-noop", variants=LAST)
async def a_command_ends_a_group(peer: SmtpPeer, last: bytes) -> Judgement:
    """The answers to a group are not held back for want of another command."""
    await _ready(peer)
    return await _none_held(peer, b"RSET", _mail(peer), last)


@case("smtp.pipe.no-hold-unknown")
async def nonsense_ends_a_group(peer: SmtpPeer) -> Judgement:
    """The answers to a group that an unknown command ends are not held back."""
    await _ready(peer)
    return await _none_held(peer, b"RSET", _mail(peer), NOBODY_KNOWS)


@case("smtp.pipe.flush-when-idle")
async def an_idle_server_has_answered(peer: SmtpPeer) -> Judgement:
    """MAIL and RCPT are answered before anything else is said."""
    await _ready(peer)
    return await _none_held(peer, _mail(peer), _rcpt(peer))


@case("smtp.pipe.flush-half-command")
async def half_a_command_holds_nothing(peer: SmtpPeer) -> Judgement:
    """A command is answered though the next has come by half only."""
    await _ready(peer)
    await peer.send(_mail(peer) + b"\r\nRCPT ")
    answer = await peer.answer()
    if answer.reply is not None:
        return satisfied(answer)
    late = await peer.ask(b"TO:<" + peer.recipient + b">")
    told = f"{answer} to MAIL, then {late} once RCPT was complete"
    return violated(told, "an answer to MAIL") if answer.silent and late.reply is not None else undetermined(told)


@case("smtp.pipe.no-lookahead")
async def a_group_need_not_end_in_data(peer: SmtpPeer) -> Judgement:
    """A server does not count on DATA after MAIL and RCPT."""
    await _ready(peer)
    commands = (_mail(peer), _rcpt(peer), b"RSET")
    single = await _one_by_one(peer, *commands, _mail(peer))
    await peer.control(b"RSET")
    grouped = await _group(peer, *commands)
    return _alike([*grouped, await peer.ask(_mail(peer))], single)


@case("smtp.pipe.body-then-next")
async def the_next_message_may_come_at_once(peer: SmtpPeer) -> Judgement:
    """The commands of a second message may come with the end of the first."""
    await _ready(peer)
    answers = await _after_the_dot(peer, _mail(peer), _rcpt(peer), b"DATA")
    if len(answers) == 4 and answers[-1].go_on:
        answers.append(await peer.end_of(peer.another_message()))
    return _all_yes(answers, 5)


@case("smtp.pipe.quit-after-dot")
async def quit_may_come_with_the_end(peer: SmtpPeer) -> Judgement:
    """QUIT may come with the end of mail data: both are answered."""
    await _ready(peer)
    return _all_yes(await _after_the_dot(peer, b"QUIT"), 2, quits=True)


@case("smtp.pipe.rset-first")
async def rset_may_lead_a_group(peer: SmtpPeer) -> Judgement:
    """RSET may lead a group, and is answered 250 each time."""
    await _ready(peer)
    control = peer.another()
    await control.open()
    for _ in range(GROUPS):
        single = await _one_by_one(control, b"RSET", _mail(peer), _rcpt(peer))
        if not all(answer.yes for answer in single):
            raise Undetermined(f"one by one: {_told(single)}")
    for _ in range(GROUPS):
        judged = _alike(await _group(peer, b"RSET", _mail(peer), _rcpt(peer)), single)
        if judged.did != satisfied("").did:
            return judged
    return satisfied("ten groups alike")


@case("smtp.pipe.split-anywhere")
async def segments_are_no_lines(peer: SmtpPeer) -> Judgement:
    """Where a group is cut into segments makes no difference."""
    await _ready(peer)
    commands = (_mail(peer), _rcpt(peer), b"RSET")
    for _ in range(CUTS_PER_SESSION):      # so often as they will be cut, which has to be lawful first
        single = await _one_by_one(peer, *commands)
        if not all(answer.yes for answer in single):
            raise Undetermined(f"one by one: {_told(single)}")
    octets = _lines(commands)
    for first in range(1, len(octets), CUTS_PER_SESSION):
        session = peer.another()
        await session.open()
        for at in range(first, min(first + CUTS_PER_SESSION, len(octets))):
            await session.send(octets[:at])
            await session.send(octets[at:])
            judged = _alike(await _answers(session, len(commands)), single)
            if judged.did != satisfied("").did:
                return judged
        await session.quit()
    return satisfied(f"{len(octets) - 1} cuts, alike")


@case("smtp.pipe.one-octet-writes")
async def octets_may_come_alone(peer: SmtpPeer) -> Judgement:
    """A session whose octets come one at a time goes like any other."""
    steps = (_mail(peer), _rcpt(peer), b"DATA", stuff(peer.another_message()).removesuffix(b"\r\n"))
    control = peer.another()
    await control.open()
    single = await _one_by_one(control, *steps)
    await peer.open()
    answers = []
    for step in steps:
        for octet in step + b"\r\n":
            await peer.send(bytes([octet]))
        answers.append(await peer.answer())
    return _alike(answers, single)


@case("smtp.pipe.big-group", alone=True)
async def a_client_may_read_late(peer: SmtpPeer) -> Judgement:
    """256 KiB of commands from a client that reads late are all answered."""
    await _ready(peer)
    octets = (b"NOOP ".ljust(510, b"x") + b"\r\n") * BIG_GROUP
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.send, octets)
        await trio.sleep(peer.subject.quiet_s)
        answers = await _answers(peer, BIG_GROUP)
        nursery.cancel_scope.cancel()
    if answers[-1].reply is not None and all(answer.yes for answer in answers):
        return satisfied(f"{len(answers)} answers")
    if any(answer.matches(SHUT, "5yz") for answer in answers):
        return declined(f"{len(answers)} answers, among them {next(a for a in answers if not a.yes)}")
    return violated(f"{len(answers) - 1} answers, then it {answers[-1]}", f"{BIG_GROUP} answers")


@case("smtp.pipe.under-tls")
async def records_are_no_lines(peer: SmtpPeer) -> Judgement:
    """A group inside TLS is answered alike, wherever its records are cut."""
    commands = (b"RSET", _mail(peer), _rcpt(peer), b"RSET")
    await peer.hello()
    if not peer.in_tls:
        await peer.start_tls()
    peer.require("PIPELINING")
    if peer.subject.declared.session.login:
        await peer.log_in()
    single = await _one_by_one(peer, *commands)
    for record in RECORDS.findall(_lines(commands)):
        await peer.send(record)
    return _alike(await _answers(peer, len(commands)), single)


@case("smtp.pipe.reply-names-command")
async def the_texts_tell_commands_apart(peer: SmtpPeer) -> Judgement:
    """The texts of the answers to MAIL and RCPT tell them apart."""
    await _ready(peer)
    first, second = await peer.mail(), await peer.rcpt()
    got = f"{first.text!r} and {second.text!r}"
    return violated(got, "two texts") if first.text == second.text else satisfied(got)


@case("smtp.pipe.partial-failure-body")
async def one_refusal_does_not_stop_the_others(peer: SmtpPeer) -> Judgement:
    """A group in which one of two recipients is refused goes on to DATA, and the other gets the message."""
    refused = _rcpt(peer, peer.rejected)
    await _ready(peer)
    answers = await _group(peer, _mail(peer), _rcpt(peer), refused, b"DATA")
    if len(answers) < 4 or not (answers[0].yes and answers[1].yes and answers[2].no):
        raise Undetermined(f"{_told(answers)} to MAIL, RCPT, RCPT, DATA")
    if not answers[3].go_on:
        return answers[3].expect("354", to="DATA after one of two recipients was taken")
    final = await peer.end_of(peer.message())
    if not final.yes:
        return undetermined(f"{final} to the message")
    return satisfied(final) if await peer.stored() else violated("nothing arrived", "the message")


@case("smtp.pipe.unadvertised-group")
async def a_group_where_none_was_offered(peer: SmtpPeer) -> Judgement:
    """What becomes of a group where PIPELINING was not offered is recorded."""
    await peer.open()
    if peer.extensions.pipelining:
        raise NotApplicable("PIPELINING is offered")
    return observed(_told(await _group(peer, _mail(peer), _rcpt(peer), b"RSET")))


@case("smtp.pipe.before-greeting")
async def who_speaks_before_the_greeting(peer: SmtpPeer) -> Judgement:
    """What becomes of EHLO that is said before the greeting is recorded."""
    await peer.connect()
    await peer.send(_lines([b"EHLO " + peer.hello_name]))
    return observed(_told(await _answers(peer, 2)))


@case("smtp.pipe.across-data")
async def mail_data_before_354(peer: SmtpPeer) -> Judgement:
    """What becomes of mail data that are sent before 354 is recorded."""
    await _deliverable(peer)
    await peer.send(_lines((_mail(peer), _rcpt(peer), b"DATA")) + stuff(peer.another_message()))
    return observed(_told(await _answers(peer, 4)))
