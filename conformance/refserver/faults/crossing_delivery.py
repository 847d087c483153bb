"""Faults in who gets what was taken, how often, and what comes that was not taken (RFC 5321 §3.3, §6.1)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.refserver import replies
from conformance.refserver.address import Path
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers, holds
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import SmtpState, State
from conformance.refserver.transaction import Recipient, Transaction

AtTheEnd = Callable[[SmtpState, Transaction, list[Reply]], list[Reply]]
_USER2: Final = "user2@example.test"


def _every(nth: int, act: Callable[[SmtpState, Transaction], None]) -> AtTheEnd:
    """Return what does something to every n-th message of a session, once it was stored."""

    def final(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
        if any(reply.code == 250 for reply in lawful):
            taken = session.memory.get("taken", 0)
            assert isinstance(taken, int)
            session.memory["taken"] = taken + 1
            if (taken + 1) % nth == 0:
                act(session, transaction)
        return lawful

    return final


def _takes_out(session: SmtpState, transaction: Transaction) -> None:
    for one in transaction.recipients:
        maildrop = session.service.maildrops.maildrop(one.maildrop)
        maildrop.remove([listed.unique_id for listed in maildrop.listing()[-1:]])


def _puts_in_again(session: SmtpState, transaction: Transaction) -> None:
    store = session.service.maildrops
    for name in dict.fromkeys(one.maildrop for one in transaction.recipients):
        maildrop = store.maildrop(name)
        newest = maildrop.listing()[-1:]
        message = maildrop.read(newest[0].unique_id) if newest else None
        if message is not None:
            store.deliver([name], message)


def _gives_to_another_too(session: SmtpState, transaction: Transaction) -> None:
    store = session.service.maildrops
    for name in dict.fromkeys(one.maildrop for one in transaction.recipients):
        newest = store.maildrop(name).listing()[-1:]
        message = store.maildrop(name).read(newest[0].unique_id) if newest else None
        if message is not None and name != _USER2:
            store.deliver([_USER2], message)


def _shortens(session: SmtpState, transaction: Transaction) -> None:
    store = session.service.maildrops
    for name in dict.fromkeys(one.maildrop for one in transaction.recipients):
        maildrop = store.maildrop(name)
        newest = maildrop.listing()[-1:]
        message = maildrop.read(newest[0].unique_id) if newest else None
        if message is not None:
            maildrop.remove([newest[0].unique_id])
            store.deliver([name], message[:-2].rpartition(b"\r\n")[0] + b"\r\n")


def _of_recipients(change: Callable[[list[Recipient]], list[Recipient]]) -> Callable[..., Reply | None]:
    """Return what changes for whom a message is, when DATA is said."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb == b"DATA" and session.transaction is not None:
            session.transaction.recipients = change(session.transaction.recipients)
        return go_on()

    return around


def _doubles_the_first(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    if len(transaction.recipients) > 1:
        _puts_in_again(session, replace(transaction, recipients=transaction.recipients[:1]))
    return lawful


def _rejected_go_to_user2(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Answer 550 to who is unknown, and note the catch-all in his place."""
    reply = go_on()
    if verb == b"RCPT" and reply is replies.NO_SUCH_MAILBOX:
        session.memory["rejected"] = True
    if verb == b"DATA" and session.transaction is not None and session.memory.pop("rejected", False):
        recipients = session.transaction.recipients
        recipients += [replace(recipients[0], maildrop=_USER2)] if recipients else []
    return reply


def _remembers_content(session: SmtpState, content: bytes) -> bytes:
    session.memory["content"] = content
    return content


def _keeps_what_it_refused(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    content = session.memory.get("content")
    if isinstance(content, bytes) and all(reply.refuses for reply in lawful):
        names = [one.maildrop for one in transaction.recipients]
        session.service.maildrops.deliver(names, content[:400] + b"\r\n")
    return lawful


def _for_nobody_is_for_the_first(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take mail data for which there is no recipient, and give them to one who is known."""
    if verb == b"DATA" and session.state is State.MAIL:
        COMMANDS[b"RCPT"].run(session, b"TO:<user1@example.test>")
        return COMMANDS[b"DATA"].run(session, b"")
    return go_on()


def _keeps_recipients(verb: bytes) -> Callable[..., Reply | None]:
    """Return what lets recipients outlive a command that should clear them, until the next DATA."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said == verb and session.transaction is not None:
            session.memory["recipients"] = session.transaction.recipients
        if said == b"DATA" and session.transaction is not None and "recipients" in session.memory:
            kept = session.memory.pop("recipients")
            assert isinstance(kept, list)
            session.transaction.recipients += kept
        return go_on()

    return around


def _keeps_the_first_sender(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Let a reverse-path outlive RSET."""
    if verb == b"RSET" and session.transaction is not None:
        session.memory["sender"] = session.transaction.reverse_path
    reply = go_on()
    if verb == b"MAIL" and session.transaction is not None:
        first = session.memory.pop("sender", None)
        session.transaction.reverse_path = first if isinstance(first, Path) else session.transaction.reverse_path
    return reply


def _delivers_at_the_end(session: SmtpState) -> None:
    """Deliver what there is of a transaction when its connection has gone, were it nothing."""
    transaction = session.transaction
    if transaction is not None and transaction.recipients:
        reader = session.data or session.chunks
        so_far = reader.so_far() if reader is not None else b""
        content = so_far.rstrip(b"\r\n.") + b"\r\n" if so_far else b""
        transaction.deliver(content, session.client, session.service, session.dialect.name, each=False)


def _quit_delivers_chunks(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    transaction = session.transaction
    if verb == b"QUIT" and transaction is not None and transaction.recipients:
        so_far = session.chunks.so_far() if session.chunks is not None else b""
        transaction.deliver(so_far, session.client, session.service, session.dialect.name, each=False)
    return go_on()


def _swapped(recipients: list[Recipient]) -> list[Recipient]:
    drops = [one.maildrop for one in recipients]
    return [replace(one, maildrop=drop) for one, drop in zip(recipients, drops[:1] * len(drops), strict=True)]


FAULTS: Final = (
    Fault("x-loses-one-of-five", "every fifth message of a session is lost", final=_every(5, _takes_out)),
    Fault("x-doubles-one-of-five", "every fifth message of a session is doubled", final=_every(5, _puts_in_again)),
    Fault("x-copies-to-another", "every third message of a session goes to another as well", final=_every(
        3, _gives_to_another_too,
    )),
    Fault("x-shortens-one-of-five", "every fifth message of a session lacks its last line", final=_every(5, _shortens)),
    Fault("x-only-the-first", "only the first recipient gets a message", around=_of_recipients(lambda all_: all_[:1])),
    Fault("x-not-the-last", "the last of several recipients gets nothing", around=_of_recipients(
        lambda all_: all_[:-1] or all_,
    )),
    Fault("x-first-twice", "the first of several recipients gets two copies", final=_doubles_the_first),
    Fault("x-all-to-the-first", "what is for several goes to the first of them", around=_of_recipients(_swapped)),
    Fault("x-rejected-go-elsewhere", "what is for who was rejected goes to another", around=_rejected_go_to_user2),
    Fault(
        "x-keeps-what-it-refused", "what was refused at its end is kept in part",
        content=_remembers_content, final=_keeps_what_it_refused,
    ),
    Fault("x-mail-for-nobody", "mail data for nobody are taken, and delivered", around=_for_nobody_is_for_the_first),
    Fault("x-rset-keeps-recipients", "RSET forgets the sender alone", around=_keeps_recipients(b"RSET")),
    Fault("x-hello-keeps-recipients", "EHLO forgets the sender alone", around=_keeps_recipients(b"EHLO")),
    Fault("x-rset-keeps-sender", "RSET forgets all but the reverse-path", around=_keeps_the_first_sender),
    Fault("x-delivers-at-the-end", "what was cut off is delivered as far as it had come", gone=_delivers_at_the_end),
    Fault("x-quit-delivers-chunks", "QUIT amid chunks delivers them", around=_quit_delivers_chunks),
    Fault("x-domain-case", "a domain must be written as the server writes it", around=answers(
        b"RCPT", 550, lambda session, argument: b"@example.test" not in argument and b"@" in argument, "5.1.2",
    )),
    Fault("x-domain-case-loses", "mail for a domain in other letters is taken and lost", around=_of_recipients(
        lambda all_: [one for one in all_ if one.path.domain == one.path.domain.lower()],
    )),
    Fault("x-local-part-case", "a local-part must be written as the server writes it", around=answers(
        b"RCPT", 550, lambda session, argument: re.search(rb"<[^@>]*[A-Z]", argument) is not None, "5.1.1",
    )),
    Fault("x-no-quotes", "a quoted local-part is nobody", around=answers(b"RCPT", 550, holds(rb'<"'), "5.1.1")),
)  # fmt: skip
