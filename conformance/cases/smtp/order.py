"""The order of commands: what is out of order is refused, and spoils nothing (RFC 5321 §4.1.4)."""

from random import Random
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import mail_command, rcpt_command
from conformance.cases.smtp.walk import Misstep, Step, shrink, walk, walk_of
from conformance.judgement import Judgement, NotApplicable, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

WALKS: Final = 16
STEPS: Final = 14
SESSIONS_FOR_SHRINKING: Final = 40
STEPS_ENOUGH: Final = WALKS * STEPS // 4


async def refused(peer: SmtpPeer, command: bytes) -> Answer:
    """Say what is out of order; a server that takes it is another case's."""
    answer = await peer.ask(command)
    if answer.yes or answer.go_on:
        raise NotApplicable(f"{answer} to {command[:4].decode()}: not refused")
    peer.must(answer, "5yz", to=command)
    return answer


async def expect_whole(peer: SmtpPeer, *commands: bytes) -> Judgement:
    """Go on with a transaction, to 354: what was refused must not have changed it."""
    for command in commands:
        answer = await peer.ask(command)
        if not answer.yes:
            return answer.expect("2yz", to=f"{command[:4].decode()} after what was refused")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after what was refused")


@case("smtp.order.503-keeps-state", variants={"data": "data", "mail": "mail", "rcpt": "rcpt"})
async def what_is_refused_changes_nothing(peer: SmtpPeer, early: str) -> Judgement:
    """A command that is out of order is refused, and the transaction goes on as if it had not been said."""
    mail, rcpt = mail_command(peer), rcpt_command(peer)
    await peer.begin_transaction()                           # the control
    await peer.control(b"RSET")
    if early == "rcpt":
        await refused(peer, rcpt)
        return await expect_whole(peer, mail, rcpt)
    await peer.mail()
    if early == "data":
        await refused(peer, b"DATA")
        return await expect_whole(peer, rcpt)
    await peer.rcpt()
    await refused(peer, mail)
    return await expect_whole(peer)


@case("smtp.order.rcpt-after-data")
async def rcpt_after_a_message(peer: SmtpPeer) -> Judgement:
    """After a message RCPT has no transaction to belong to."""
    await peer.open()
    peer.must(await peer.deliver(peer.another_message()), to=b"a message")
    return (await peer.ask(rcpt_command(peer))).expect("503", lawful=("5yz",), to="RCPT after a message")


@case("smtp.order.vrfy-inside")
async def vrfy_inside_a_transaction(peer: SmtpPeer) -> Judgement:
    """VRFY may be said inside a transaction."""
    await peer.begin_transaction()
    answer = await peer.ask(b"VRFY postmaster")
    if answer.matches("503"):
        return violated(f"{answer} to VRFY inside a transaction", "an answer, as outside")
    return satisfied(answer) if answer.reply is not None else undetermined(answer)


@case("smtp.order.mail-after-failed-data", variants={"mail": True, "idle": False})
async def a_refused_data_is_no_dead_end(peer: SmtpPeer, with_mail: bool) -> Judgement:
    """After a DATA that was refused a transaction can be begun, after RSET at the latest."""
    await peer.open()
    await peer.mail()
    if not with_mail:
        await peer.control(b"RSET")
    await refused(peer, b"DATA")
    answer = await peer.ask(mail_command(peer))
    if answer.no:
        await peer.control(b"RSET")
        answer = await peer.ask(mail_command(peer))
    return answer.expect("2yz", to="MAIL after a refused DATA, after RSET")


@case("smtp.order.random-walk")
async def walks_at_random(peer: SmtpPeer) -> Judgement:
    """In whatever order commands are said, each is answered as the state allows; what fails is shown shortened."""
    gone = 0
    for seed in range(WALKS):
        steps = walk_of(Random(seed), STEPS)  # noqa: S311  no secret
        outcome = await walk(peer if seed == 0 else peer.another(), steps)
        if isinstance(outcome, int):
            gone += outcome
            continue
        return await _judged(peer, outcome, steps)
    if gone < STEPS_ENOUGH:
        return undetermined(f"{gone} steps in {WALKS} sessions: the server ended them early")
    return satisfied(f"{gone} steps in {WALKS} sessions")


async def _judged(peer: SmtpPeer, misstep: Misstep, steps: tuple[Step, ...]) -> Judgement:
    sessions = SESSIONS_FOR_SHRINKING

    async def again(shorter: tuple[Step, ...]) -> Misstep | None:
        nonlocal sessions
        if sessions == 0:
            return None
        sessions -= 1
        outcome = await walk(peer.another(), shorter)
        return outcome if isinstance(outcome, Misstep) else None

    shortest = await shrink(misstep, steps, again)
    if shortest is None:
        return undetermined(f"{misstep}; it did not happen again")
    return violated(str(shortest), shortest.allowed)
