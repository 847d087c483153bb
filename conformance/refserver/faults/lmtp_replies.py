"""Faults in the replies to the end of mail data over LMTP, and in what they promise (RFC 2033 §4.2, §4.3)."""

from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.directory import Refusal
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State
from conformance.refserver.transaction import Recipient, Transaction

Replies = list[Reply]

_IN_STEP: Final = 30            # so many transactions of a session are answered well
_REPLIES_MAX: Final = 64


def _one(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return final[:1]


def _one_more(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return [*final, replies.MESSAGE_TAKEN]


def _one_if_too_big(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return final[:1] if final[:1] == [replies.MESSAGE_TOO_BIG] else final


def _few(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return final[:_REPLIES_MAX]


def _one_for_each(what: Callable[[Recipient], object]) -> Callable[[SmtpState, Transaction, Replies], Replies]:
    """Give one reply to recipients that are the same in something."""
    return lambda session, transaction, final: list(
        {what(recipient): reply for recipient, reply in zip(transaction.recipients, final, strict=False)}.values()
    )


def _backwards(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return final[::-1]


def _the_worst(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return [max(final, key=lambda reply: reply.code)] * len(final)


def _counts_refused(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    if verb == b"RCPT" and reply is not None and reply.refuses:
        session.memory["refused"] = reply
    elif verb in {b"MAIL", b"RSET", b"LHLO"}:
        session.memory.pop("refused", None)
    return reply


def _tells_of_refused(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    refused = session.memory.get("refused")
    return [*final, refused] if isinstance(refused, Reply) else final


def _loses_step(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    """Say one thing too much, late in a long session."""
    done = session.memory.get("transactions", 0)
    assert isinstance(done, int)
    session.memory["transactions"] = done + 1
    return [*final, replies.MESSAGE_TAKEN] if done == _IN_STEP else final


# What is kept, and who is told.


def _newest(session: SmtpState, maildrop: str) -> str:
    return session.service.maildrops.maildrop(maildrop).listing()[-1].unique_id


def _keeps_nothing_if_one_fails(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    outcomes = zip(transaction.recipients, final, strict=False)
    stored = {recipient.maildrop for recipient, reply in outcomes if not reply.refuses}
    if len(stored) < len(transaction.recipients):
        for name in stored:
            session.service.maildrops.maildrop(name).remove([_newest(session, name)])
    return final


def _remembers_content(session: SmtpState, content: bytes) -> bytes:
    session.memory["content"] = content
    return content


def _content(session: SmtpState) -> bytes:
    content = session.memory.get("content", b"")
    assert isinstance(content, bytes)
    return content


def _bounces(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    sender = session.service.directory.maildrop_of(transaction.reverse_path)
    if any(reply.refuses for reply in final) and not isinstance(sender, Refusal):
        report = b"From: postmaster@example.test\r\nSubject: undeliverable\r\n\r\n" + _content(session)
        session.service.maildrops.deliver([sender], report)
    return final


def _waits_to_be_heard(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    outcomes = zip(transaction.recipients, final, strict=False)
    taken = {recipient.maildrop for recipient, reply in outcomes if not reply.refuses}
    session.memory["unheard"] = {name: _newest(session, name) for name in taken}
    return final


def _was_heard(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    session.memory.pop("unheard", None)
    return go_on()


def _unheard(session: SmtpState) -> dict[str, str]:
    """Return the maildrops, each with the message in it, of a transaction after which nothing more was said."""
    stored = session.memory.pop("unheard", {})
    assert isinstance(stored, dict)
    return stored


def _delivers_again(session: SmtpState) -> None:
    session.service.maildrops.deliver(_unheard(session), _content(session))


def _cuts(session: SmtpState) -> None:
    content = _content(session)
    for name, stored in _unheard(session).items():
        session.service.maildrops.maildrop(name).remove([stored])
        session.service.maildrops.deliver([name], content[: len(content) // 2] + b"\r\n")


def _overwrites(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    """Keep one of the messages that came into a maildrop in the same second and have the same size."""
    date = session.service.date.at(session.service.wall_clock()).encode()
    for name in {recipient.maildrop for recipient in transaction.recipients}:
        drop = session.service.maildrops.maildrop(name)
        listing = drop.listing()
        same = [one.unique_id for one in listing[:-1] if one.octets == listing[-1].octets]
        drop.remove([id_ for id_ in same if date in (drop.read(id_) or b"")])
    return final


# DATA and BDAT.


def _asks_for_each(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    asks = verb == b"DATA" and octets.startswith(b"354")
    return octets * len(session.transaction.recipients) if asks and session.transaction else octets


def _says_for_each(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    """Answer a chunk that is not the last as if it were."""
    between = verb == b"BDAT" and session.state is State.CHUNKS
    return octets * len(session.transaction.recipients) if between and session.transaction else octets


def _notes_chunks(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    session.memory["chunks"] = verb == b"BDAT"
    return go_on()


def _one_for_chunks(session: SmtpState, transaction: Transaction, final: Replies) -> Replies:
    return final[:1] if session.memory.get("chunks") else final


def _takes_chunks_for_nobody(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Let a last chunk go on whose recipients were all refused."""
    if verb != b"BDAT" or session.state is not State.MAIL:
        return go_on()
    session.state = State.RCPT
    return COMMANDS[verb].run(session, argument)


def _says(reply: Reply) -> Callable[[SmtpState, Transaction, Replies], Replies]:
    return lambda session, transaction, final: final or [reply]


FAULTS: Final = (
    Fault("lmtp-one-reply", "mail data are answered once, as in SMTP", final=_one),
    Fault("lmtp-one-too-many", "when every recipient has had its reply there is one more", final=_one_more),
    Fault("lmtp-few-replies", "no more than 64 recipients have a reply", final=_few),
    Fault("lmtp-too-big-once", "too much is refused once, as in SMTP", final=_one_if_too_big),
    Fault("lmtp-once-a-maildrop", "recipients that share a maildrop share a reply",
          final=_one_for_each(lambda recipient: recipient.maildrop)),
    Fault("lmtp-once-a-path", "a recipient that is named twice has one reply",
          final=_one_for_each(lambda recipient: recipient.path.mailbox)),
    Fault("lmtp-backwards", "the last recipient has the first reply", final=_backwards),
    Fault("lmtp-all-or-none", "one recipient that is refused refuses the others", final=_the_worst),
    Fault("lmtp-tells-of-refused", "who was refused at RCPT has a reply after the dot too",
          around=_counts_refused, final=_tells_of_refused),
    Fault("lmtp-loses-step", "after thirty messages there is a reply too many", final=_loses_step),
    Fault("lmtp-keeps-nothing", "one recipient that is refused costs the others the message",
          final=_keeps_nothing_if_one_fails),
    Fault("lmtp-bounces", "a recipient that is refused after the dot is told to the sender as well",
          content=_remembers_content, final=_bounces),
    Fault("lmtp-delivers-again", "what a client was not seen to hear of is delivered again",
          around=_was_heard, content=_remembers_content, final=_waits_to_be_heard, gone=_delivers_again),
    Fault("lmtp-cuts", "of what a client was not seen to hear of half is kept",
          around=_was_heard, content=_remembers_content, final=_waits_to_be_heard, gone=_cuts),
    Fault("lmtp-overwrites", "messages of one second and one size overwrite each other", final=_overwrites),
    Fault("lmtp-asks-for-each", "DATA is answered once for each recipient", outgoing=_asks_for_each),
    Fault("lmtp-chunk-for-each", "a chunk is answered once for each recipient", outgoing=_says_for_each),
    Fault("lmtp-one-for-chunks", "the last chunk is answered once, as in SMTP",
          around=_notes_chunks, final=_one_for_chunks),
    Fault("lmtp-takes-for-nobody", "a last chunk for nobody is answered 250",
          around=_takes_chunks_for_nobody, final=_says(replies.MESSAGE_TAKEN)),
    Fault("lmtp-refuses-for-nobody", "a last chunk for nobody is answered 503",
          around=_takes_chunks_for_nobody, final=_says(replies.OUT_OF_ORDER)),
)  # fmt: skip
