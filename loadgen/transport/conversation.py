"""A conversation that a poller can lead by itself: what is said next follows at once from what was heard.

A task's turn for every answer costs more than most answers do. So the greater part of a session that goes as hoped
is a generator, and is resumed right where the octets are read. It knows nothing but the plain course: at the first
thing that is otherwise it ends, and the session goes over it again by its ordinary code (`Transport.rehearse`).
"""

from collections.abc import Callable, Generator, Iterator
from operator import itemgetter
from typing import Final, NamedTuple, Protocol

import trio

from loadgen.transport.channel import Channel, ask_in_turn
from loadgen.transport.errors import PeerClosed, TransportError, TransportTimeout

Pieces = tuple[bytes | memoryview, ...]      # octets to be sent together, not copied together
Heard = tuple[bytes, float]       # what one read gave (b"": the end), and when: seconds of trio's clock
Say = tuple[bytes | Pieces, float]           # what to say (b"": nothing), and by when an answer must have begun
Steps = Generator[Say, Heard, None]
Counted = tuple[str, str, str | None]     # a phase, a reply code, an enhanced status code: what replies are counted by
_NS_PER_S: Final = 1_000_000_000
_OCTETS: Final[Callable[[Heard], bytes]] = itemgetter(0)


class Hopes(Protocol):
    """The answers to one question that are as hoped: a dict of those that were heard before.

    Of an answer that lines follow it is the first line that is known; its lines are looked at each time.
    """

    def get(self, octets: bytes, /) -> Counted | None:
        """Return what these octets count as if they are known."""

    def goes_on(self, octets: bytes) -> bool:
        """Say whether these octets may be only the beginning of an answer."""

    def judge(self, octets: bytes) -> Counted | None:
        """Return what an answer counts as if it is as hoped."""



class Stage(NamedTuple):
    """What a question is asked in, and what is hoped for."""

    phase: str                   # its name in documents
    limit_s: float
    hopes: Hopes
    lines_octets: int = 0        # the most an answer may have that lines follow, up to one of a dot alone; 0: none do
    in_part: bool = False        # the phase goes on with the next question, and is timed as one


Question = tuple[Stage, bytes | Pieces]     # and what is said in it
Round = tuple[Question, ...]
LEG: Final[Round] = ()       # no round: here a leg begins, and what was said and heard in the one before is done with
# A connection a native lane is to make: family, where to and from (a `struct sockaddr`, or None), phase, limit in s.
Beginning = tuple[int, bytes, bytes | None, str, float]
Noted = tuple[bool, bytes | Pieces]         # whether we said it, and what


class Log(Protocol):
    """Where a conversation in rounds notes what happened, as it happens."""

    phase: str                               # the one under way
    timings: list[tuple[str, int, int]]      # (phase, started_ns, finished_ns)
    replies: list[Counted]


class Conversation:
    """The steps of a conversation, and all that came of them.

    A subclass is the one protocol's. Whatever leads it counts and keeps here, so nothing is lost if it is cancelled.
    One that is made of rounds, questions each of which is put when the one before was answered as hoped, has a `log`
    and `rounds` instead of `steps`: the native lane leads it through a round without asking.

    A long one has legs, behind an opening. It is gone over from the leg on in which something was otherwise, behind the
    same opening; what was heard in the legs before is not kept.
    """

    __slots__ = (
        "arrival", "began_s", "done", "failure", "heard", "log", "noted", "octets_sent", "past", "said", "started_s",
    )   # fmt: skip

    def __init__(self, log: Log | None = None) -> None:
        self.log = log                                 # None: it is not made of rounds
        self.arrival = 0                               # whose session it is
        self.noted: list[Noted] | None = None          # by a native lane, for whoever listens; None: nobody does
        self.said = b""                                # the last answer of the last round
        self.began_s = 0.0                             # set by whoever leads it: when it was connected
        self.started_s = 0.0                           # and by a native lane: when it began to connect
        self.done = False                              # it came to its end as hoped
        self.heard: list[Heard] = []
        self.failure: TransportError | None = None     # what ended it, where asking again would not tell
        self.octets_sent = 0
        self.past = 0, 0              # octets sent and received in the legs before, which are not gone over

    @property
    def octets_received(self) -> int:
        """Return how much was heard."""
        return self.past[1] + sum(map(len, map(_OCTETS, self.heard)))

    def steps(self) -> Steps:
        """Say and hear. Ends early wherever what was heard is not what was hoped for; sets `done` otherwise."""
        log = self.log
        assert log is not None, "made of rounds"
        clock = trio.lowlevel.current_clock().current_time
        timed, replied = log.timings.append, log.replies.append
        goes_on, started_ns = False, 0        # the phase, with another question
        opening: tuple[int, int] | None = None
        for questions in self.rounds():
            if questions == LEG:
                opening = self._begin_leg(opening)
                continue
            now_s = clock()               # what we did since the last answer is no time of the server's
            now_ns = int(now_s * _NS_PER_S)
            for (name, limit_s, hoped_for, lines_octets, in_part), said in questions:
                log.phase, deadline = name, now_s + limit_s
                if not goes_on:
                    started_ns = now_ns
                octets, now_s = yield said, deadline
                counted = None if lines_octets else hoped_for.get(octets)
                if counted is None:
                    more = octets
                    while more and hoped_for.goes_on(octets):
                        more, now_s = yield b"", deadline
                        octets += more
                    counted = hoped_for.judge(octets)
                    if counted is None:
                        return
                now_ns = int(now_s * _NS_PER_S)
                goes_on = in_part
                if not goes_on:
                    timed((name, started_ns, now_ns))
                replied(counted)
            self.said = octets

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next, one round after another, each time all answers to the last were as hoped.

        Sets `done` at the end, if it comes there. LEG stands before each leg, the first too, but not before its end.
        """
        raise NotImplementedError

    def _begin_leg(self, opening: tuple[int, int] | None) -> tuple[int, int]:
        """Forget the leg before, if there is one. Return the opening: how many reads, and how much we had said."""
        if opening is None:
            return len(self.heard), self.octets_sent
        reads, sent = opening
        received = self.octets_received
        octets, _ = self.heard[reads - 1]
        self.heard[reads - 1 :] = [(octets, self.heard[-1][1])]      # what follows it follows now
        self.past = self.octets_sent - sent, received - sum(map(len, map(_OCTETS, self.heard)))
        return opening


async def converse_in_turn(channel: Channel, conversation: Conversation) -> None:
    """Lead a conversation over any channel, from its first step to its last.

    Ends early, without raising, where the peer closes, fails, or is late.
    """
    steps = conversation.steps()
    clock = trio.lowlevel.current_clock()
    said, deadline = next(steps)
    while True:
        octets = b"".join(said) if isinstance(said, tuple) else said
        try:
            if octets:
                await channel.send(octets, deadline)
                conversation.octets_sent += len(octets)
        except PeerClosed:                   # it may have said why: the read tells
            pass
        except TransportError as error:      # how much of it was sent nobody knows
            conversation.octets_sent += len(octets)
            conversation.failure = error
            return
        try:
            heard = await channel.receive(deadline)
        except TransportTimeout:
            return
        except TransportError as error:
            conversation.failure = error
            return
        conversation.heard.append((heard, clock.current_time()))
        if not heard:
            return
        try:
            said, deadline = steps.send(conversation.heard[-1])
        except StopIteration:
            return


class Rehearsal:
    """A channel on which a conversation is gone over again: what was said is not sent, what was heard is heard again.

    Where the conversation stopped it goes on over the channel below. `now` tells the time as it was then, until the
    first wait of its own: an instant by which an answer is due does not move.
    """

    __slots__ = ("_at_s", "_channel", "_clock", "_failure", "_heard", "_live", "_sent")

    def __init__(self, channel: Channel, conversation: Conversation) -> None:
        self._channel = channel
        self._sent = conversation.octets_sent - conversation.past[0]
        self._heard = iter(conversation.heard)
        self._failure = conversation.failure
        self._at_s = conversation.began_s
        self._live = False
        self._clock = trio.lowlevel.current_clock()

    @property
    def local(self) -> str:
        """Our own address in words."""
        return self._channel.local

    def now(self) -> float:
        """Return the instant, in seconds of trio's clock, at which things stand."""
        return self._clock.current_time() if self._live else self._at_s

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """Send what was not sent before."""
        before = min(self._sent, len(octets))
        self._sent -= before
        if before < len(octets):
            self._live = True
            await self._channel.send(memoryview(octets)[before:], deadline)

    async def receive(self, deadline: float) -> bytes:
        """Return what one read gave then, and after the last of them what one gives now."""
        heard = next(self._heard, None)
        if heard is not None:
            octets, self._at_s = heard
            return octets
        self._live = True
        if self._failure is not None:
            raise self._failure
        return await self._channel.receive(deadline)

    async def ask(self, octets: bytes, deadline: float) -> bytes:
        """Send what was not sent before, and return what came then, or comes now."""
        return await ask_in_turn(self, octets, deadline)

    async def converse(self, conversation: Conversation) -> None:
        """Lead a conversation."""
        await converse_in_turn(self, conversation)

    async def send_eof(self) -> None:
        """Close our direction only."""
        await self._channel.send_eof()

    async def send_last(self, octets: bytes) -> None:
        """Offer octets the peer may miss."""
        await self._channel.send_last(octets)

    def abort(self) -> None:
        """Close at once and abruptly."""
        self._channel.abort()

    async def aclose(self) -> None:
        """Close; also when cancelled."""
        await self._channel.aclose()
