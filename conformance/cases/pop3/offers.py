"""What the cases of POP3's capabilities have in common: lists that must end, and tags in each state."""

from typing import Final

from conformance.judgement import Judgement, NotApplicable, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.subject import Capabilities
from loadgen.wire.printable import printable

_OK: Final = b"+OK"


async def judge_list(peer: Pop3Peer, command: bytes) -> Judgement:
    """Ask for a list that is offered, and judge its form: +OK, lines, and a line with a dot."""
    answer = await peer.ask(command, multi_line=True)
    to = command.decode()
    expected = f"+OK, lines, and a dot to {to}"
    if answer.ok:
        return satisfied(f"{answer} to {to}", expected)
    if answer.err:
        return (undetermined if answer.not_now else violated)(f"{answer} to {to}", expected)
    if answer.silent and peer.pending.upper().startswith(_OK):
        return await _judge_endless(peer, to, expected)
    return undetermined(f"{answer} to {to}", expected)


async def _judge_endless(peer: Pop3Peer, to: str, expected: str) -> Judgement:
    """Find out whether a list is merely slow: what is asked next is answered once it is over."""
    before = peer.pending
    await peer.send(b"NOOP\r\n")
    await peer.answer(multi_line=True)
    after = peer.pending
    answered = after[len(before):].upper().startswith((b"+OK", b"-ERR"))
    got = f'"{printable(before, 120)}" to {to}, and no end of it'
    return violated(got, expected) if answered else undetermined(got, expected)


async def offered(peer: Pop3Peer) -> Capabilities:
    """Return what CAPA lists now. NotApplicable if there is no CAPA at all."""
    answer = await peer.ask(b"CAPA")
    if answer.err and not answer.not_now and peer.subject.found.pop3.capabilities is None:
        raise NotApplicable("CAPA is not offered")       # RFC 2449 §5: it is optional
    Pop3Peer.must(answer, to=b"CAPA")
    assert answer.response is not None
    return tags_of(answer)


def tags_of(answer: Pop3Answer) -> Capabilities:
    """Return the parameters of the capabilities in an answer, by tag in upper case."""
    words = [line.decode("ascii", "backslashreplace").split() for line in answer.lines]
    return {tag.upper(): tuple(parameters) for tag, *parameters in filter(None, words)}


async def required(peer: Pop3Peer, tag: str) -> tuple[str, ...]:
    """Return a capability's parameters; NotApplicable if it is not listed now."""
    listed = await offered(peer)
    if tag not in listed:
        raise NotApplicable(f"{tag} is not listed here")
    return listed[tag]
