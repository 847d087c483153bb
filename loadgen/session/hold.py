"""`idle-hold`: open a session, keep it open, ask NOOP now and then, leave."""

import trio

from loadgen.clock import NS_PER_S
from loadgen.schedule.plans import HoldPlan
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Trace
from loadgen.transport.errors import TransportError
from loadgen.wire.errors import RemoteProtocolError


async def hold(route: Route, plan: HoldPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended. A server that closes an idle session early is found at the next NOOP."""
    outcome = ACCEPTED
    pop3 = route.endpoint.protocol == "pop3"
    try:
        async with (Pop3Dialogue if pop3 else SmtpDialogue)(route, trace, arrival) as dialogue:
            try:
                if isinstance(dialogue, Pop3Dialogue):
                    await dialogue.open(plan.account, plan.auth)
                else:
                    await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
                await _wait(dialogue, plan)
            except Refused as refused:
                outcome = refused.outcome
            await dialogue.quit()
    except (TransportError, RemoteProtocolError) as error:
        return Outcome.of_error(error, trace.phase)
    return outcome


async def _wait(dialogue: Pop3Dialogue | SmtpDialogue, plan: HoldPlan) -> None:
    """Stay connected; say NOOP every `noop_every_ns`, or never if that is None."""
    until = trio.current_time() + plan.hold_ns / NS_PER_S
    if plan.noop_every_ns is None:
        await trio.sleep_until(until)
        return
    while (left := until - trio.current_time()) > 0:
        await trio.sleep(min(left, plan.noop_every_ns / NS_PER_S))
        await dialogue.noop()
