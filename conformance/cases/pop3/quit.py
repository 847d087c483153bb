"""QUIT and the UPDATE state (RFC 1939 §6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.case import case
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer

CLOSES_WITHIN_S: Final = 10.0
LINGERS_S: Final = 30.0              # a lock that is kept for longer keeps a user from his mail
STILL_S: Final = 60.0                # how long it is looked whether it is given back at all
AGAIN_S: Final = 0.25                # between two logins
NAMED_MAX: Final = 40                # messages that are told apart by what they hold, where UIDL is not offered
MARKED: Final[Mapping[str, tuple[int, ...]]] = {"first": (1,), "second": (2,), "last": (-1,), "two": (1, 3)}
_MESSAGE_ID: Final = re.compile(rb"(?im)^Message-ID:[ \t]*(<[^>\r\n]+>)")


async def names_of(peer: Pop3Peer) -> list[bytes]:
    """Return what tells the messages from one another, in the order of their numbers.

    That is unique-ids, else Message-IDs, else bodies: a store may add fields of its own to a header.
    """
    answer = await peer.ask(b"UIDL")
    if answer.ok:
        return [line.partition(b" ")[2] for line in answer.lines]
    count = await peer.count()
    if count > NAMED_MAX:
        raise NotApplicable("UIDL is not offered, and there are too many messages to be read one by one")
    messages = [(await peer.control(b"RETR %d" % number)).body or b"" for number in range(1, count + 1)]
    return [_name_of(message) for message in messages]


def _name_of(message: bytes) -> bytes:
    header, _, body = message.partition(b"\r\n\r\n")
    found = _MESSAGE_ID.search(header)
    return found[1] if found is not None else body


async def names_in_the_next_session(peer: Pop3Peer) -> list[bytes]:
    """Return what a new session holds, as `names_of` does, once it is let in."""
    again, answer, _ = await come_again(peer)
    peer.must(answer, to=b"the next login")
    names = await names_of(again)
    await again.quit()
    return names


@dataclass(frozen=True, slots=True)
class Left:
    """What an update has left, by the numbers that the messages had before."""

    still_there: tuple[int, ...]         # and ought to be gone
    gone_as_well: tuple[int, ...]        # and ought to be there
    expected: str

    @classmethod
    def of(cls, before: list[bytes], after: list[bytes], numbers: tuple[int, ...]) -> "Left":
        """Hold what is left against what was there when those with some numbers were to be removed."""
        there = {number for number, name in enumerate(before, 1) if name in after}
        others = set(range(1, len(before) + 1)) - set(numbers)
        expected = f"{len(others)} messages, all but {', '.join(map(str, numbers))}"
        return cls(tuple(sorted(there & set(numbers))), tuple(sorted(others - there)), expected)

    def judge(self, *, still: bool = True, gone: bool = True) -> Judgement:
        """Judge whether what ought to be gone is, and whether nothing else is."""
        if gone and self.gone_as_well:
            return violated(f"{', '.join(map(str, self.gone_as_well))} gone as well", self.expected)
        if still and self.still_there:
            return violated(f"{', '.join(map(str, self.still_there))} still there", self.expected)
        return satisfied("as was marked", self.expected)


async def _removed(peer: Pop3Peer, numbers: tuple[int, ...]) -> Left:
    peer.may_destroy()
    await peer.open(least=3)
    before = await names_of(peer)
    numbers = tuple(number if number > 0 else len(before) for number in numbers)
    for number in numbers:
        await peer.control(b"DELE %d" % number)
    await peer.control(b"QUIT")
    return Left.of(before, await names_in_the_next_session(peer), numbers)


@case("pop3.quit.commits", variants={"one": (1,), "two": (1, 3)})
async def quit_removes_what_is_marked(peer: Pop3Peer, numbers: tuple[int, ...]) -> Judgement:
    """QUIT removes what is marked as deleted."""
    return (await _removed(peer, numbers)).judge(gone=False)


@case("pop3.quit.only-marked", variants=MARKED)
async def quit_removes_nothing_else(peer: Pop3Peer, numbers: tuple[int, ...]) -> Judgement:
    """QUIT removes what is marked, and nothing else."""
    return (await _removed(peer, numbers)).judge(still=False)


@case("pop3.quit.reply-then-close", variants={"authorization": False, "transaction": True})
async def quit_is_answered_before_the_close(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """QUIT is answered with +OK, and then the server closes the connection."""
    await (peer.open() if logged_in else peer.prelude())
    answer = await peer.quit()
    if answer.closed:
        return violated(f"{answer} without an answer to QUIT", "+OK, and then a close")
    if not answer.ok:
        return answer.expect("+OK", to="QUIT")
    end = await peer.answer(CLOSES_WITHIN_S)
    if end.closed:
        return satisfied(f"{answer}, and then {end}")
    after = await peer.ask(b"NOOP")      # it is late, which no RFC sets a limit for; but is it still at work?
    expected = "+OK, and then a close"
    return (declined if after.response is None else violated)(f"{answer}, and then {after} to NOOP", expected)


@case("pop3.quit.lock-released", alone=True)
async def who_has_quit_may_come_again(peer: Pop3Peer) -> Judgement:
    """After QUIT one can log in again at once."""
    await peer.open()
    await peer.control(b"QUIT")
    await peer.answer(CLOSES_WITHIN_S)
    answer, waited_s = await freed(peer)
    expected = "+OK to the next login"
    if not answer.ok:
        return violated(f"{answer} to a login {waited_s:.3g} s after QUIT", expected)
    return satisfied(answer, expected) if waited_s < AGAIN_S else late(answer, waited_s, expected)


def late(answer: Pop3Answer, waited_s: float, expected: str) -> Judgement:
    """Judge a login that came to be possible only after some time."""
    got = f"{answer} to a login {waited_s:.3g} s later, and -ERR before"
    return (declined if waited_s <= LINGERS_S else violated)(got, expected)


async def freed(peer: Pop3Peer) -> tuple[Pop3Answer, float]:
    """See when one can log in again; return the last answer and the seconds that it took."""
    session, answer, waited_s = await come_again(peer)
    if answer.ok:
        await session.quit()
    return answer, waited_s


async def come_again(peer: Pop3Peer) -> tuple[Pop3Peer, Pop3Answer, float]:
    """Log in again and again until it can be done, or for so long that it ought to be."""
    waited_s = 0.0
    pause_s = AGAIN_S
    while True:
        session = peer.another()
        answer = await session.try_log_in()
        if answer.response is None:
            raise Undetermined(f"{answer} to the login")
        if answer.ok or waited_s >= STILL_S:
            return session, answer, waited_s
        await session.hang_up()
        await peer.pause(pause_s)
        waited_s += pause_s
        pause_s = min(2 * pause_s, 4.0)
