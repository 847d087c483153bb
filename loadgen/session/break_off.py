"""`half-open` and `reset-in-data`: sessions that never come to their end."""

from dataclasses import replace
from typing import Final

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.message.compose import Composer
from loadgen.schedule.other_plans import HalfOpenPlan, ResetPlan
from loadgen.session.course import follow, without_a_word
from loadgen.session.dialogue import CLOSED
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import NotOffered, Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Offered, Trace
from loadgen.session.transaction import envelope_of, open_transaction
from loadgen.transport.errors import PeerClosed, TransportTimeout
from loadgen.wire.commands import StartTls
from loadgen.wire.pop3_commands import Stls

KEPT: Final = "kept"      # stands among the replies where the server bore the silence to its end


async def stay_half_open(route: Route, plan: HalfOpenPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session that comes only so far and then says nothing more, and say how it ended.

    What it asks for before that must be granted. Then a server that ends it, by 421 or -ERR or by closing, uses a
    timer that it may have (RFC 5321 §4.5.3.2.7, RFC 1939 §3): accepted, and counted among the replies; one that bears
    it to the end counts there as `kept`. It does not say QUIT.
    """
    before_tls = plan.after == "connect" and route.endpoint.implicit_tls
    if before_tls:
        route = replace(route, endpoint=replace(route.endpoint, implicit_tls=False), tls=None)
    pop3 = route.endpoint.protocol == "pop3"
    dialogue = Pop3Dialogue(route, trace, arrival) if pop3 else SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        until = plan.hold_ns / NS_PER_S
        if plan.after == "connect":
            return await _stay_deaf(dialogue, "tls" if before_tls else "greeting", trio.current_time() + until)
        await dialogue.greet()
        if isinstance(dialogue, SmtpDialogue) and plan.after in ("ehlo", "starttls"):
            await dialogue.hello()
        if plan.after == "starttls":
            await _ask_for_tls(dialogue)
            return await _stay_deaf(dialogue, "tls", trio.current_time() + until)
        dialogue.may_be_cut_off = True
        try:
            await dialogue.idle(trio.current_time() + until)
        except Refused:
            return ACCEPTED
        trace.replies.append((dialogue.name_of("noop"), KEPT, None))
        return ACCEPTED

    return await follow(dialogue, script, without_a_word)


async def _ask_for_tls(dialogue: Pop3Dialogue | SmtpDialogue) -> None:
    """Have STARTTLS or STLS granted. Not timed: a tls that never has its handshake is no `tls` like the others."""
    dialogue.timed = False
    if isinstance(dialogue, Pop3Dialogue):
        await dialogue.require("tls", Stls())
    elif dialogue.client.extensions.starttls:
        await dialogue.require("tls", StartTls())
    else:
        dialogue.trace.phase = dialogue.name_of("tls")
        raise NotOffered("STARTTLS", section="RFC 3207 §4")


async def _stay_deaf(dialogue: Pop3Dialogue | SmtpDialogue, phase: str, until: float) -> Outcome:
    """Be silent until an instant, whatever the server says, unless it closes. Counted under a phase of our choice."""
    ended, name = KEPT, dialogue.name_of(phase)
    dialogue.trace.phase = name
    try:
        while True:
            await dialogue.transport.receive(until)
    except PeerClosed:
        ended = CLOSED
    except TransportTimeout:
        pass
    dialogue.trace.replies.append((name, ended, None))
    return ACCEPTED


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
        trace.begun.append(Offered(message.stamp, opened.accepted, plan.reverse_path))
        trace.settle(opened.accepted, accepted=False, at_ns=clock_ns())
        reset = True
        await dialogue.break_off(message.mail_data, plan.sent)
        return ACCEPTED

    async def leave() -> Refused | None:
        return await (without_a_word if reset else dialogue.quit)()

    return await follow(dialogue, script, leave)
