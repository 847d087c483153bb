"""Seeing to it that a maildrop holds what a case is about: mail is handed in by SMTP or LMTP, and found by POP3."""

import re
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import trio

from conformance.answer import Answer
from conformance.judgement import NotApplicable, Undetermined
from conformance.maildrops import Lying, Maildrop
from conformance.message import MARK, make_message
from conformance.peer import SmtpPeer
from conformance.pop3_answer import Pop3Answer
from conformance.room import resting
from conformance.samples import Sample
from conformance.subject import Subject

if TYPE_CHECKING:
    from conformance.pop3_peer import Pop3Peer

LARGE_OCTETS: Final = 1 << 18        # of a message that is not read to its end for its header's sake
LOOKED_AT: Final = 200               # of the newest messages: ours are among them
FIRST_PAUSE_S: Final = 0.02          # between two looks; each is half as long again as the last
LONGEST_PAUSE_S: Final = 1.0

_SCAN_LISTING: Final = re.compile(rb"([0-9]+) ([0-9]{1,12})")


async def deliver(subject: Subject, maildrop: Maildrop, token: str, sample: Sample, copies: int = 1) -> None:
    """Hand in a message for a maildrop of a POP3 server, so often. NotApplicable if there is nobody to hand it to."""
    if subject.deliverer is None:
        raise NotApplicable("needs mail in the maildrop, and nobody takes any (an smtp:// or lmtp:// target)")
    if not subject.declared.allow.leave_mail:
        raise NotApplicable("needs mail in the maildrop (allow.leave_mail)")
    if maildrop.place.address is None:
        raise NotApplicable(f"needs the address whose mail {maildrop.place.login} reads (addresses.accepted)")
    recipient = maildrop.place.address.encode()
    async with AsyncExitStack() as stack:
        peer = SmtpPeer(subject.deliverer, token, stack)
        await peer.open()
        if sample.eight_bit:
            peer.require("8BITMIME")
        if sample.chunked:
            peer.require("CHUNKING")
        if sample.utf8:
            peer.require("SMTPUTF8")
        parameters = (b"BODY=8BITMIME",) * sample.eight_bit + (b"SMTPUTF8",) * sample.utf8
        message = make_message(peer.sender, recipient, token, sample.body, header=sample.header)
        for _ in range(copies):
            await peer.mail(*parameters)
            await peer.rcpt(recipient)
            peer.must(await _handed_in(peer, message, chunked=sample.chunked), to=b"a message for the maildrop")
        await peer.quit()


async def _handed_in(peer: SmtpPeer, message: bytes, *, chunked: bool) -> Answer:
    if chunked:
        await peer.send(b"BDAT %d LAST\r\n" % len(message) + message)
        return await peer.answer()
    await peer.control(b"DATA", "354")
    return await peer.end_of(message)


async def look_until(
    session: "Callable[[], Pop3Peer]", maildrop: Maildrop, before: Lying | None, tokens: Collection[str]
) -> Lying:
    """Look into a maildrop, in sessions of their own, until messages with these tokens lie there or time is over.

    Where the tokens cannot be read, messages are told by their number: those that came last, in the order given.
    """
    subject = session().subject
    deadline, pause_s = trio.current_time() + subject.declared.timers.delivery, FIRST_PAUSE_S
    while True:
        lying = await _look(session())
        if all(token in lying.numbers for token in tokens):
            return lying
        late = trio.current_time() >= deadline
        came = 0 if before is None else lying.count - before.count
        if late and came >= len(tokens):
            first = lying.count - len(tokens) + 1
            return Lying(lying.count, {**lying.numbers, **{token: first + at for at, token in enumerate(tokens)}})
        if late:
            raise Undetermined("a message was taken and did not arrive in the time allowed (timers.delivery)")
        async with resting():
            await trio.sleep(min(pause_s, max(0.0, deadline - trio.current_time())))
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)


async def count_until(session: "Callable[[], Pop3Peer]", least: int) -> None:
    """Look how many messages lie in a maildrop until there are enough, or none has come for as long as one may take."""
    seen, since_s, pause_s = 0, trio.current_time(), FIRST_PAUSE_S
    while True:
        look = session()
        await look.log_in()
        count = await look.count()
        await look.quit()
        if count >= least:
            return
        if count > seen:
            seen, since_s = count, trio.current_time()
        if trio.current_time() >= since_s + look.subject.declared.timers.delivery:
            raise Undetermined(f"{count} messages arrived of {least} in the time allowed (timers.delivery)")
        async with resting():
            await trio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)


async def _look(session: "Pop3Peer", *, utf8: bool = False) -> Lying:
    """Return what lies in a maildrop. A server that gives messages wrongly is for the cases to find.

    `utf8`: said before the login, so that mail in UTF-8 may be given (RFC 6856 §2.1). Few want it said.
    """
    await session.prelude()
    if utf8:
        await session.ask(b"UTF8")
    await session.log_in()
    count = await session.count()
    listed = (_SCAN_LISTING.match(line) for line in (await session.ask(b"LIST")).lines)
    sizes = {found[1]: int(found[2]) for found in listed if found is not None}
    numbers: dict[str, int] = {}
    for number in range(max(1, count - LOOKED_AT + 1), count + 1):
        answer = await _header_at_least(session, number, sizes.get(b"%d" % number, 0))
        if answer.response is None:
            await session.hang_up()
            break
        if answer.err and not utf8 and "UTF8" in session.subject.found.keywords:
            await session.quit()
            return await _look(session.another(), utf8=True)
        header = answer.body.partition(b"\r\n\r\n")[0]
        mark = next((line for line in header.split(b"\r\n") if line.startswith(MARK)), b"")
        if mark:
            numbers[mark.partition(b":")[2].strip().decode("ascii", "replace")] = number
    else:
        await session.quit()
    return Lying(count, numbers)


async def _header_at_least(session: "Pop3Peer", number: int, octets: int) -> Pop3Answer:
    if octets > LARGE_OCTETS or session.subject.found.expires_at_once:
        answer = await session.ask(b"TOP %d 0" % number)
        if not answer.err:
            return answer
    return await session.ask(b"RETR %d" % number)
