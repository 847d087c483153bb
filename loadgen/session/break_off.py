"""`half-open` and `reset-in-data`: sessions that never come to their end."""

from typing import Final

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.message.compose import Composer
from loadgen.schedule.other_plans import HalfOpenPlan, ResetPlan
from loadgen.session.course import follow, without_a_word
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Offered, Trace
from loadgen.session.transaction import envelope_of, open_transaction

KEPT: Final = "kept"      # stands among the replies where the server bore the silence to its end


async def stay_half_open(route: Route, plan: HalfOpenPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session that says nothing, or EHLO and nothing more, and say how it ended.

    It wants a greeting. Then a server that ends it, by 421 or -ERR or by closing, uses a timer that it may have
    (RFC 5321 §4.5.3.2.7, RFC 1939 §3): accepted, and counted among the replies; one that bears it to the end counts
    there as `kept`. No STARTTLS comes, and no QUIT.
    """
    pop3 = route.endpoint.protocol == "pop3"
    dialogue = Pop3Dialogue(route, trace, arrival) if pop3 else SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        await dialogue.greet()
        if isinstance(dialogue, SmtpDialogue) and plan.ehlo:
            await dialogue.hello()
        dialogue.may_be_cut_off = True
        try:
            await dialogue.idle(trio.current_time() + plan.hold_ns / NS_PER_S)
        except Refused:
            return ACCEPTED
        trace.replies.append((dialogue.name_of("noop"), KEPT, None))
        return ACCEPTED

    return await follow(dialogue, script, without_a_word)


async def reset_in_data(route: Route, plan: ResetPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    """Run one session that resets its connection amid the mail data, and say how it ended.

    It is accepted once it came so far. Its message counts neither as offered nor as refused, but stands in the
    trace as begun and accepted for nobody, from before its first octet: mail whose end was never sent must never be
    delivered (RFC 5321 §4.1.1.4), and the ledger calls a copy of it misdelivered.
    """
    dialogue = SmtpDialogue(route, trace, arrival)
    reset = False

    async def script() -> Outcome:
        nonlocal reset
        await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        message = composer.compose(
            arrival, 0,
            reverse_path=plan.reverse_path, recipients=(plan.recipient,), size_octets=plan.size_octets,
        )
        envelope = envelope_of(
            dialogue,
            reverse_path=plan.reverse_path, recipients=(plan.recipient,), size_octets=message.content_octets,
        )
        opened = await open_transaction(dialogue, envelope, pipelined=False)
        if opened.refusal is not None:
            return opened.refusal
        trace.begun.append(Offered(message.stamp, opened.accepted))
        trace.settle(opened.accepted, accepted=False, at_ns=clock_ns())
        reset = True
        await dialogue.break_off(message.mail_data, plan.sent)
        return ACCEPTED

    async def leave() -> Refused | None:
        return await (without_a_word if reset else dialogue.quit)()

    return await follow(dialogue, script, leave)
