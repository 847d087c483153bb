"""`pop3-contend`: two sessions, one maildrop. Its lock is exclusive (RFC 1939 §4)."""

from typing import Final

from loadgen.schedule.other_plans import ContendPlan
from loadgen.session.course import follow
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.trace import Trace

LET_IN: Final = "a second session was let into the maildrop (RFC 1939 §4)"
KEPT_OUT: Final = (None, "IN-USE")     # RFC 2449 §8.1.1; response codes are optional


async def contend(route: Route, plan: ContendPlan, trace: Trace, arrival: int) -> Outcome:
    """Log in, have a second login to the same maildrop refused, leave, and log in once more.

    Accepted if the server did so; the -ERR stands among the replies. A second session that is let in is failed.
    A -ERR with another response code than [IN-USE] is about something else: refused. The last login waits until
    the server has closed the first connection, which it does after it has released the lock (RFC 1939 §6). The
    login that is kept out is not timed: many servers wait on purpose before they refuse one.
    """
    first = Pop3Dialogue(route, trace, arrival)

    async def script() -> Outcome:
        await first.open(plan.account, plan.auth)
        return await _be_kept_out(route, plan, trace, arrival)

    outcome = await follow(first, script, first.see_off)
    if outcome is not ACCEPTED:
        return outcome
    last = Pop3Dialogue(route, trace, arrival)

    async def again() -> Outcome:
        await last.open(plan.account, plan.auth)
        return ACCEPTED

    return await follow(last, again)


async def _be_kept_out(route: Route, plan: ContendPlan, trace: Trace, arrival: int) -> Outcome:
    second = Pop3Dialogue(route, trace, arrival)
    second.timed = False

    async def script() -> Outcome:
        try:
            await second.open(plan.account, plan.auth)
        except Refused:
            phase, _, code = trace.replies[-1]
            if phase == second.name_of("auth") and code in KEPT_OUT:
                second.may_be_cut_off = True      # after a refusal the server may close: RFC 1939 §4
                return ACCEPTED
            raise
        return Outcome(OutcomeKind.FAILED, second.name_of("auth"), LET_IN)

    return await follow(second, script)
