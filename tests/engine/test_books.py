"""The books balance at every instant, whatever sessions do and however the run ends."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadgen.clock import NS_PER_S
from loadgen.engine.closed_loop import closed_loop
from loadgen.session.outcome import Outcome, OutcomeKind
from tests.engine.stage import Act, Cast, play_open, virtually

ENDINGS = st.sampled_from([OutcomeKind.ACCEPTED, OutcomeKind.REFUSED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT])
TENTHS = st.integers(0, 60).map(lambda n: n / 10)        # few instants, so that many things happen at the same one
ACTS = st.builds(
    lambda length_s, connect_s, kind: Act(length_s, Outcome(kind, "pop3.retr"), connect_s), TENTHS, TENTHS, ENDINGS
)


@dataclass(frozen=True)
class Ending:
    """When somebody presses Ctrl-C, and when he does so again."""

    stop_s: float
    cancel_s: float


ENDINGS_OF_RUNS = st.builds(Ending, TENTHS | st.just(math.inf), TENTHS | st.just(math.inf))
LIMITS = TENTHS | st.just(math.inf)


def check(cast: Cast) -> None:
    """Hold the books against what was seen on the stage."""
    recorder = cast.recorder
    kinds = cast.kinds
    assert recorder.in_flight == 0
    assert recorder.balanced()
    assert sum(kinds.values()) == recorder.arrived == sum(recorder.seconds.timeline().arrived)
    performed = [arrival for arrival, _ in cast.began]
    assert len(set(performed)) == len(performed) == recorder.arrived - kinds.get(OutcomeKind.DROPPED, 0)
    assert sorted(cast.ended) == sorted(performed)


async def at(instant_s: float, act: Callable[[], None]) -> None:
    """Do something at an instant."""
    await trio.sleep_until(instant_s)
    act()


async def until(ending: Ending, play: Callable[[trio.Event], Awaitable[None]]) -> None:
    """Play until somebody ends it as said: `stop` for the loop, cancellation for the whole."""
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(at, ending.stop_s, stop.set)
        nursery.start_soon(at, ending.cancel_s, nursery.cancel_scope.cancel)
        await play(stop)
        nursery.cancel_scope.cancel()


@settings(deadline=None, max_examples=150)
@given(
    due=st.lists(TENTHS, max_size=12).map(sorted), acts=st.lists(ACTS, min_size=12, max_size=12),
    in_flight_max=st.integers(1, 4), drain_s=TENTHS, limit_s=LIMITS, ending=ENDINGS_OF_RUNS,
)  # fmt: skip
@example(  # cancelled at the very instant at which sessions start, end, and time out
    due=[1.0] * 4, acts=[Act(1.0), Act(0.0), Act(9.0), Act(1.0, connect_s=1.0)] * 3, in_flight_max=3, drain_s=1.0,
    limit_s=1.0, ending=Ending(2.0, 2.0),
)
def test_the_books_of_an_open_load_balance(
    due: list[float], acts: list[Act], in_flight_max: int, drain_s: float, limit_s: float, ending: Ending
) -> None:
    cast = Cast(acts.__getitem__, session_limit_s=limit_s)
    schedule = [(arrival, round(at * NS_PER_S)) for arrival, at in enumerate(due)]

    async def play(stop: trio.Event) -> None:
        await play_open(cast, schedule, in_flight_max=in_flight_max, end_s=6.0, drain_s=drain_s, stop=stop)

    virtually(lambda: until(ending, play))
    check(cast)
    end_s = min(ending.stop_s, ending.cancel_s)
    assert sum(instant < end_s for instant in due) <= cast.recorder.arrived <= sum(instant <= end_s for instant in due)
    assert cast.recorder.in_flight_peak <= in_flight_max


@settings(deadline=None, max_examples=150)
@given(
    users=st.integers(1, 4), sessions=st.integers(1, 12) | st.none(), for_s=TENTHS | st.none(),
    acts=st.lists(ACTS, min_size=5, max_size=5), think_s=st.lists(TENTHS, min_size=3, max_size=3),
    drain_s=TENTHS, limit_s=LIMITS, ending=ENDINGS_OF_RUNS,
)  # fmt: skip
def test_the_books_of_a_closed_load_balance(
    users: int, sessions: int | None, for_s: float | None, acts: list[Act], think_s: list[float],
    drain_s: float, limit_s: float, ending: Ending,
) -> None:  # fmt: skip
    if sessions is None and for_s is None:
        sessions = 7
    # Without think time and length a load by time would never get past an instant of virtual time.
    cast = Cast(
        lambda k: replace(acts[k % 5], connect_s=0.1 + acts[k % 5].connect_s), session_limit_s=max(0.1, limit_s)
    )

    def think_ns(user: int, i: int) -> int:
        return round(think_s[(user + i) % 3] * NS_PER_S)

    async def play(stop: trio.Event) -> None:
        await closed_loop(
            cast.enter(), virtual_users=users, users=range(users), think_ns=think_ns, sessions=sessions,
            end_ns=None if for_s is None else round(for_s * NS_PER_S), drain_s=drain_s, stop=stop,
        )

    virtually(lambda: until(ending, play))
    check(cast)
    assert cast.recorder.in_flight_peak <= users
    if sessions is not None:
        assert cast.recorder.arrived <= sessions
        unhurried = for_s is None and math.isinf(ending.stop_s) and math.isinf(ending.cancel_s)
        assert not unhurried or cast.recorder.arrived == sessions
