"""Chunks on their way, and what becomes of their octets when they are refused (RFC 3030 §2)."""

from collections.abc import Callable, Sequence
from typing import Final

from conformance.answer import Answer
from conformance.cases.smtp.groups import SHUT, codes_of
from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

KEYWORD: Final = "CHUNKING"
GOODBYE: Final = "221"
ANSWERS_MAX: Final = 64
# Octets that show whether they were taken for commands: every line would be answered.
COMMANDS: Final = b"NOOP\r\nHELP\r\nXMAILPROOF\r\n"


def chunk(octets: bytes, *, last: bool = False) -> bytes:
    """Return BDAT with its octets, as they go over the wire."""
    return b"BDAT %d%s\r\n" % (len(octets), b" LAST" if last else b"") + octets


async def ready_for_chunks(peer: SmtpPeer) -> None:
    """Come to where MAIL may be said to a server that offers CHUNKING, and see that it takes a chunk: the control."""
    await peer.open()
    peer.require(KEYWORD)
    await peer.begin_transaction()
    await peer.send(chunk(b"X-Mailproof: a field, and RSET amid the header\r\n"))
    peer.must(await peer.answer(), to=b"a chunk")
    await peer.control(b"RSET")


async def begin_chunks(peer: SmtpPeer) -> None:
    """Come to where a chunk may be sent, from the start of the session if it was not opened yet."""
    if not peer.is_open:
        await peer.open()
        peer.require(KEYWORD)
    await peer.begin_transaction()


async def send_chunk(peer: SmtpPeer, octets: bytes, *, last: bool = False) -> Answer:
    """Send a chunk and return the answer to it: LMTP's for its one recipient."""
    await peer.send(chunk(octets, last=last))
    return await peer.answer()


async def send_in_chunks(peer: SmtpPeer, *pieces: bytes) -> Answer:
    """Send a message in a transaction of its own, a chunk for each piece; return the answer to the last."""
    await begin_chunks(peer)
    for piece in pieces[:-1]:
        peer.must(await send_chunk(peer, piece), to=b"BDAT %d" % len(piece))
    return await send_chunk(peer, pieces[-1], last=True)


async def all_answers(peer: SmtpPeer) -> tuple[list[Answer], bool]:
    """Say QUIT, and return every answer before its 221, and whether that came. Nothing is waited for in vain.

    Without it the server ended the session, or does not answer any more: the last answer says which.
    """
    answers: list[Answer] = []
    await peer.send(b"QUIT\r\n")
    while len(answers) < ANSWERS_MAX:
        answers.append(await peer.answer())
        if answers[-1].matches(GOODBYE):
            return answers[:-1], True
        if answers[-1].reply is None:
            break
    return answers, False


async def judge_swallowed(
    peer: SmtpPeer, *, due: int = 1, silence: bool = False, executed: Callable[[str, str], Judgement] = violated
) -> Judgement:
    """Judge whether so many chunks were refused and their octets swallowed.

    `silence`: LMTP answers a last chunk once for each recipient, and there may be none (RFC 2033 §4.3). `executed` is
    what it amounts to if the octets were taken for commands.
    """
    answers, complete = await all_answers(peer)
    got, expected = codes_of(answers) or "no reply", f"{due} refused, and the octets swallowed"
    replies = [answer for answer in answers if answer.reply is not None]
    if any(answer.yes for answer in replies[:due]):
        return violated(f"{got}: taken", expected)
    if len(replies) > due and not any(answer.matches(SHUT) for answer in replies):
        return executed(f"{got}: the octets were taken for commands", expected)
    if complete and (len(replies) == due or (silence and not replies)):
        return satisfied(got, expected)
    return satisfied(f"{got}, and the end") if _ended(answers) else undetermined(got, expected)


def _ended(answers: Sequence[Answer]) -> bool:
    """Say whether the server refused, and ended the session."""
    return any(answer.closed or answer.matches(SHUT) for answer in answers)


def refusal(answer: Answer, what: str) -> None:
    """Go on only if something was refused, and the session still stands."""
    if not (answer.no or answer.later) or answer.matches(SHUT):
        raise Undetermined(f"{answer} to {what}")
