"""`smtp-deliver` and `lmtp-deliver`: one session, one or more mail transactions (RFC 5321 §3.3, RFC 2033 §4.2)."""

from loadgen.clock import clock_ns
from loadgen.message.compose import Composer, Message
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Offered, Settled, Trace
from loadgen.transport.errors import TransportError
from loadgen.wire.commands import Data, Mail, Rcpt, Rset, SmtpCommand
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.reply import Reply, ReplyClass
from loadgen.wire.smtp import LMTP, Answer

NO_MAIL_DATA = b".\r\n"


async def deliver(route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended; the first refusal decides, the later messages are still offered.

    Whatever the network or the server does becomes an Outcome. What raises is our bug, or
    `trio.Cancelled`, which passes through untouched.
    """
    outcome = ACCEPTED
    try:
        async with SmtpDialogue(route, trace, arrival) as dialogue:
            try:
                await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
                for message in plan.messages:
                    refusal = await _transaction(dialogue, plan, message, composer, arrival)
                    outcome = outcome if refusal is None or outcome is not ACCEPTED else refusal
            except Refused as refused:
                outcome = refused.outcome
            await dialogue.quit()
    except (TransportError, RemoteProtocolError) as error:
        return Outcome.of_error(error, trace.phase)
    return outcome


async def _transaction(
    dialogue: SmtpDialogue, plan: DeliveryPlan, planned: MessagePlan, composer: Composer, arrival: int
) -> Outcome | None:
    """Offer one message; return None if it was accepted for somebody, else the refusal.

    A refused recipient does not end the transaction; the refusal of all of them does (RFC 5321 §3.3).
    """
    message = composer.compose(
        arrival, planned.index,
        reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
    )
    trace, client = dialogue.trace, dialogue.client
    trace.messages_offered += 1
    envelope = _envelope(dialogue, plan, planned, message)
    if client.extensions.pipelining and plan.pipelining == "if-offered":
        replies = await dialogue.ask_all(envelope)
    else:
        replies = await _one_by_one(dialogue, envelope)
    rcpt_replies = replies[1 : 1 + len(planned.recipients)]
    accepted = tuple(
        recipient for recipient, reply in zip(planned.recipients, rcpt_replies, strict=False) if _positive(reply)
    )
    go_ahead = replies[-1].code == 354
    if not accepted or not go_ahead:
        trace.messages_refused += 1
        if go_ahead:     # pipelined, and the server waits for mail data nobody is to get: RFC 2920 §3.1
            await dialogue.send_mail_data(NO_MAIL_DATA)
        elif client.permits(Rset()):
            await dialogue.ask("rset", Rset())
        return _refusal(dialogue, [(phase, reply) for (phase, _), reply in zip(envelope, replies, strict=False)])
    trace.begun.append(Offered(message.stamp, accepted))
    answers = await dialogue.send_mail_data(message.mail_data)
    return _settle(dialogue, accepted, answers)


def _envelope(
    dialogue: SmtpDialogue, plan: DeliveryPlan, planned: MessagePlan, message: Message
) -> list[tuple[str, SmtpCommand]]:
    extensions = dialogue.client.extensions
    parameters = []
    if extensions.size is not None:
        parameters.append(f"SIZE={message.content_octets}")
    if extensions.smtputf8 and not all(path.isascii() for path in (plan.reverse_path, *planned.recipients)):
        parameters.append("SMTPUTF8")
    mail: tuple[str, SmtpCommand] = ("mail", Mail(plan.reverse_path, tuple(parameters)))
    return [mail, *(("rcpt", Rcpt(recipient)) for recipient in planned.recipients), ("data", Data())]


async def _one_by_one(dialogue: SmtpDialogue, envelope: list[tuple[str, SmtpCommand]]) -> list[Reply]:
    """Ask in turn, and no further than the answers allow: MAIL refused, no RCPT; no recipient, no DATA."""
    replies = []
    for phase, command in envelope:
        if not dialogue.client.permits(command):
            break
        replies.append(await dialogue.ask(phase, command))
    return replies


def _settle(dialogue: SmtpDialogue, accepted: tuple[str, ...], answers: list[Answer]) -> Outcome | None:
    """Note who the message was accepted for: everybody or nobody in SMTP, one by one in LMTP."""
    trace = dialogue.trace
    if dialogue.client.dialect is LMTP:
        delivered = tuple(
            recipient for recipient, answer in zip(accepted, answers, strict=True) if _positive(answer.reply)
        )
    else:
        delivered = accepted if _positive(answers[0].reply) else ()
    trace.settled[len(trace.begun) - 1] = Settled(delivered, clock_ns())
    if delivered:
        return None
    trace.messages_refused += 1
    return _refusal(dialogue, [("body", answer.reply) for answer in answers])


def _refusal(dialogue: SmtpDialogue, replies: list[tuple[str, Reply]]) -> Outcome:
    """Return the outcome of a message nobody gets, named after the first reply that said no."""
    phase, reply = next((phase, reply) for phase, reply in replies if reply.code >= 400)
    return dialogue.refusal(phase, reply).outcome


def _positive(reply: Reply) -> bool:
    return reply.reply_class is ReplyClass.POSITIVE_COMPLETION
