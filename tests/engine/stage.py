"""A stage for loads: sessions that only pretend, in virtual time, through the seam where real ones go."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import trio
import trio.testing

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.arrivals import Arrivals
from loadgen.engine.closed_loop import closed_loop
from loadgen.engine.open_loop import open_loop
from loadgen.engine.recorder import Recorder
from loadgen.engine.session_limit import SessionLimit
from loadgen.engine.window import Window
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import Retry
from loadgen.schedule.plans import Plan, RetrievalPlan
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.trace import Trace

ACCOUNT = Account("user1@example.test", "user1@example.test", "secret1")
MS = 1_000_000
CONNECT = "pop3.connect"


@dataclass(frozen=True)
class Act:
    """What one pretended session does: connect, take its time, end."""

    length_s: float = 0.0
    outcome: Outcome = ACCEPTED
    connect_s: float = 0.0


@dataclass
class Cast:
    """Who plays: the act of each arrival, and what was seen on the stage."""

    acts: Callable[[int], Act]
    window: Window = field(default_factory=lambda: Window(0, 1 << 62))
    session_limit_s: float = math.inf
    began: list[tuple[int, int]] = field(default_factory=list)     # (arrival, ns)
    ended: list[int] = field(default_factory=list)                 # arrivals, cancelled ones too
    recorder: Recorder = field(init=False)
    arrivals: Arrivals = field(init=False)

    def enter(self) -> Arrivals:
        """Make the recorder and the arrivals; the run's start is now."""
        self.recorder = Recorder(self.window)
        self.arrivals = Arrivals(
            plan_for, self.perform, self.recorder, None, clock_ns(), SessionLimit(self.session_limit_s), never
        )
        return self.arrivals

    async def perform(self, plan: Plan, trace: Trace, arrival: int) -> Outcome:
        """Play one session."""
        act = self.acts(arrival)
        assert self.recorder.balanced()
        started_ns = clock_ns()
        self.began.append((arrival, started_ns - self.arrivals.origin_ns))
        trace.phase = CONNECT
        try:
            await trio.sleep(act.connect_s)
            trace.timings.append((CONNECT, started_ns, clock_ns()))
            trace.phase = "pop3.retr"
            await trio.sleep(act.length_s)
        finally:
            self.ended.append(arrival)
            assert self.recorder.balanced()
        return act.outcome

    @property
    def kinds(self) -> dict[OutcomeKind, int]:
        """Return how the arrivals ended, those with none left out."""
        return dict(self.recorder.outcomes["reading"])

    def completed(self, phase: str) -> int:
        """Return how often a phase was completed, in the steady phase or out of it. Folds."""
        for _ in self.recorder.close_seconds(self.recorder.seconds.closed + 1):
            pass
        times = self.recorder.phases[phase]
        return times.service_histogram.count + times.outside_steady


def plan_for(arrival: int) -> Plan:
    """Return a plan for a pretended session."""
    return RetrievalPlan("pop3-retrieve", arrival, "reading", ACCOUNT, "user", delete=False)


def never(arrival: int, attempt: int, retry: Retry) -> int:
    """Return no back-off: nothing here is tried again."""
    raise AssertionError("nothing here is tried again")


def seconds(*instants: float) -> list[tuple[int, int]]:
    """Return a schedule of these instants, as the open loop takes it."""
    return list(enumerate(round(instant * NS_PER_S) for instant in instants))


async def play_open(
    cast: Cast,
    schedule: Sequence[tuple[int, int]],
    *,
    in_flight_max: int = 1000,
    end_s: float = 10.0,
    drain_s: float = 3600.0,
    stop: trio.Event | None = None,
) -> None:
    """Run the open loop with this cast."""
    await open_loop(
        cast.enter(), schedule, in_flight_max=in_flight_max, end_ns=round(end_s * NS_PER_S), drain_s=drain_s,
        stop=trio.Event() if stop is None else stop,
    )


async def play_closed(
    cast: Cast,
    *,
    users: int,
    sessions: int | None = None,
    for_s: float | None = None,
    think: Callable[[int, int], int] = lambda user, i: 0,
    drain_s: float = 3600.0,
    stop: trio.Event | None = None,
) -> None:
    """Run the closed loop with this cast."""
    await closed_loop(
        cast.enter(), virtual_users=users, users=range(users), think_ns=think, sessions=sessions,
        end_ns=None if for_s is None else round(for_s * NS_PER_S), drain_s=drain_s,
        stop=trio.Event() if stop is None else stop,
    )


def virtually(play: Callable[[], Awaitable[None]]) -> float:
    """Run a play in virtual time to its end; return how long it took there, s."""

    async def whole() -> float:
        await play()
        return trio.current_time()

    return trio.run(whole, clock=trio.testing.MockClock(autojump_threshold=0))
