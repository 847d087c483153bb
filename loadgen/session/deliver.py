"""`smtp-deliver` and `lmtp-deliver`: one session, one or more mail transactions (RFC 5321 §3.3, RFC 2033 §4.2)."""

from typing import Final

from loadgen.clock import clock_ns
from loadgen.message.compose import Composer
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.course import follow
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.refused import NotOffered
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SHUTTING_DOWN, SmtpDialogue
from loadgen.session.trace import Offered, Trace
from loadgen.wire.commands import Data, Mail, Rcpt, Rset, SmtpCommand
from loadgen.wire.reply import Reply, ReplyClass
from loadgen.wire.smtp import Answer

NO_MAIL_DATA: Final = b".\r\n"
ANY_MAIL: Final = Mail("")      # asked about, never sent


async def deliver(route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended, as `follow` decides.

    A refused message does not keep the later ones from being offered; of several refusals the first is
    the outcome. What a 421 leaves unsent was never offered.
    """
    dialogue = SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        outcome = ACCEPTED
        for message in plan.messages:
            if not await _may_begin(dialogue):
                break
            refusal = await _transaction(dialogue, plan, message, composer)
            if outcome is ACCEPTED and refusal is not None:
                outcome = refusal
        return outcome

    return await follow(dialogue, script)


async def _may_begin(dialogue: SmtpDialogue) -> bool:
    """Say whether a transaction may begin, after RSET if the last one was left half-way (RFC 5321 §4.1.1.5).

    Not behind a 421, nor if the server will not even reset; then there has been a refusal before.
    """
    client = dialogue.client
    if client.permits(ANY_MAIL):
        return True
    if not client.permits(Rset()):
        return False
    await dialogue.ask("rset", Rset())
    return client.permits(ANY_MAIL)


async def _transaction(
    dialogue: SmtpDialogue, plan: DeliveryPlan, planned: MessagePlan, composer: Composer
) -> Outcome | None:
    """Offer one message; return None if it was accepted for somebody, else the refusal.

    A refused recipient does not end the transaction; the refusal of all of them does (RFC 5321 §3.3).
    """
    message = composer.compose(
        plan.arrival, planned.index,
        reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
    )
    trace = dialogue.trace
    envelope = _envelope(dialogue, plan, planned, message.content_octets)
    trace.messages_offered += 1
    if dialogue.client.extensions.pipelining and plan.pipelining == "if-offered":
        replies = await dialogue.ask_all(envelope)
    else:
        replies = await _one_by_one(dialogue, envelope)
    accepted = tuple(
        [recipient for recipient, reply in zip(planned.recipients, replies[1:], strict=False) if _positive(reply)]
    )
    go_ahead = replies[-1].reply_class is ReplyClass.POSITIVE_INTERMEDIATE
    if not (accepted and go_ahead):
        trace.messages_refused += 1
        if go_ahead:     # pipelined, and the server waits for mail data nobody is to get: RFC 2920 §3.1
            await dialogue.send_mail_data(NO_MAIL_DATA, lambda _: None)
        said = [(phase, reply) for (phase, _), reply in zip(envelope, replies, strict=False)]
        return _refusal(dialogue, said, accepted)
    trace.begun.append(Offered(message.stamp, accepted))
    return await _hand_over(dialogue, message.mail_data, accepted)


def _envelope(
    dialogue: SmtpDialogue, plan: DeliveryPlan, planned: MessagePlan, size_octets: int
) -> list[tuple[str, SmtpCommand]]:
    """Return the commands up to DATA, each with its phase. Raises NotOffered if an address needs SMTPUTF8 in vain."""
    extensions = dialogue.client.extensions
    parameters = []
    if extensions.size is not None:
        parameters.append(f"SIZE={size_octets}")
    if not all(path.isascii() for path in (plan.reverse_path, *planned.recipients)):
        if not extensions.smtputf8:
            dialogue.trace.phase = dialogue.name_of("mail")
            raise NotOffered("SMTPUTF8", section="RFC 6531 §3.2")
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


async def _hand_over(dialogue: SmtpDialogue, mail_data: bytes, accepted: tuple[str, ...]) -> Outcome | None:
    """Send the mail data and note each word on it: for everybody in SMTP, for one after another in LMTP.

    A 421 is the refusal, even if some had been told 250 before it: the server has ended the session.
    """
    trace = dialogue.trace
    replies: list[tuple[str, Reply]] = []

    def heed(answer: Answer) -> None:
        recipients = accepted if answer.recipient is None else (answer.recipient,)
        trace.settle(recipients, accepted=_positive(answer.reply), at_ns=clock_ns())
        replies.append(("body", answer.reply))

    await dialogue.send_mail_data(mail_data, heed)
    word = trace.settled[len(trace.begun) - 1]
    if word.recipients and not dialogue.closed:
        return None
    if not (word.recipients or word.unanswered):
        trace.messages_refused += 1
    return _refusal(dialogue, replies, word.recipients)


def _refusal(dialogue: SmtpDialogue, replies: list[tuple[str, Reply]], accepted: tuple[str, ...]) -> Outcome:
    """Return the outcome of a transaction that did not come to its end, named after the reply that decided.

    That is the last one, if it ended the session or came after somebody was accepted; else the first that said no.
    """
    phase, reply = replies[-1]
    if reply.code != SHUTTING_DOWN and not accepted:
        phase, reply = next((phase, reply) for phase, reply in replies if not _positive(reply))
    return dialogue.refusal(phase, reply).outcome


def _positive(reply: Reply) -> bool:
    return reply.reply_class is ReplyClass.POSITIVE_COMPLETION
