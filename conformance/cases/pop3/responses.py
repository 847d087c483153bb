"""How the cases of TRANSACTION judge an answer, where indicator and lines are not enough."""

from typing import Final

from conformance.judgement import Judgement, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import Sample
from loadgen.wire.printable import printable

# No message has these numbers, `%d` being one more than there are. Not in the list: what reads as a number all the
# same, with a sign or a zero in front.
NO_MESSAGE: Final = {
    "zero": b"0", "beyond": b"%d", "negative": b"-1", "word": b"abc", "huge": b"99999999999999999999",
    "wraps-32-bits": b"4294967297", "wraps-64-bits": b"18446744073709551617",
}
NO_NUMBER: Final = {"fraction": b"1.5", "hexadecimal": b"0x1", "word-behind": b"1abc"}


def refused(answer: Pop3Answer, to: str) -> Judgement:
    """Judge the answer to what cannot be done: -ERR, not +OK, and not the end of the session either."""
    if answer.closed:
        return violated(f"{answer} instead of answering {to}", f"-ERR to {to}")
    return answer.expect("-ERR", to=to)


async def no_such(
    peer: Pop3Peer, command: bytes, argument: bytes, behind: bytes = b"", *, control: bytes | None = None
) -> Judgement:
    """Ask a command for a message that there is not, and judge the answer; lines that follow a +OK are left unread.

    What it does with the first message is the control, or another command.
    """
    if b"%d" in argument:
        argument %= await peer.count() + 1
    await peer.control(command + b" 1" + behind if control is None else control)
    said = command + b" " + argument + behind
    return refused(await peer.ask(said, multi_line=False), printable(said))


async def listed(peer: Pop3Peer, command: bytes) -> Pop3Answer | Judgement:
    """Ask for lines, and return the answer if it is +OK with them; else what is to be said of it.

    A +OK whose lines have no end is one thing with silence, unless the server goes on to answer the next command.
    """
    answer = await peer.ask(command)
    asked = printable(command)
    if answer.ok:
        return answer
    if answer.silent and peer.pending.upper().startswith(b"+OK"):
        begun = peer.pending
        await peer.send(b"NOOP\r\n")
        await peer.answer_or_silence()
        if len(peer.pending) != len(begun):
            got = f"{printable(begun[-80:])}, and then nothing, to {asked}"
            return violated(got, "lines, and a dot that ends them")
    if answer.closed:
        return violated(f"{answer} instead of answering {asked}", f"+OK to {asked}")
    return answer.expect("+OK", to=asked)


def substance(answer: Pop3Answer) -> tuple[bool, object]:
    """Return what an answer says of messages: its lines, or its first two words; the rest is a server's own words."""
    if answer.response is not None and answer.response.body is not None:
        return answer.ok, answer.body
    return answer.ok, answer.text.split(b" ")[:2]


async def same_as_sent(peer: Pop3Peer, answer: Pop3Answer, sample: Sample, number: int, expected: str) -> Judgement:
    """Judge whether RETR gave a message as it was handed in.

    If it did not, and its octets are those that LIST has for it, then that is what lies in the maildrop: how it got
    there is no question to POP3.
    """
    mark, body = peer.message_of(sample)
    header, _, got = answer.body.partition(b"\r\n\r\n")
    if mark in header and got == body:
        return satisfied(f"{len(answer.body)} octets, as handed in", expected)
    away = difference(got, body) if mark in header else f'no message of ours: "{printable(header, 80)}"'
    after = await peer.ask(b"NOOP")
    if not after.ok:                     # what is left of a message that seemed to have ended
        return violated(f"{away}, and then {after} to NOOP", expected)
    sizes = await peer.ask(b"LIST %d" % number)
    if sizes.text.split(b" ")[1:2] == [b"%d" % len(answer.body)]:
        return undetermined(f"{away}; LIST counts it so: it was not stored as it was handed in", expected)
    return violated(away, expected)


def difference(got: bytes, wanted: bytes) -> str:
    """Say where two contents differ first."""
    ours, theirs = wanted.split(b"\r\n"), got.split(b"\r\n")
    for at, (one, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if one != other:
            return f'line {at} of the body is "{printable(other, 60)}" and was "{printable(one, 60)}"'
    return f"{len(theirs)} lines of body and not {len(ours)}"
