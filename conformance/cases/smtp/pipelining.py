"""PIPELINING: commands in groups, each answered in its turn, nothing lost and nothing held back (RFC 2920)."""

from collections.abc import Sequence
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import (
    SHUT,
    as_lines,
    codes_of,
    is_too_slow_for_groups,
    judge_alike,
    mail_command,
    rcpt_command,
    ready_for_groups,
    send_group,
    send_one_by_one,
    take_answers,
)
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


async def _same_in_a_group(peer: SmtpPeer, *commands: bytes) -> Judgement:
    single = await send_one_by_one(peer, *commands)
    await peer.control(b"RSET")
    return judge_alike(await send_group(peer, *commands), single)


async def _none_held(peer: SmtpPeer, *commands: bytes) -> Judgement:
    """Send a group, and see whether every answer comes before anything else is said."""
    answers = await send_group(peer, *commands)
    if len(answers) == len(commands) and answers[-1].reply is not None:
        return satisfied(codes_of(answers))
    if not answers[-1].silent:
        shut = any(answer.matches(SHUT) for answer in answers)
        closed_by_quit = commands[-1] == b"QUIT" and answers[-1].closed and not shut
        told = f"{codes_of(answers)} to {len(commands)} commands"
        return violated(told, "an answer to each") if closed_by_quit else undetermined(told)
    if (slow := await peer.answer()).reply is not None:
        return undetermined(f"{codes_of(answers)}, and {slow} after {slow.waited_s:.2g} s more")
    late = await peer.ask(b"NOOP")
    if late.reply is None:
        return undetermined(f"{codes_of(answers)}, then {late} to NOOP")
    return violated(f"{codes_of(answers)}, and {late} only once NOOP was said", "every answer at once")


@case("smtp.pipe.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """The keyword PIPELINING has no parameters."""
    await ready_for_groups(peer)
    parameters = " ".join(peer.extensions.keywords["PIPELINING"])
    return violated(f"PIPELINING {parameters}", "it alone") if parameters else satisfied("it stands alone")


@case("smtp.pipe.order")
async def answers_come_in_order(peer: SmtpPeer) -> Judgement:
    """The commands of a group are answered in their order."""
    commands = (mail_command(peer), rcpt_command(peer), rcpt_command(peer, peer.rejected), rcpt_command(peer))
    await ready_for_groups(peer)
    return await _same_in_a_group(peer, b"RSET", *commands)


@case("smtp.pipe.count")
async def each_command_has_an_answer(peer: SmtpPeer) -> Judgement:
    """A thousand commands in a group have a thousand answers."""
    await ready_for_groups(peer)
    await peer.mail()
    answers = await send_group(peer, *[rcpt_command(peer)] * MANY)
    last = answers[-1]
    if last.reply is None:
        before = answers[-2] if len(answers) > 1 else last
        if before.matches(SHUT):
            return declined(f"{before} after {len(answers) - 1} answers")
        told = f"{len(answers) - 1} answers, then it {last}"
        if not last.silent:
            return undetermined(told)
        await (control := peer.another()).open()
        await control.mail()
        one = await control.ask(rcpt_command(control))
        if is_too_slow_for_groups(peer, one, MANY):
            return undetermined(f"{told}; {one} to one alone after {one.waited_s:.2g} s")
        return violated(told, f"{MANY} answers")
    more = await peer.answer_or_silence()
    return violated(f"{MANY} answers, then {more}", "no more") if more.reply is not None else satisfied(f"{MANY}")


@case("smtp.pipe.no-input-loss")
async def nothing_is_lost_around_data(peer: SmtpPeer) -> Judgement:
    """What comes with the end of mail data is not lost."""
    await _deliverable(peer)
    follow = (mail_command(peer), rcpt_command(peer), b"RSET")
    answers = await _after_the_dot(peer, *follow)
    return _all_yes(answers, 1 + len(follow))


async def _deliverable(peer: SmtpPeer) -> None:
    if not peer.subject.declared.allow.leave_mail:
        raise NotApplicable("needs leave to deliver mail and leave it there (allow.leave_mail)")
    await ready_for_groups(peer)


async def _after_the_dot(peer: SmtpPeer, *commands: bytes) -> list[Answer]:
    """Begin a message by a group, send it with commands right behind its end, and return the answers to both."""
    answers = await send_group(peer, mail_command(peer), rcpt_command(peer), b"DATA")
    if not answers[-1].go_on:
        raise Undetermined(f"{codes_of(answers)} to MAIL, RCPT, DATA")
    await peer.send(stuff(peer.message()) + as_lines(commands))
    final = await peer.answer()
    if not final.yes:
        raise Undetermined(f"{final} to the message")
    return [final, *await take_answers(peer, len(commands))]


def _all_yes(answers: Sequence[Answer], count: int, *, quits: bool = False) -> Judgement:
    """Judge answers each of which should be 2yz, or 354 at the end; a close is no answer to QUIT."""
    got, expected = codes_of(answers), f"{count} times 2yz"
    if len(answers) < count or answers[-1].reply is None:
        lost = answers[-1].silent or (answers[-1].closed and quits)
        return violated(got, expected) if lost else undetermined(got, expected)
    if all(answer.yes or answer.go_on for answer in answers):
        return satisfied(got)
    return undetermined(got, expected) if any(answer.later for answer in answers) else violated(got, expected)


@case("smtp.pipe.loss-after-error")
async def an_error_does_not_lose_the_rest(peer: SmtpPeer) -> Judgement:
    """What follows an unknown command in a group is answered like everything."""
    await ready_for_groups(peer)
    return await _same_in_a_group(peer, b"NOOP", NOBODY_KNOWS, b"NOOP", b"RSET")


async def _for_nobody(peer: SmtpPeer, sender: bytes) -> Answer:
    """Send MAIL, a RCPT that is refused, and DATA in a group; return the answer to DATA."""
    refused = rcpt_command(peer, peer.rejected)
    await ready_for_groups(peer)
    answers = await send_group(peer, b"MAIL FROM:<" + sender + b">", refused, b"DATA")
    if len(answers) < 3 or not answers[0].yes or not answers[1].no:
        raise Undetermined(f"{codes_of(answers)} to MAIL, RCPT, DATA")
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
    await ready_for_groups(peer)
    return await _none_held(peer, b"RSET", mail_command(peer), peer.hello_line)


LAST: Final = {"noop": b"NOOP", "vrfy": b"VRFY postmaster", "expn": b"EXPN postmaster", "quit": b"QUIT"}


@case("smtp.pipe.no-hold-noop", variants=LAST)
async def a_command_ends_a_group(peer: SmtpPeer, last: bytes) -> Judgement:
    """The answers to a group are not held back for want of another command."""
    await ready_for_groups(peer)
    return await _none_held(peer, b"RSET", mail_command(peer), last)


@case("smtp.pipe.no-hold-unknown")
async def nonsense_ends_a_group(peer: SmtpPeer) -> Judgement:
    """The answers to a group that an unknown command ends are not held back."""
    await ready_for_groups(peer)
    return await _none_held(peer, b"RSET", mail_command(peer), NOBODY_KNOWS)


@case("smtp.pipe.flush-when-idle")
async def an_idle_server_has_answered(peer: SmtpPeer) -> Judgement:
    """MAIL and RCPT are answered before anything else is said."""
    await ready_for_groups(peer)
    return await _none_held(peer, mail_command(peer), rcpt_command(peer))


@case("smtp.pipe.flush-half-command")
async def half_a_command_holds_nothing(peer: SmtpPeer) -> Judgement:
    """A command is answered though the next has come by half only."""
    await ready_for_groups(peer)
    await peer.send(mail_command(peer) + b"\r\nRCPT ")
    answer = await peer.answer()
    if answer.reply is not None:
        return satisfied(answer)
    late = await peer.ask(b"TO:<" + peer.recipient + b">")
    told = f"{answer} to MAIL, then {late} once RCPT was complete"
    return violated(told, "an answer to MAIL") if answer.silent and late.reply is not None else undetermined(told)


@case("smtp.pipe.no-lookahead")
async def a_group_need_not_end_in_data(peer: SmtpPeer) -> Judgement:
    """A server does not count on DATA after MAIL and RCPT."""
    await ready_for_groups(peer)
    commands = (mail_command(peer), rcpt_command(peer), b"RSET")
    single = await send_one_by_one(peer, *commands, mail_command(peer))
    await peer.control(b"RSET")
    grouped = await send_group(peer, *commands)
    return judge_alike([*grouped, await peer.ask(mail_command(peer))], single)


@case("smtp.pipe.body-then-next")
async def the_next_message_may_come_at_once(peer: SmtpPeer) -> Judgement:
    """The commands of a second message may come with the end of the first."""
    await ready_for_groups(peer)
    answers = await _after_the_dot(peer, mail_command(peer), rcpt_command(peer), b"DATA")
    if len(answers) == 4 and answers[-1].go_on:
        answers.append(await peer.end_of(peer.another_message()))
    return _all_yes(answers, 5)


@case("smtp.pipe.quit-after-dot")
async def quit_may_come_with_the_end(peer: SmtpPeer) -> Judgement:
    """QUIT may come with the end of mail data: both are answered."""
    await ready_for_groups(peer)
    return _all_yes(await _after_the_dot(peer, b"QUIT"), 2, quits=True)


@case("smtp.pipe.rset-first")
async def rset_may_lead_a_group(peer: SmtpPeer) -> Judgement:
    """RSET may lead a group, and is answered 250 each time."""
    await ready_for_groups(peer)
    control = peer.another()
    await control.open()
    for _ in range(GROUPS):
        single = await send_one_by_one(control, b"RSET", mail_command(peer), rcpt_command(peer))
        if not all(answer.yes for answer in single):
            raise Undetermined(f"one by one: {codes_of(single)}")
    for _ in range(GROUPS):
        judged = judge_alike(await send_group(peer, b"RSET", mail_command(peer), rcpt_command(peer)), single)
        if judged.did != satisfied("").did:
            return judged
    return satisfied("ten groups alike")


@case("smtp.pipe.reply-names-command")
async def the_texts_tell_commands_apart(peer: SmtpPeer) -> Judgement:
    """The texts of the answers to MAIL and RCPT tell them apart."""
    await ready_for_groups(peer)
    first, second = await peer.mail(), await peer.rcpt()
    got = f"{first.text!r} and {second.text!r}"
    return violated(got, "two texts") if first.text == second.text else satisfied(got)


@case("smtp.pipe.partial-failure-body")
async def one_refusal_does_not_stop_the_others(peer: SmtpPeer) -> Judgement:
    """A group in which one of two recipients is refused goes on to DATA, and the other gets the message."""
    refused = rcpt_command(peer, peer.rejected)
    await ready_for_groups(peer)
    answers = await send_group(peer, mail_command(peer), rcpt_command(peer), refused, b"DATA")
    if len(answers) < 4 or not (answers[0].yes and answers[1].yes and answers[2].no):
        raise Undetermined(f"{codes_of(answers)} to MAIL, RCPT, RCPT, DATA")
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
    return observed(codes_of(await send_group(peer, mail_command(peer), rcpt_command(peer), b"RSET")))


@case("smtp.pipe.before-greeting")
async def who_speaks_before_the_greeting(peer: SmtpPeer) -> Judgement:
    """What becomes of EHLO that is said before the greeting is recorded."""
    await peer.connect()
    await peer.send(as_lines([peer.hello_line]))
    return observed(codes_of(await take_answers(peer, 2)))


@case("smtp.pipe.across-data")
async def mail_data_before_354(peer: SmtpPeer) -> Judgement:
    """What becomes of mail data that are sent before 354 is recorded."""
    await _deliverable(peer)
    await peer.send(as_lines((mail_command(peer), rcpt_command(peer), b"DATA")) + stuff(peer.another_message()))
    return observed(codes_of(await take_answers(peer, 4)))
