"""Counting the replies to the end of mail data: LMTP gives one for each recipient that was taken (RFC 2033 §4.2)."""

from collections.abc import Sequence
from typing import Final

from conformance.answer import Answer
from conformance.cases.smtp.groups import SHUT, codes_of
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

GOODBYE: Final = "221"
REPLIES_MAX: Final = 1_000


async def begin_for(peer: SmtpPeer, recipients: Sequence[bytes]) -> None:
    """Come to where DATA may be said for these recipients, all of whom are taken."""
    if not peer.is_open:
        await peer.open()
    await peer.mail()
    for recipient in recipients:
        await peer.rcpt(recipient)


async def send_message(peer: SmtpPeer) -> None:
    """Send a message of this case by DATA, its end included; nothing is read after 354."""
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))


async def final_answers(peer: SmtpPeer, due: int) -> list[Answer]:
    """Return all the answers to the end of mail data, of which so many are due; the session is over then.

    None is missed and none invented by waiting: once as many have come as are due, or none any more, QUIT is said, and
    221 is the last that a session hears.
    """
    answers = [await peer.answer()]
    if answers[0].reply is None:
        raise Undetermined(f"{answers[0]} after the end of the mail data")
    while len(answers) < due and (answer := await peer.answer_or_silence()).reply is not None:
        answers.append(answer)
    await peer.send(b"QUIT\r\n")
    while len(answers) < REPLIES_MAX and (answer := await peer.answer()).reply is not None:
        answers.append(answer)
    if not answers[-1].matches(GOODBYE) or any(answer.matches(SHUT) for answer in answers):
        raise Undetermined(f"{codes_of(answers)} to the mail data and QUIT, then it {answer}")
    return answers[:-1]


def judge_count(answers: Sequence[Answer], due: int) -> Judgement:
    """Judge the number of the answers."""
    got = f"{len(answers)} replies: {codes_of(answers[:10])}" + (" …" if len(answers) > 10 else "")
    return (satisfied if len(answers) == due else violated)(got, f"{due} replies, one for each recipient")


def over_quota(peer: SmtpPeer) -> bytes:
    """Return a recipient whose maildrop is full."""
    declared = peer.subject.declared.addresses.over_quota
    if not declared:
        raise NotApplicable("needs an address whose maildrop is full (addresses.over_quota)")
    return declared[0].encode()


async def take_over_quota(peer: SmtpPeer) -> None:
    """Name the recipient whose maildrop is full; NotApplicable if that is told at once."""
    answer = await peer.ask(b"RCPT TO:<" + over_quota(peer) + b">")
    if not answer.yes:
        raise NotApplicable(f"the full maildrop is refused at RCPT: {answer}")
