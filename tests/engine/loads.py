"""Loads as Hypothesis draws them: sessions that do anything, and an end at any time. Their books balance."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import trio
from hypothesis import strategies as st

from loadgen.clock import NS_PER_S
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from tests.engine.stage import Act, Cast, play_closed, play_open

ENDINGS = st.sampled_from([OutcomeKind.ACCEPTED, OutcomeKind.REFUSED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT])
TENTHS = st.integers(0, 60).map(lambda n: n / 10)        # few instants, so that many things happen at the same one
LIMITS = st.integers(1, 60).map(lambda n: n / 10) | st.just(math.inf)     # none at all is no limit of a scenario
ACTS = st.builds(lambda length_s: Act(length_s, ACCEPTED), TENTHS) | st.builds(
    lambda length_s, connect_s, kind: Act(length_s, Outcome(kind, "pop3.retr"), connect_s), TENTHS, TENTHS, ENDINGS
)


@dataclass(frozen=True)
class Ending:
    """When somebody presses Ctrl-C, and when he does so again."""

    stop_s: float = math.inf
    cancel_s: float = math.inf

    @property
    def first_s(self) -> float:
        """Return when no session begins any more."""
        return min(self.stop_s, self.cancel_s)

    async def of(self, play: Callable[[trio.Event], Awaitable[None]]) -> None:
        """Play until somebody ends it as said: `stop` for the loop, cancellation for the whole."""
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_at, self.stop_s, stop.set)
            nursery.start_soon(_at, self.cancel_s, nursery.cancel_scope.cancel)
            await play(stop)
            nursery.cancel_scope.cancel()


@dataclass(frozen=True)
class OpenPlay:
    """An open load."""

    due: list[float]
    acts: list[Act]
    in_flight_max: int
    drain_s: float
    limit_s: float
    ending: Ending

    def act(self, arrival: int) -> Act:
        """Return what a session does."""
        return self.acts[arrival]

    async def perform(self, cast: Cast) -> None:
        """Play it until somebody ends it."""
        schedule = [(arrival, round(due_s * NS_PER_S)) for arrival, due_s in enumerate(self.due)]

        async def play(stop: trio.Event) -> None:
            await play_open(
                cast, schedule, in_flight_max=self.in_flight_max, end_s=6.0, drain_s=self.drain_s, stop=stop
            )

        await self.ending.of(play)

    def check(self, cast: Cast) -> None:
        """Hold the books against what was seen on the stage."""
        _check(cast)
        end_s = min(self.ending.stop_s, self.ending.cancel_s)
        assert sum(due_s < end_s for due_s in self.due) <= cast.recorder.arrived
        assert cast.recorder.arrived <= sum(due_s <= end_s for due_s in self.due)
        assert cast.recorder.in_flight_peak <= self.in_flight_max


@dataclass(frozen=True)
class ClosedPlay:
    """A closed load; of seven sessions, if neither their number nor its length is given."""

    users: int
    sessions: int | None
    for_s: float | None
    acts: list[Act]
    think_s: list[float]
    ramp_s: float
    drain_s: float
    limit_s: float
    ending: Ending

    def act(self, arrival: int) -> Act:
        """Return what a session does: without any length a load by time would never get past an instant."""
        act = self.acts[arrival % len(self.acts)]
        return replace(act, connect_s=0.1 + act.connect_s)

    async def perform(self, cast: Cast) -> None:
        """Play it until somebody ends it."""
        async def play(stop: trio.Event) -> None:
            await play_closed(
                cast, users=self.users, sessions=self._sessions, for_s=self.for_s, think=self._think_ns,
                drain_s=self.drain_s, stop=stop,
            )

        await self.ending.of(play)

    def check(self, cast: Cast) -> None:
        """Hold the books against what was seen on the stage."""
        _check(cast)
        assert cast.recorder.in_flight_peak <= self.users
        if self._sessions is not None:
            unhurried = self.for_s is None and self.ending == NEVER
            assert cast.recorder.arrived <= self._sessions
            assert not unhurried or cast.recorder.arrived == self._sessions

    @property
    def _sessions(self) -> int | None:
        return 7 if self.sessions is None and self.for_s is None else self.sessions

    def _think_ns(self, user: int, i: int) -> int:
        pause_s = self.think_s[(user + i) % len(self.think_s)]
        return round((pause_s + (0 if i else self.ramp_s * user)) * NS_PER_S)


NEVER = Ending(math.inf, math.inf)
ENDINGS_OF_LOADS = st.builds(Ending, TENTHS | st.just(math.inf), TENTHS | st.just(math.inf))
OPEN_PLAYS = st.builds(
    OpenPlay, due=st.lists(TENTHS, max_size=12).map(sorted), acts=st.lists(ACTS, min_size=12, max_size=12),
    in_flight_max=st.integers(1, 4), drain_s=TENTHS, limit_s=LIMITS, ending=ENDINGS_OF_LOADS,
)  # fmt: skip
CLOSED_PLAYS = st.builds(
    ClosedPlay, users=st.integers(1, 4), sessions=st.integers(1, 12) | st.none(), for_s=TENTHS | st.none(),
    acts=st.lists(ACTS, min_size=5, max_size=5), think_s=st.lists(st.just(0.0) | TENTHS, min_size=3, max_size=3),
    ramp_s=TENTHS, drain_s=TENTHS, limit_s=LIMITS, ending=ENDINGS_OF_LOADS,
)  # fmt: skip
# Cancelled at the very instant at which sessions start, end, and time out.
OPEN_AND_CANCELLED = OpenPlay(
    due=[1.0] * 4, acts=[Act(1.0), Act(0.0), Act(9.0), Act(1.0, connect_s=1.0)] * 3, in_flight_max=3, drain_s=1.0,
    limit_s=1.0, ending=Ending(2.0, 2.0),
)  # fmt: skip
# And at that at which sessions end, one of them otherwise.
CLOSED_AND_CANCELLED = ClosedPlay(
    users=3, sessions=None, for_s=6.0, acts=[Act(0.9), Act(0.9, Outcome(OutcomeKind.REFUSED)), *[Act(0.9)] * 3],
    think_s=[0.0] * 3, ramp_s=0.0, drain_s=1.0, limit_s=math.inf, ending=Ending(math.inf, 1.0),
)  # fmt: skip


def _check(cast: Cast) -> None:
    recorder, kinds = cast.recorder, cast.kinds
    assert recorder.in_flight == 0
    assert recorder.balanced()
    assert sum(kinds.values()) == recorder.arrived == sum(recorder.seconds.timeline().arrived)
    performed = [arrival for arrival, _ in cast.began]
    assert len(set(performed)) == len(performed) == recorder.arrived - kinds.get(OutcomeKind.DROPPED, 0)
    assert sorted(cast.ended) == sorted(performed)


async def _at(instant_s: float, act: Callable[[], None]) -> None:
    await trio.sleep_until(instant_s)
    act()
