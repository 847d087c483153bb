"""LIST (RFC 1939 §5), and the sizes that it gives (§11)."""

import re
from typing import Final

from conformance.case import case
from conformance.cases.pop3.crowd import crowded, remove
from conformance.cases.pop3.responses import NO_MESSAGE, NO_NUMBER, listed, no_such, refused
from conformance.judgement import Judgement, Undetermined, declined, observed, satisfied, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import DOTTED, LONG_LINES, PLAIN, TEN_LINES, UTF8, Sample
from loadgen.wire.printable import printable

SAMPLED: Final = 10                  # messages are asked for one by one, from either end of a list
_SCAN_LISTING: Final = re.compile(rb"[0-9]+ [0-9]+(?: .*)?")


@case("pop3.list.all")
async def list_gives_every_message(peer: Pop3Peer) -> Judgement:
    """LIST gives a line for each message, with its number and its octets, and ends with a dot."""
    await peer.open(least=2)
    return await _complete(peer, await peer.count())


@case("pop3.list.all", variants={"many": None}, limit_s=600.0)
async def list_gives_very_many_messages(peer: Pop3Peer, _: None) -> Judgement:
    """LIST gives every message of a large maildrop; how large, the options say."""
    peer.may_destroy()
    copies = await crowded(peer)
    judgement = await _complete(peer, await peer.count())
    await remove(peer, copies)
    return judgement


async def _complete(peer: Pop3Peer, count: int) -> Judgement:
    answer = await listed(peer, b"LIST")
    if isinstance(answer, Judgement):
        return answer
    expected = f"{count} lines, each a number and a size"
    odd = next((line for line in answer.lines if not _SCAN_LISTING.fullmatch(line)), None)
    if odd is not None:
        return violated(f'"{printable(odd, 80)}"', expected)
    return (satisfied if len(answer.lines) == count else violated)(answer, expected)


@case("pop3.list.one", variants={"first": 1, "second": 2})
async def list_gives_one_message(peer: Pop3Peer, number: int) -> Judgement:
    """LIST with a number gives that message's number and octets, in a single line."""
    await peer.open(least=2)
    answer = await peer.ask(b"LIST %d" % number)
    if not answer.ok:
        return answer.expect("+OK", to=f"LIST {number}")
    expected = f"+OK {number} and its octets"
    if not re.fullmatch(rb"%d [0-9]+(?: .*)?" % number, answer.text):
        return violated(answer, expected)
    after = await peer.ask(b"NOOP")
    return (satisfied if after.ok else violated)(f"{answer}, and then {after} to NOOP", expected)


@case("pop3.list.agree")
async def both_forms_agree(peer: Pop3Peer) -> Judgement:
    """LIST with a number says of a message what LIST alone says of it."""
    await peer.open(least=2)
    sizes = await peer.sizes()
    for number in ends_of(list(sizes)):
        answer = await peer.ask(b"LIST %d" % number)
        if not answer.ok:
            return answer.expect("+OK", to=f"LIST {number}")
        expected = f"{number} {sizes[number]}, as LIST has it"
        if answer.text.split(b" ")[:2] != expected.partition(",")[0].encode().split(b" "):
            return violated(answer, expected)
    return satisfied(f"{len(ends_of(list(sizes)))} messages")


def ends_of(numbers: list[int]) -> list[int]:
    """Return the first and the last of some numbers, all of them if they are few."""
    return numbers if len(numbers) <= SAMPLED else numbers[: SAMPLED // 2] + numbers[-(SAMPLED // 2):]


@case("pop3.list.empty")
async def a_list_of_nothing(peer: Pop3Peer) -> Judgement:
    """LIST of an empty maildrop is a list without lines, and no error."""
    await peer.empty()
    await peer.log_in()
    answer = await listed(peer, b"LIST")
    if isinstance(answer, Judgement):
        return answer
    if not answer.lines:
        return satisfied(answer)
    await peer.must_hold_nothing()
    return violated(answer, "+OK, and the dot")


@case("pop3.list.ascending")
async def every_number_is_listed_once(peer: Pop3Peer) -> Judgement:
    """LIST numbers the messages from 1 on, without a gap, each once."""
    await peer.open(least=3)
    answer = await listed(peer, b"LIST")
    if isinstance(answer, Judgement):
        return answer
    said = [line.partition(b" ")[0] for line in answer.lines]
    wanted = [b"%d" % number for number in range(1, len(said) + 1)]
    got = printable(b" ".join(said), 200)
    if said == wanted:
        return satisfied(got)
    return (declined if sorted(said) == sorted(wanted) else violated)(got, "1, 2, 3 and so on")


@case("pop3.list.invalid", variants=NO_MESSAGE | NO_NUMBER)
async def list_of_no_message(peer: Pop3Peer, argument: bytes) -> Judgement:
    """LIST with what is no message's number is refused."""
    await peer.open(least=1)
    return await no_such(peer, b"LIST", argument)


@case("pop3.list.invalid", variants={"leading-zero": b"01", "plus": b"+1"})
async def list_of_an_odd_number(peer: Pop3Peer, argument: bytes) -> Judgement:
    """A number with a zero or a plus in front is refused, or is that number and no other."""
    await peer.open(least=2)
    await peer.control(b"LIST 1")
    answer = await peer.ask(b"LIST " + argument)
    if answer.response is None:
        raise Undetermined(str(answer))
    another = answer.ok and re.match(rb"\+?0*1(?: |$)", answer.text) is None
    return violated(answer, "message 1, or -ERR") if another else observed(answer)


@case("pop3.list.deleted-one", variants={"first": 1, "last": -1})
async def list_of_a_deleted_message(peer: Pop3Peer, at: int) -> Judgement:
    """LIST with the number of a message that is marked as deleted is refused."""
    number = await _delete(peer, at)
    answer = await peer.ask(b"LIST %d" % number)
    await peer.ask(b"RSET")
    return refused(answer, f"LIST {number}, which is deleted")


async def _delete(peer: Pop3Peer, at: int) -> int:
    peer.may_destroy()
    await peer.open(least=3)
    number = at if at > 0 else await peer.count() + 1 + at
    await peer.control(b"LIST %d" % number)
    await peer.control(b"DELE %d" % number)
    return number


@case("pop3.list.deleted-hidden", variants={"first": 1, "middle": 2, "last": -1})
async def list_leaves_deleted_out(peer: Pop3Peer, at: int) -> Judgement:
    """LIST leaves out a message that is marked as deleted, and gives the others the numbers they had."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await peer.sizes()
    if len(before) < 3:
        raise Undetermined(f"LIST lists {len(before)} of three messages")
    number = at if at > 0 else max(before)
    await peer.control(b"DELE %d" % number)
    answer = await listed(peer, b"LIST")
    await peer.ask(b"RSET")
    if isinstance(answer, Judgement):
        return answer
    said = [line.split(b" ")[:2] for line in answer.lines]
    wanted = [[b"%d" % one, b"%d" % octets] for one, octets in before.items() if one != number]
    got = printable(b", ".join(map(b" ".join, said)), 200)
    expected = f"the same list without {number}"
    return (satisfied if sorted(said) == sorted(wanted) else violated)(got, expected)


@case("pop3.list.no-trailing", variants={"all": b"LIST", "one": b"LIST 1"})
async def nothing_follows_a_size(peer: Pop3Peer, command: bytes) -> Judgement:
    """A scan listing ends with the size."""
    await peer.open(least=1)
    answer = await listed(peer, command)
    if isinstance(answer, Judgement):
        return answer
    lines = answer.lines if answer.body else (answer.text,)
    more = next((line for line in lines if line.count(b" ") > 1), None)
    return satisfied(answer) if more is None else violated(f'"{printable(more, 80)}"', "a number and a size")


@case("pop3.list.size-exact")
async def a_size_is_what_comes(peer: Pop3Peer) -> Judgement:
    """A message's size is the octets that RETR gives, CRLF counted as two and stuffing not at all."""
    samples = (PLAIN, TEN_LINES) if peer.can_fill else ()
    await peer.open(*samples, least=1)
    sizes = await peer.sizes()
    numbers = [peer.number_of(sample) for sample in samples] or ends_of(list(sizes))
    for number in numbers:
        judgement = await _weighed(peer, number, sizes.get(number))
        if judgement is not None:
            return judgement
    return satisfied(f"{len(numbers)} messages, each as long as LIST says")


@case("pop3.list.size-dots")
async def stuffing_is_not_counted(peer: Pop3Peer) -> Judgement:
    """A message's size does not count the dots that its lines are stuffed with."""
    return await _as_long_as_listed(peer, DOTTED)


@case("pop3.list.size-long-utf8", variants={"long-lines": LONG_LINES, "utf-8": UTF8})
async def a_size_is_octets(peer: Pop3Peer, sample: Sample) -> Judgement:
    """A message's size is octets, not characters, however long its lines are."""
    return await _as_long_as_listed(peer, sample)


async def _as_long_as_listed(peer: Pop3Peer, sample: Sample) -> Judgement:
    await peer.open(sample)
    number = peer.number_of(sample)
    judgement = await _weighed(peer, number, (await peer.sizes()).get(number))
    return satisfied("as many octets as LIST says") if judgement is None else judgement


async def _weighed(peer: Pop3Peer, number: int, size: int | None) -> Judgement | None:
    """Hold a size against what RETR gives; None if it is right."""
    answer = await peer.ask(b"RETR %d" % number)
    if not answer.ok:
        raise Undetermined(f"{answer} to RETR {number}")
    if size is None:
        raise Undetermined(f"LIST does not list {number}")
    octets = len(answer.body)
    return None if size == octets else violated(_said(size, answer), f"{octets} octets, as RETR {number} gives them")


def _said(size: int, answer: Pop3Answer) -> str:
    content = answer.body
    counts = {
        "LF for CRLF": len(content) - content.count(b"\r\n"),
        "the stuffing": len(answer.stuffed) - 3,
        "characters": len(content.decode("utf-8", "replace")),
        "the line with the dot": len(answer.stuffed),
    }
    how = next((how for how, octets in counts.items() if octets == size), None)
    return f"{size} octets" + (f": that counts {how}" if how else "")
