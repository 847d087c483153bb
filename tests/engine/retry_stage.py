"""Pretended deliveries that are put off and tried again, in virtual time, through the seam where real sessions go."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.arrivals import Arrivals
from loadgen.engine.recorder import Recorder
from loadgen.engine.session_limit import SessionLimit
from loadgen.engine.window import Window
from loadgen.scenario.distributions import Durations
from loadgen.scenario.model import Retry
from loadgen.schedule.plans import DeliveryPlan, MessagePlan, Plan
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.trace import Trace

TAKEN, FOR_GOOD, PUT_OFF = "y", "n", "-"
BROKEN = Outcome(OutcomeKind.FAILED, "smtp.connect", "refused by the host")
REFUSED = Outcome(OutcomeKind.REFUSED, "smtp.rcpt", "the server answered 450")
SESSION = "posting"


@dataclass(frozen=True)
class Said:
    """What one attempt is told: a word for each delivery of the whole plan, and how its session ends."""

    words: str
    outcome: Outcome = ACCEPTED
    length_s: float = 0.0


@dataclass
class Post:
    """A server by script: what arrival k is told at its attempt a. Notes when each attempt began, and for whom."""

    said: Callable[[int, int], Said]
    retry: Retry = field(default_factory=lambda: Retry(after=Durations.parse("1s"), factor=1, attempts=4))
    shape: tuple[int, ...] = (1,)              # recipients of each message
    back_off: Callable[[int, int, Retry], int] = lambda k, attempt, retry: NS_PER_S
    window: Window = field(default_factory=lambda: Window(0, 1 << 62))
    session_limit_s: float = math.inf
    began: list[tuple[int, float]] = field(default_factory=list)            # (arrival, s), as they came
    asked: dict[int, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))   # whom, by arrival
    open_max: int = 0
    recorder: Recorder = field(init=False)
    arrivals: Arrivals = field(init=False)

    def enter(self) -> Arrivals:
        """Make the recorder and the arrivals; the run's start is now."""
        self.recorder = Recorder(self.window)
        self.arrivals = Arrivals(
            self.plan_for, self.perform, self.recorder, None, clock_ns(), SessionLimit(self.session_limit_s),
            self.back_off,
        )
        self._open = 0
        return self.arrivals

    def plan_for(self, k: int) -> Plan:
        """Return arrival k's plan."""
        messages = tuple(
            MessagePlan(index, tuple(f"user{n}@example.test" for n in range(count)), 500)
            for index, count in enumerate(self.shape)
        )
        return DeliveryPlan(
            "smtp-deliver", k, SESSION, "SMTP", None, "none", "never", "load@example.test", messages, None, self.retry
        )

    @property
    def deliveries(self) -> list[tuple[int, str]]:
        """Return all of a plan's: (message, recipient)."""
        return [(index, f"user{n}@example.test") for index, count in enumerate(self.shape) for n in range(count)]

    async def perform(self, plan: Plan, trace: Trace, arrival: int) -> Outcome:
        """Play one attempt."""
        assert isinstance(plan, DeliveryPlan)
        assert trace.fates == {}
        assert self.recorder.balanced()
        self._open += 1
        self.open_max = max(self.open_max, self._open)
        started_ns = clock_ns()
        self.began.append((arrival, (started_ns - self.arrivals.origin_ns) / NS_PER_S))
        wanted = [(message.index, name) for message in plan.messages for name in message.envelope]
        self.asked[arrival].append(tuple(f"{index}/{name}" for index, name in wanted))
        said = self.said(arrival, len(self.asked[arrival]))
        try:
            await trio.sleep(said.length_s)
            trace.timings.append(("smtp.connect", started_ns, clock_ns()))
        finally:
            self._open -= 1
        words = dict(zip(self.deliveries, said.words, strict=True))
        for delivery in wanted:
            if words[delivery] != PUT_OFF:
                trace.fates[delivery] = clock_ns() if words[delivery] == TAKEN else None
        return said.outcome

    def finals(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Return what became of deliveries and of sessions, the classes with none left out."""
        book = self.recorder.retries[SESSION]
        return +book.deliveries, +book.sessions
