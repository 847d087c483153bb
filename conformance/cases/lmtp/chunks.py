"""BDAT over LMTP: the last chunk has a reply for each recipient that was taken, any other chunk one (RFC 2033 §4.3)."""

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.lmtp.data import good_recipients
from conformance.cases.lmtp.replies import begin_for, final_answers, judge_count
from conformance.cases.smtp.chunks import chunk
from conformance.cases.smtp.groups import rcpt_command
from conformance.judgement import Judgement, declined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer


@case("lmtp.bdat.last-per-rcpt", variants={"one-chunk": 1, "two-chunks": 2, "empty-last": 0})
async def the_last_chunk_has_a_reply_for_each(peer: SmtpPeer, chunks: int) -> Judgement:
    """After the last chunk there is one reply for each recipient that was taken."""
    recipients = good_recipients(peer, 3)
    await peer.open()
    peer.require("CHUNKING")
    await begin_for(peer, recipients)
    message = peer.message()
    if chunks != 1:
        first, message = (message[:50], message[50:]) if chunks else (message, b"")
        await peer.send(chunk(first))
        peer.must(await peer.answer(), to=b"BDAT")
    await peer.send(chunk(message, last=True))
    return judge_count(await final_answers(peer, len(recipients)), len(recipients))


@case("lmtp.bdat.last-zero-rcpt")
async def the_last_chunk_for_nobody_has_no_reply(peer: SmtpPeer) -> Judgement:
    """A last chunk has no reply if every recipient was refused; a refusal is practice, too."""
    refused = rcpt_command(peer, peer.rejected)
    await peer.open()
    peer.require("CHUNKING")
    await peer.mail()
    peer.must(await peer.ask(refused), "5yz", to=refused)
    await peer.send(chunk(peer.another_message(), last=True) + b"NOOP\r\n")
    first = await peer.answer()
    second = await peer.answer_or_silence()
    return _of_nobody(first, second)


def _of_nobody(first: Answer, second: Answer) -> Judgement:
    """Judge the answers to a last chunk for nobody and to NOOP."""
    expected = "no reply to the chunk, then 2yz to NOOP"
    if first.yes and second.reply is None:
        return satisfied(f"{first} to NOOP alone", expected)
    got = f"{first} to the chunk, then {second}"
    if first.no or first.later:
        return declined(got, expected)
    return violated(got, expected) if first.yes else undetermined(got, expected)


@case("lmtp.bdat.middle-single")
async def another_chunk_has_one_reply(peer: SmtpPeer) -> Judgement:
    """A chunk that is not the last has one reply, however many the recipients."""
    recipients = good_recipients(peer, 3)
    await peer.open()
    peer.require("CHUNKING")
    await begin_for(peer, recipients)
    message = peer.message()
    await peer.send(chunk(message[:50]))
    answer = await peer.answer()
    if not answer.yes:
        return undetermined(f"{answer} to a chunk")
    await peer.send(chunk(message[50:], last=True))
    answers = await final_answers(peer, len(recipients))
    return judge_count([answer, *answers], 1 + len(recipients))
