"""The first look at a server: what every case would otherwise have to find out for itself."""

from contextlib import AsyncExitStack
from dataclasses import replace
from statistics import median
from typing import Final

from conformance.judgement import NotApplicable, Undetermined
from conformance.peer import SmtpPeer
from conformance.subject import Subject
from reports.errors import PreconditionFailed

NOOPS: Final = 7                              # enough for a median that one slow answer does not move
NONSENSE: Final = b"MAILPROOF"
DEFAULT_SENDER: Final = "mailproof@example.test"
POSTMASTER: Final = "postmaster"              # every server must take mail for it: RFC 5321 §4.5.1


async def sound(subject: Subject) -> None:
    """Find out greeting, extensions, names that are taken, and the server's pace; keep it in `subject.found`.

    Raises PreconditionFailed if no session can be had.
    """
    async with AsyncExitStack() as stack:
        peer = SmtpPeer(subject, f"{subject.run_token}-sounding", stack)
        try:
            if not await _is_greeted(subject, peer):
                return      # the cases about the greeting say what is wrong with it
            await _introduce(subject, peer)
            await _time(subject, peer)
        except Undetermined as trouble:
            raise PreconditionFailed(f"{subject.endpoint} cannot be judged: {trouble}") from None
        try:
            await peer.quit()
            await _look_into_tls(subject, peer)
            await _find_envelope(subject, peer)
        except (Undetermined, NotApplicable):
            return          # the cases that need what was not found say so


async def measure(subject: Subject, stack: AsyncExitStack) -> None:
    """Measure a sounded server's pace once more. Undetermined if no session can be had for it."""
    peer = SmtpPeer(subject, f"{subject.run_token}-sounding", stack)
    await peer.hello()
    await _time(subject, peer)


async def _is_greeted(subject: Subject, peer: SmtpPeer) -> bool:
    """Take the greeting, and say whether a session can follow. Undetermined: it is no mail server, or cannot just now.
    """
    answer = await peer.answer()
    subject.found = replace(subject.found, hello_name=subject.declared.session.hello_name)
    if answer.later or not (answer.matches("2yz", "5yz") or answer.closed or answer.silent):
        raise Undetermined(str(answer))
    if answer.reply is not None:
        subject.found = replace(subject.found, greeting=answer.reply.octets)
    if not answer.matches("220"):
        subject.found = replace(subject.found, unwelcome=str(answer))
    return answer.matches("220")


async def _introduce(subject: Subject, peer: SmtpPeer) -> None:
    # A client without a name of its own gives its address (RFC 5321 §4.1.4); some servers look names up.
    for name in (subject.found.hello_name, "[127.0.0.1]"):
        subject.found = replace(subject.found, hello_name=name)
        try:
            await peer.ehlo()
        except Undetermined:
            continue
        subject.found = replace(subject.found, extensions=peer.extensions)
        return
    subject.found = replace(subject.found, hello_name=subject.declared.session.hello_name)     # a case will say so


async def _time(subject: Subject, peer: SmtpPeer) -> None:
    """Measure the server's pace: to NOOP, and to what it does not know, which some answer later on purpose."""
    waits: list[float] = []
    for _ in range(NOOPS):
        answer = await peer.ask(b"NOOP")
        if answer.reply is None and not waits:
            raise Undetermined(f"{answer} to NOOP")
        if answer.reply is None:       # it may leave whenever it wants, after 421 (RFC 5321 §3.8)
            break
        waits.append(answer.waited_s)
    error = await peer.ask(NONSENSE)
    slowest_s = max(*waits, error.waited_s if error.reply is not None else 0.0)
    subject.found = replace(subject.found, latency_s=median(waits), slowest_s=slowest_s)


async def _look_into_tls(subject: Subject, peer: SmtpPeer) -> None:
    if subject.endpoint.implicit_tls:
        subject.found = replace(subject.found, extensions_in_tls=subject.found.extensions, tls=peer.tls_facts)
        return
    inside = peer.another()
    await inside.hello()
    if inside.extensions.starttls:
        try:
            await inside.start_tls()
        except Undetermined:
            return
        subject.found = replace(subject.found, extensions_in_tls=inside.extensions, tls=inside.tls_facts)
    await inside.quit()


async def _find_envelope(subject: Subject, peer: SmtpPeer) -> None:
    """Find a reverse-path that is taken, and which of the recipients are."""
    declared = subject.declared.addresses
    # First those whose mail can be read back, in the order in which they were declared: cases send to the first.
    candidates = (*sorted(declared.accepted, key=lambda address: address not in subject.mailboxes), POSTMASTER)
    senders = (declared.sender,) if declared.sender is not None else (DEFAULT_SENDER, *declared.accepted[:1], "")
    session = peer.another()
    await session.open()
    for sender in senders:
        taken = []
        for recipient in candidates:         # each by itself: how many a transaction may have is a case's question
            if not (await session.ask(b"MAIL FROM:<" + sender.encode() + b">")).yes:
                break
            if subject.found.sender is None:
                subject.found = replace(subject.found, sender=sender)
            if (await session.ask(b"RCPT TO:<" + recipient.encode() + b">")).yes:
                taken.append(recipient)
            await session.control(b"RSET")
        if taken:
            subject.found = replace(subject.found, sender=sender, recipients=tuple(taken))
            break
    await session.quit()
