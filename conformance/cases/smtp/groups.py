"""Commands sent in groups, and their answers (RFC 2920 §3)."""

from collections.abc import Sequence
from typing import Final

from conformance.answer import Answer
from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

SHUT: Final = "421"


async def ready_for_groups(peer: SmtpPeer) -> None:
    """Come to where MAIL may be said in groups."""
    await peer.open()
    peer.require("PIPELINING")


def mail_command(peer: SmtpPeer) -> bytes:
    """Return MAIL with this server's reverse-path."""
    return b"MAIL FROM:<" + peer.sender + b">"


def rcpt_command(peer: SmtpPeer, address: bytes | None = None) -> bytes:
    """Return RCPT with an address, one that is taken if none is given."""
    return b"RCPT TO:<" + (peer.recipient if address is None else address) + b">"


def as_lines(commands: Sequence[bytes]) -> bytes:
    """Return commands as they go over the wire, one behind the other."""
    return b"".join(command + b"\r\n" for command in commands)


async def take_answers(peer: SmtpPeer, count: int) -> list[Answer]:
    """Return so many answers, fewer only if the last is none."""
    answers: list[Answer] = []
    while len(answers) < count and (not answers or answers[-1].reply is not None):
        answers.append(await peer.answer())
    return answers


async def send_group(peer: SmtpPeer, *commands: bytes) -> list[Answer]:
    """Send commands in one segment and return the answers."""
    await peer.send(as_lines(commands))
    return await take_answers(peer, len(commands))


def is_too_slow_for_groups(peer: SmtpPeer, one: Answer, count: int) -> bool:
    """Say whether so many answers, at the pace of one, take longer than an answer is waited for.

    A server may send the answers to a group all at once.
    """
    return one.reply is not None and count * one.waited_s > peer.subject.reply_s


async def send_one_by_one(peer: SmtpPeer, *commands: bytes) -> list[Answer]:
    """Send commands each when the one before was answered. All must be answered."""
    answers = [await peer.ask(command) for command in commands]
    if any(answer.reply is None or answer.matches(SHUT) for answer in answers):
        raise Undetermined(f"one by one: {codes_of(answers)}")
    return answers


def codes_of(answers: Sequence[Answer]) -> str:
    """Return the codes for people."""
    return ", ".join(str(answer.code) if answer.reply is not None else str(answer) for answer in answers)


def judge_alike(grouped: Sequence[Answer], single: Sequence[Answer]) -> Judgement:
    """Judge the answers to a group by those to the same commands one by one: class by class."""
    got, expected = codes_of(grouped), codes_of(single)
    if any(answer.matches(SHUT) or answer.closed for answer in grouped):
        return undetermined(got, expected)
    if grouped[-1].silent and sum(answer.waited_s for answer in single) > grouped[-1].waited_s:
        return undetermined(f"{got}, which is no longer than they took one by one", expected)
    if any(one.later is not other.later for one, other in zip(grouped, single, strict=False)):
        return undetermined(f"{got}: one was put off, which may happen at any time", expected)
    same = [answer.code // 100 for answer in grouped] == [answer.code // 100 for answer in single]
    return satisfied(got, expected) if same else violated(got, expected)
