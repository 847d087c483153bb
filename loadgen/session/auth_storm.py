"""`auth-storm`: connect, log in, leave; some with a wrong password."""

from loadgen.schedule.other_plans import AuthPlan
from loadgen.session.course import follow
from loadgen.session.login import mechanism_for, was_about_the_password
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Trace

LET_IN = "a wrong password was accepted"


async def storm(route: Route, plan: AuthPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended, by what was to be expected.

    A wrong password that is refused (535, RFC 4954 §6; -ERR, RFC 1939 §7) is as it must be: accepted. One that
    is taken is failed. A temporary refusal (4yz, [SYS/TEMP], [IN-USE]) says nothing about a password, and is
    refused as anywhere. A server may hang up on whom it has refused.
    """
    pop3 = route.endpoint.protocol == "pop3"
    dialogue = Pop3Dialogue(route, trace, arrival) if pop3 else SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        try:
            if isinstance(dialogue, Pop3Dialogue):
                await dialogue.open(plan.account, plan.auth)
            else:
                await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        except Refused:
            if plan.wrong and was_about_the_password(trace):
                dialogue.may_be_cut_off = True
                return ACCEPTED
            raise
        if plan.wrong:
            return Outcome(OutcomeKind.FAILED, dialogue.name_of("auth"), LET_IN)
        return ACCEPTED

    return await follow(dialogue, script)
