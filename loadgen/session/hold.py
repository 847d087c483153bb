"""`idle-hold`: open a session, keep it open, ask NOOP now and then, leave."""

import trio

from loadgen.clock import NS_PER_S
from loadgen.schedule.plans import HoldPlan
from loadgen.session.course import follow
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Trace


async def hold(route: Route, plan: HoldPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended, as `follow` decides. A server that hangs up is noticed at once."""
    pop3 = route.endpoint.protocol == "pop3"
    dialogue = Pop3Dialogue(route, trace, arrival) if pop3 else SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        if isinstance(dialogue, Pop3Dialogue):
            await dialogue.open(plan.account, plan.auth)
        else:
            await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        await _stay(dialogue, plan)
        return ACCEPTED

    return await follow(dialogue, script)


async def _stay(dialogue: Pop3Dialogue | SmtpDialogue, plan: HoldPlan) -> None:
    """Stay connected; say NOOP every `noop_every_ns`, or never if that is None."""
    until = trio.current_time() + plan.hold_ns / NS_PER_S
    if plan.noop_every_ns is None:
        await dialogue.idle(until)
        return
    noop_every_s = plan.noop_every_ns / NS_PER_S
    while (now := trio.current_time()) < until:
        await dialogue.idle(min(until, now + noop_every_s))
        await dialogue.noop()
