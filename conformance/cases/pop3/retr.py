"""RETR (RFC 1939 §5)."""

from typing import Final

from conformance.case import case
from conformance.cases.pop3.responses import NO_MESSAGE, NO_NUMBER, difference, listed, no_such, refused, same_as_sent
from conformance.judgement import Judgement, Undetermined, declined, satisfied, violated
from conformance.pop3_peer import Pop3Peer
from conformance.samples import DOT_ALONE, DOT_LAST, DOTTED, EDGES, INNER_DOTS, PLAIN, UNENDED, Sample
from loadgen.wire.printable import printable

LARGE_OCTETS: Final = 50 << 20
NO_ARGUMENT: Final = {"none": b"RETR", "two": b"RETR 1 2"}


@case("pop3.retr.ok")
async def retr_gives_a_message(peer: Pop3Peer) -> Judgement:
    """RETR is answered with +OK, the message, and the dot that ends it."""
    number = await peer.open_one(PLAIN)
    answer = await listed(peer, b"RETR %d" % number)
    if isinstance(answer, Judgement):
        return answer
    if peer.can_fill:
        return await same_as_sent(peer, answer, PLAIN, number, "+OK and the message")
    after = await peer.ask(b"NOOP")
    sound = answer.body and after.ok
    return (satisfied if sound else violated)(f"{answer}, and then {after} to NOOP", "+OK, a message and a dot")


async def _given_back(peer: Pop3Peer, sample: Sample, expected: str) -> Judgement:
    await peer.open(sample)
    number = peer.number_of(sample)
    answer = await listed(peer, b"RETR %d" % number)
    if isinstance(answer, Judgement):
        return answer
    return await same_as_sent(peer, answer, sample, number, expected)


@case("pop3.retr.identical-twice")
async def retr_gives_the_same_twice(peer: Pop3Peer) -> Judgement:
    """RETR gives a message as often as it is asked for, and always the same."""
    await peer.open(least=2)
    said = [b"RETR 1", b"RETR 1", b"NOOP", b"RETR 1", b"RETR 2", b"RETR 1"]
    answers = [await peer.ask(command) for command in said]
    missing = next((answer for answer in answers if not answer.ok), None)
    if missing is not None:
        return missing.expect("+OK", to="RETR once more") if answers[0].ok else missing.expect("+OK", to="RETR 1")
    first, *others = [answer.body for command, answer in zip(said, answers, strict=True) if command == b"RETR 1"]
    another = next((body for body in others if body != first), None)
    if another is None:
        return satisfied(f"{len(first)} octets each time")
    return violated(difference(another, first), f"the {len(first)} octets that came first")


@case("pop3.retr.deleted", variants={"first": 1, "second": 2})
async def retr_of_a_deleted_message(peer: Pop3Peer, number: int) -> Judgement:
    """RETR of a message that is marked as deleted is refused."""
    peer.may_destroy()
    await peer.open(least=2)
    await peer.control(b"RETR %d" % number)
    await peer.control(b"DELE %d" % number)
    answer = await peer.ask(b"RETR %d" % number, multi_line=False)
    if answer.err:
        await peer.ask(b"RSET")
    return refused(answer, f"RETR {number}, which is deleted")


@case("pop3.retr.invalid", variants=NO_MESSAGE | NO_NUMBER)
async def retr_of_no_message(peer: Pop3Peer, argument: bytes) -> Judgement:
    """RETR of what is no message's number is refused."""
    await peer.open(least=1)
    return await no_such(peer, b"RETR", argument)


@case("pop3.retr.invalid", variants=NO_ARGUMENT)
async def retr_takes_one_number(peer: Pop3Peer, command: bytes) -> Judgement:
    """RETR without a number, or with two, is refused."""
    await peer.open(least=1)
    await peer.control(b"RETR 1")
    return refused(await peer.ask(command, multi_line=False), printable(command))


@case("pop3.retr.stuffed", variants={"lines": DOTTED, "last-line": DOT_LAST, "only-line": DOT_ALONE})
async def dots_that_begin_lines_are_stuffed(peer: Pop3Peer, sample: Sample) -> Judgement:
    """A line that begins with a dot is given another; a dot alone does not end the message."""
    return await _given_back(peer, sample, "lines that begin with a dot stuffed, and only those")


@case("pop3.retr.not-overstuffed")
async def other_dots_are_left_alone(peer: Pop3Peer) -> Judgement:
    """A dot that does not begin a line is left as it is."""
    return await _given_back(peer, INNER_DOTS, "dots inside lines untouched")


@case("pop3.retr.stuff-boundary")
async def no_edge_of_a_buffer_misplaces_a_dot(peer: Pop3Peer) -> Judgement:
    """Dots that begin lines are stuffed wherever they fall in a server's buffers."""
    return await _given_back(peer, EDGES, "dots at every distance from every 2**n octets stuffed, and none twice")


@case("pop3.retr.no-final-newline")
async def a_message_without_a_last_line_ending_ends(peer: Pop3Peer) -> Judgement:
    """A message that was handed in without a last CRLF is given with one, before the dot."""
    await peer.open(UNENDED)
    answer = await listed(peer, b"RETR %d" % peer.number_of(UNENDED))
    if isinstance(answer, Judgement):
        return answer
    line = UNENDED.body.rpartition(b"\r\n")[2]
    expected = f'"{printable(line)}", and the dot on a line of its own'
    after = await peer.ask(b"NOOP")
    if line in answer.lines and after.ok:
        return satisfied(answer, expected)
    last = answer.lines[-1] if answer.lines else b""
    return violated(f'"{printable(last, 80)}" and the dot, and then {after} to NOOP', expected)


@case("pop3.retr.no-side-effect", variants={"session": False, "next-session": True})
async def retr_changes_nothing(peer: Pop3Peer, again: bool) -> Judgement:
    """A message that RETR gave is still there, in the session and in the next one."""
    await peer.open(least=2)
    before = await peer.stat()
    lay = await peer.lay()                   # before they were read, so that we know what they are
    if before[0] < lay:
        return _changed(peer, f"{before[0]} messages are left of {lay} that were read", f"{lay} messages")
    await peer.control(b"RETR 1")
    await peer.control(b"RETR 2")
    session = peer
    if again:
        await peer.control(b"QUIT")
        session = peer.another()
        await session.log_in()
    answer = await session.ask(b"STAT")
    if not answer.ok:
        raise Undetermined(f"{answer} to STAT")
    expected = f"{before[0]} {before[1]}, as before RETR"
    if answer.text.split(b" ")[:2] == [b"%d" % one for one in before]:
        return satisfied(answer, expected)
    if again and answer.text.split(b" ")[0] == b"%d" % before[0]:
        return declined(answer, expected)        # a store that keeps fields of its own, such as what has been read
    return _changed(peer, str(answer), expected)


def _changed(peer: Pop3Peer, got: str, expected: str) -> Judgement:
    """Judge that RETR has changed a maildrop, which only EXPIRE 0 allows (RFC 2449 §6.7)."""
    return (declined if peer.subject.found.expires_at_once else violated)(got, expected)


@case("pop3.retr.large", alone=True)
async def a_large_message_comes_whole(peer: Pop3Peer) -> Judgement:
    """A large message comes whole: of 50 MiB, if so large a one is allowed (allow.message_octets_max) and taken."""
    peer.may_destroy()
    sample = peer.largest(min(LARGE_OCTETS, peer.subject.declared.allow.message_octets_max))
    number = await peer.with_one_more(sample)
    answer = await listed(peer, b"RETR %d" % number)
    if isinstance(answer, Judgement):
        return answer
    body = answer.body.partition(b"\r\n\r\n")[2]
    expected = f"{len(sample.body)} octets of body"
    await peer.ask(b"DELE %d" % number)
    await peer.quit()
    if body == sample.body:
        return satisfied(expected, expected)
    return violated(f"{len(body)} octets: {difference(body, sample.body)}", expected)
