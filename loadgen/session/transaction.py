"""One mail transaction up to its mail data: the envelope, and the word of the server on it (RFC 5321 §3.3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from loadgen.session.outcome import Outcome
from loadgen.session.refused import NotOffered
from loadgen.session.smtp_dialogue import SHUTTING_DOWN, SmtpDialogue
from loadgen.wire.commands import Data, Mail, Rcpt, SmtpCommand
from loadgen.wire.extensions import Extensions
from loadgen.wire.reply import Reply, ReplyClass

NO_MAIL_DATA: Final = b".\r\n"
_DATA: Final[tuple[str, SmtpCommand]] = ("data", Data())


@dataclass(frozen=True, slots=True)
class Envelope:
    """The commands of a transaction before its mail data, each with its phase, and whom it is for."""

    recipients: tuple[str, ...]
    commands: tuple[tuple[str, SmtpCommand], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """What the server said to an envelope."""

    accepted: tuple[str, ...]       # the recipients
    refusal: Outcome | None         # None: the mail data may come


def envelope_of(
    dialogue: SmtpDialogue, *, reverse_path: str, recipients: tuple[str, ...], size_octets: int, by_data: bool = True,
    eight_bit: bool = False, utf8_header: bool = False,
) -> Envelope:  # fmt: skip
    """Return the commands up to DATA, or without it, as before BDAT (RFC 3030 §2).

    Raises NotOffered if they need 8BITMIME or SMTPUTF8 in vain. A message is never encoded for a server that does
    not offer these: it would be another load than was asked for.
    """
    try:
        parameters = mail_parameters(
            dialogue.client.extensions, (reverse_path, *recipients),
            size_octets=size_octets, eight_bit=eight_bit, utf8_header=utf8_header,
        )
    except NotOffered:
        dialogue.trace.phase = dialogue.name_of("mail")
        raise
    mail: tuple[str, SmtpCommand] = ("mail", Mail(reverse_path, parameters))
    rcpts = [("rcpt", Rcpt(recipient)) for recipient in recipients]
    return Envelope(recipients, (mail, *rcpts, _DATA) if by_data else (mail, *rcpts))


def mail_parameters(
    extensions: Extensions, paths: Iterable[str], *, size_octets: int, eight_bit: bool, utf8_header: bool
) -> tuple[str, ...]:
    """Return the parameters of MAIL for a message and its paths. Raises NotOffered if it needs one in vain."""
    parameters = []
    if extensions.size is not None:
        parameters.append(f"SIZE={size_octets}")
    if eight_bit:
        if not extensions.eight_bit_mime:
            raise NotOffered("8BITMIME", section="RFC 6152 §3")
        parameters.append("BODY=8BITMIME")
    if utf8_header or not all(map(str.isascii, paths)):
        if not extensions.smtputf8:
            raise NotOffered("SMTPUTF8", section="RFC 6531 §3.2")
        parameters.append("SMTPUTF8")
    return tuple(parameters)


async def open_transaction(
    dialogue: SmtpDialogue, envelope: Envelope, *, pipelined: bool, sent_ns: int | None = None
) -> Opened:
    """Send an envelope and return what became of it. `sent_ns`: it has been sent, behind other mail data, then.

    A refused recipient does not end the transaction; the refusal of all of them does (RFC 5321 §3.3).
    """
    if sent_ns is not None:
        replies = await dialogue.answers_to(envelope.commands, sent_ns)
    elif pipelined:
        replies = await dialogue.ask_all(envelope.commands)
    else:
        replies = await _one_by_one(dialogue, envelope)
    accepted = tuple(
        [recipient for recipient, reply in zip(envelope.recipients, replies[1:], strict=False) if positive(reply)]
    )
    go_ahead = replies[-1].reply_class is ReplyClass.POSITIVE_INTERMEDIATE
    asked_for = go_ahead or envelope.commands[-1][0] != "data"
    if accepted and asked_for and not dialogue.closed:
        return Opened(accepted, None)
    if go_ahead:     # pipelined, and the server waits for mail data nobody is to get: RFC 2920 §3.1
        await dialogue.send_mail_data(NO_MAIL_DATA, lambda *_: None)
    said = [(phase, reply) for (phase, _), reply in zip(envelope.commands, replies, strict=False)]
    return Opened(accepted, refusal_among(dialogue, said, accepted))


def refusal_among(dialogue: SmtpDialogue, replies: Sequence[tuple[str, Reply]], accepted: tuple[str, ...]) -> Outcome:
    """Return the outcome of a transaction that did not come to its end, named after the reply that decided.

    That is the last one, if it ended the session or came after somebody was accepted; else the first that said no.
    """
    phase, reply = replies[-1]
    if reply.code != SHUTTING_DOWN and not accepted:
        phase, reply = next((phase, reply) for phase, reply in replies if not positive(reply))
    return dialogue.refusal(phase, reply).outcome


def positive(reply: Reply) -> bool:
    """Say whether a reply is 2yz."""
    return reply.positive


async def _one_by_one(dialogue: SmtpDialogue, envelope: Envelope) -> list[Reply]:
    """Ask in turn, and no further than the answers allow: MAIL refused, no RCPT; no recipient, no DATA."""
    replies = []
    for phase, command in envelope.commands:
        if not dialogue.client.permits(command):
            break
        replies.append(await dialogue.ask(phase, command))
    return replies
