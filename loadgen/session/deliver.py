"""`smtp-deliver` and `lmtp-deliver`: one session, one or more mail transactions (RFC 5321 §3.3, RFC 2033 §4.2)."""

from collections.abc import Awaitable, Sequence
from typing import Final

import msgspec

from loadgen.message.compose import Composer, Message
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.course import follow
from loadgen.session.fates import note, note_envelope, note_in_vain
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.plain import CONNECTED, PlainSession
from loadgen.session.plain_delivery import PlainDelivery, is_plain
from loadgen.session.refused import NotOffered, Refused
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Mark, Offered, Trace
from loadgen.session.transaction import Envelope, Opened, envelope_of, open_transaction, positive, refusal_among
from loadgen.transport.stream import Transport
from loadgen.wire.commands import Mail, Rset
from loadgen.wire.reply import Reply
from loadgen.wire.transparency import unstuff

ANY_MAIL: Final = Mail("")      # asked about, never sent


def deliver(
    route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace, arrival: int
) -> Awaitable[Outcome]:
    """Run one session and say how it ended, as `follow` decides. To be awaited at once.

    A refused message does not keep the later ones from being offered; of several refusals the first is
    the outcome. What a 421 leaves unsent was never offered.
    """
    if not is_plain(route, plan):
        return _ordinarily(SmtpDialogue(route, trace, arrival), plan, composer, arrival)
    plain = PlainDelivery(route, plan, composer, trace)

    def otherwise(transport: Transport) -> Awaitable[Outcome]:
        return go_over(route, plan, composer, trace, plain, transport)

    return plain.run(arrival, otherwise)


def go_over(
    route: Route, plan: DeliveryPlan, composer: Composer, trace: Trace, plain: PlainSession, transport: Transport
) -> Awaitable[Outcome]:
    """Go over a session by the ordinary code, its plain course having ended where something was otherwise.

    What stands in the trace before the leg in which it was is not gone over.
    """
    dialogue = SmtpDialogue(route, trace, plan.arrival)
    dialogue.go_over(transport, plain)
    return _ordinarily(dialogue, plan, composer, plan.arrival, plain.mark)


async def _ordinarily(
    dialogue: SmtpDialogue, plan: DeliveryPlan, composer: Composer, arrival: int, noted: Mark = CONNECTED
) -> Outcome:
    async def script() -> Outcome:
        try:
            await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        except (Refused, NotOffered) as error:
            note_in_vain(dialogue.trace, plan.messages, error)
            raise
        if noted is not CONNECTED:
            dialogue.trace.forget_since(noted)      # that it was opened has been noted before
        return await _transactions(dialogue, plan, plan.messages[noted.offered :], composer)

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


async def _transactions(
    dialogue: SmtpDialogue, plan: DeliveryPlan, messages: Sequence[MessagePlan], composer: Composer
) -> Outcome:
    """Offer these messages; return the first refusal, if there was one."""
    outcome, sent = ACCEPTED, None
    for place, planned in enumerate(messages):
        if sent is None:
            if not await _may_begin(dialogue):
                break
            parcel = _parcel(dialogue, plan, planned, composer)
            dialogue.trace.messages_offered += 1
        else:
            parcel = sent.parcel
        opened = await _open(dialogue, plan, parcel, sent)
        sent, refusal = None, opened.refusal
        if refusal is not None:
            dialogue.trace.messages_refused += 1
        else:
            behind = _next_parcel(dialogue, plan, messages[place + 1 : place + 2], composer)
            refusal, sent = await _hand_over(dialogue, parcel, opened.accepted, behind)
        if outcome is ACCEPTED and refusal is not None:
            outcome = refusal
    return outcome


class Parcel(msgspec.Struct, frozen=True):
    """One message, ready to be offered."""

    index: int
    recipients: tuple[str, ...]
    reverse_path: str
    message: Message
    envelope: Envelope
    chunk_octets: int | None       # None: by DATA


class Sent(msgspec.Struct, frozen=True):
    """A message whose envelope has been sent, in one write with the end of the one before it."""

    parcel: Parcel
    at_ns: int


def _parcel(dialogue: SmtpDialogue, plan: DeliveryPlan, planned: MessagePlan, composer: Composer) -> Parcel:
    """Compose a message and its envelope. Raises NotOffered if the server lacks what it needs."""
    message = composer.compose(
        plan.arrival, planned.index,
        reverse_path=plan.reverse_path, recipients=planned.recipients, size_octets=planned.size_octets,
        hidden=planned.hidden, body=planned.body,
    )
    chunk_octets = plan.chunk_octets if dialogue.client.extensions.chunking else None
    try:
        envelope = envelope_of(
            dialogue,
            reverse_path=plan.reverse_path, recipients=planned.envelope, size_octets=message.content_octets,
            eight_bit=message.eight_bit, utf8_header=message.utf8_header,
            by_data=chunk_octets is None,
        )
    except NotOffered as error:
        note_in_vain(dialogue.trace, (planned,), error)
        raise
    return Parcel(planned.index, planned.envelope, plan.reverse_path, message, envelope, chunk_octets)


def _next_parcel(
    dialogue: SmtpDialogue, plan: DeliveryPlan, rest: Sequence[MessagePlan], composer: Composer
) -> Parcel | None:
    """Return the message whose envelope may go behind the mail data that is due; None: nothing may (RFC 2920 §3.1)."""
    extensions = dialogue.client.extensions
    if plan.pipelining != "across-messages" or not rest or not extensions.pipelining:
        return None
    if plan.chunk_octets is not None and extensions.chunking:
        return None
    try:
        return _parcel(dialogue, plan, rest[0], composer)
    except NotOffered:             # said in its own turn: the message at hand has still to be sent
        return None


async def _open(dialogue: SmtpDialogue, plan: DeliveryPlan, parcel: Parcel, sent: Sent | None) -> Opened:
    pipelined = dialogue.client.extensions.pipelining and plan.pipelining != "never"
    answered = len(dialogue.trace.replies)
    try:
        return await open_transaction(
            dialogue, parcel.envelope, pipelined=pipelined, sent_ns=None if sent is None else sent.at_ns
        )
    finally:
        note_envelope(dialogue.trace, parcel.index, parcel.recipients, answered)


async def _hand_over(
    dialogue: SmtpDialogue, parcel: Parcel, accepted: tuple[str, ...], behind: Parcel | None
) -> tuple[Outcome | None, Sent | None]:
    """Send the mail data and note each word on it: for everybody in SMTP, for one after another in LMTP.

    Returns the refusal, if it was not accepted for anybody, and what of the next message has been sent `behind` it. A
    421 is the refusal, even if some had been told 250 before it: the server has ended the session. So is a
    chunk that is not taken, before there is any word on the message.
    """
    trace, message, index = dialogue.trace, parcel.message, parcel.index
    replies: list[tuple[str, Reply]] = []
    sent = None

    def begin() -> None:
        trace.begun.append(Offered(message.stamp, accepted, parcel.reverse_path))

    def heed(reply: Reply, recipient: str | None) -> None:
        recipients = accepted if recipient is None else (recipient,)
        at_ns = dialogue.now_ns()
        trace.settle(recipients, accepted=positive(reply), at_ns=at_ns, code=reply.code)
        note(trace, index, recipients, reply, at_ns)
        replies.append(("body", reply))

    if parcel.chunk_octets is None:
        begin()
        commands = () if behind is None else behind.envelope.commands
        trace.messages_offered += behind is not None
        at_ns = await dialogue.send_mail_data(message.mail_data, heed, commands)
        if behind is not None and dialogue.closed:
            trace.messages_refused += 1          # by the same 421
        elif behind is not None:
            sent = Sent(behind, at_ns)
    else:
        content = unstuff(message.mail_data)
        refusal = await dialogue.send_chunks(content, parcel.chunk_octets, begin, heed)
        if refusal is not None:
            trace.messages_refused += 1
            note(trace, index, accepted, refusal, dialogue.now_ns())
            return dialogue.refusal("body", refusal).outcome, None
    word = trace.settled[len(trace.begun) - 1]
    if word.recipients and not dialogue.closed:
        return None, sent
    if not (word.recipients or word.unanswered):
        trace.messages_refused += 1
    return refusal_among(dialogue, replies, word.recipients), sent
