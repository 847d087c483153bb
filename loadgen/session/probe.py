"""`smtp-probe` and `rset-loop`: what the server's command loop costs, without mail."""

from typing import Final, assert_never

from loadgen.schedule.other_plans import ProbePlan, RsetLoopPlan
from loadgen.session.course import follow
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Trace
from loadgen.session.transaction import envelope_of, positive
from loadgen.wire.commands import Rset, Vrfy

DECLARED_OCTETS: Final = 1024      # by MAIL's SIZE, of mail that never comes


async def probe(route: Route, plan: ProbePlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended, as `follow` decides; the first refusal ends the script.

    VRFY may be answered as the server likes, by 250, 252, 502 or 550: its operator's policy (RFC 5321 §3.5.3,
    §7.3). What was answered stands among the replies. A 421 ends the session there too.
    """
    dialogue = SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        for _ in range(plan.loops):
            for command in plan.commands:
                match command:
                    case "ehlo":
                        await dialogue.hello()
                    case "noop":
                        await dialogue.noop()
                    case "rset":
                        await dialogue.require("rset", Rset())
                    case "vrfy":
                        await _verify(dialogue, plan.account.address)
                    case _:
                        assert_never(command)
        return ACCEPTED

    return await follow(dialogue, script)


async def _verify(dialogue: SmtpDialogue, address: str) -> None:
    reply = await dialogue.ask("vrfy", Vrfy(address))
    if dialogue.closed:
        raise dialogue.refusal("vrfy", reply)


async def abort_transactions(route: Route, plan: RsetLoopPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session of transactions that end in RSET (RFC 5321 §4.1.1.5), and say how it ended.

    A transaction is granted if MAIL, one of its recipients and RSET are. The first that is not ends the script.
    """
    dialogue = SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        for recipients in plan.transactions:
            await _open_and_abort(dialogue, plan.reverse_path, recipients)
        return ACCEPTED

    return await follow(dialogue, script)


async def _open_and_abort(dialogue: SmtpDialogue, reverse_path: str, recipients: tuple[str, ...]) -> None:
    envelope = envelope_of(dialogue, reverse_path=reverse_path, recipients=recipients, size_octets=DECLARED_OCTETS)
    mail, *rcpts, _ = envelope.commands
    await dialogue.require(*mail)
    replies = []
    for rcpt in rcpts:
        replies.append(await dialogue.ask(*rcpt))
        if dialogue.closed:
            break
    if dialogue.closed or not any(map(positive, replies)):
        raise dialogue.refusal("rcpt", replies[-1] if dialogue.closed else replies[0])
    await dialogue.require("rset", Rset())
