"""`smtp-deliver` and `lmtp-deliver`: one session, one or more mail transactions (RFC 5321 §3.3, RFC 2033 §4.2)."""

from typing import Final

from loadgen.clock import clock_ns
from loadgen.message.compose import Composer, Message
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.course import follow
from loadgen.session.fates import note, note_envelope, note_in_vain
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.refused import NotOffered, Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Offered, Trace
from loadgen.session.transaction import envelope_of, open_transaction, positive, refusal_among
from loadgen.wire.commands import Mail, Rset
from loadgen.wire.reply import Reply
from loadgen.wire.transparency import Unstuffer

ANY_MAIL: Final = Mail("")      # asked about, never sent


async def deliver(route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended, as `follow` decides.

    A refused message does not keep the later ones from being offered; of several refusals the first is
    the outcome. What a 421 leaves unsent was never offered.
    """
    dialogue = SmtpDialogue(route, trace, arrival)

    async def script() -> Outcome:
        try:
            await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        except (Refused, NotOffered) as error:
            note_in_vain(trace, plan.messages, error)
            raise
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
    """Offer one message; return None if it was accepted for somebody, else the refusal."""
    message = composer.compose(
        plan.arrival, planned.index,
        reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
        hidden=planned.hidden, body=planned.body,
    )
    trace, extensions = dialogue.trace, dialogue.client.extensions
    chunk_octets = plan.chunk_octets if extensions.chunking else None
    try:
        envelope = envelope_of(
            dialogue,
            reverse_path=plan.reverse_path, recipients=planned.envelope, size_octets=message.content_octets,
            eight_bit=message.eight_bit, utf8_header=message.utf8_header,
            by_data=chunk_octets is None,
        )
    except NotOffered as error:
        note_in_vain(trace, (planned,), error)
        raise
    trace.messages_offered += 1
    pipelined = extensions.pipelining and plan.pipelining == "if-offered"
    answered = len(trace.replies)
    try:
        opened = await open_transaction(dialogue, envelope, pipelined=pipelined)
    finally:
        note_envelope(trace, planned.index, planned.envelope, answered)
    if opened.refusal is not None:
        trace.messages_refused += 1
        return opened.refusal
    return await _hand_over(dialogue, message, planned.index, opened.accepted, chunk_octets)


async def _hand_over(
    dialogue: SmtpDialogue, message: Message, index: int, accepted: tuple[str, ...], chunk_octets: int | None
) -> Outcome | None:
    """Send the mail data and note each word on it: for everybody in SMTP, for one after another in LMTP.

    A 421 is the refusal, even if some had been told 250 before it: the server has ended the session. So is a
    chunk that is not taken, before there is any word on the message.
    """
    trace = dialogue.trace
    replies: list[tuple[str, Reply]] = []

    def begin() -> None:
        trace.begun.append(Offered(message.stamp, accepted))

    def heed(reply: Reply, recipient: str | None) -> None:
        recipients = accepted if recipient is None else (recipient,)
        trace.settle(recipients, accepted=positive(reply), at_ns=clock_ns())
        note(trace, index, recipients, reply)
        replies.append(("body", reply))

    if chunk_octets is None:
        begin()
        await dialogue.send_mail_data(message.mail_data, heed)
    else:
        content = Unstuffer().feed(message.mail_data)
        refusal = await dialogue.send_chunks(content, chunk_octets, begin, heed)
        if refusal is not None:
            trace.messages_refused += 1
            note(trace, index, accepted, refusal)
            return dialogue.refusal("body", refusal).outcome
    word = trace.settled[len(trace.begun) - 1]
    if word.recipients and not dialogue.closed:
        return None
    if not (word.recipients or word.unanswered):
        trace.messages_refused += 1
    return refusal_among(dialogue, replies, word.recipients)
