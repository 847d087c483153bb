"""A chunk is counted: nothing in it is its end, and what is refused of it is no command (RFC 3030 §2)."""

from typing import Final

from conformance.case import case
from conformance.cases.smtp.chunks import chunk, judge_swallowed, ready_for_chunks, send_in_chunks
from conformance.cases.smuggle.end_of_data import ONE_ANSWER, TRUE_END
from conformance.cases.smuggle.forms import FORMS
from conformance.judgement import Judgement, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

IN_A_CHUNK: Final = {"true-end": TRUE_END, **{name: form.octets for name, form in FORMS.items()}}
ONE: Final = f"{ONE_ANSWER.partition(',')[0]}, to the whole chunk"
WHEN: Final = ("before-mail", "before-rcpt", "after-last")


@case("smuggle.in.bdat-body", variants=IN_A_CHUNK)
async def nothing_ends_a_chunk_but_its_size(peer: SmtpPeer, form: bytes) -> Judgement:
    """What ends mail data elsewhere, or looks like it, is content in a chunk."""
    await ready_for_chunks(peer)
    await peer.begin_transaction()
    before, rest = peer.message(b"A line without an end") + form, b"NOOP\r\nNOOP\r\nmore of it\r\n"
    await peer.send(b"BDAT %d LAST\r\n" % (len(before) + len(rest)))
    await peer.send(before)
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the whole chunk had come", ONE)
    if not early.silent:
        return satisfied(f"{early} amid the chunk", ONE)
    await peer.send(rest)
    final = await peer.answer()
    if final.reply is None and not final.closed:
        return undetermined(f"{final} after the chunk", ONE)
    if not final.closed:
        second = await peer.answer_or_silence()
        if second.reply is not None and second.code != 421:
            return violated(f"{final}, then {second}: more than one answer", ONE)
    return satisfied(f"{final} to the chunk", ONE)


@case("smuggle.in.bdat-mixed", variants={when: when for when in WHEN})
async def a_transaction_in_a_refused_chunk_is_none(peer: SmtpPeer, when: str) -> Judgement:
    """A mail transaction written out in a chunk that is refused is swallowed, and not carried out."""
    await ready_for_chunks(peer)
    if when == "before-rcpt":
        await peer.mail()
    if when == "after-last":
        peer.must(await send_in_chunks(peer, peer.another_message()), to=b"the last chunk")
    envelope = b"MAIL FROM:<" + peer.sender + b">\r\nRCPT TO:<" + peer.recipient + b">\r\nDATA\r\n"
    await peer.send(chunk(envelope + stuff(peer.message(b"Smuggled.\r\n"))))
    return await judge_swallowed(peer)
