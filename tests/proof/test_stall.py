"""A target that stalls, seen by an open and by a closed model: what the theory says, and what is reported.

Arrivals come evenly at a rate r for a time T, and the target answers nobody for S. A session that is due at an age a
after the stall's beginning waits for what is left of it, S - a, and is served then. So of all n = rT sessions

    P(wait > v) = (S - v) / T        for 0 <= v < S

and the quantile q of the wait is max(0, S - (1 - q) T): at S = 1 s and T = 25 s, 0.975 s for p99.9 and 0.75 s for
p99. A closed model of u users has at most u sessions that wait, of almost as many in all: up to a quantile of
1 - u/n it reports that nothing happened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import pytest
import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.closed_loop import closed_loop
from loadgen.engine.times import PhaseTimes
from loadgen.scenario.arrivals import Arrivals as Shape
from loadgen.schedule.plans import Plan
from loadgen.session.outcome import Outcome
from loadgen.session.trace import Trace
from reports.histogram import Histogram
from tests.engine.stage import CONNECT, MS, Act, Cast, play_open, virtually
from tests.schedule.shapes import constant, instants, poisson, ramp

S_NS, T_S = NS_PER_S, 25
STALL_FROM_NS = 10 * NS_PER_S
SERVICE_NS = 2 * MS
RATE_PER_S = 80
STEP_NS = NS_PER_S // RATE_PER_S
RESOLUTION = 1e-3                   # three significant digits
SESSION = "pop3.session"


@dataclass
class Target(Cast):
    """A target that takes 2 ms for whoever connects, and answers nobody in the stall."""

    async def perform(self, plan: Plan, trace: Trace, arrival: int) -> Outcome:
        now_ns = clock_ns() - self.arrivals.origin_ns
        self.acts = lambda _: Act(connect_s=(wait_ns(now_ns) + SERVICE_NS) / NS_PER_S)
        return await super().perform(plan, trace, arrival)


def target() -> Target:
    return Target(lambda _: Act())


def wait_ns(due_ns: int) -> int:
    """Return what is left of the stall at an instant."""
    stalled = STALL_FROM_NS <= due_ns < STALL_FROM_NS + S_NS
    return STALL_FROM_NS + S_NS - due_ns if stalled else 0


def quantile(values: Sequence[int], q: float) -> int:
    """Return the nearest-rank quantile, by its definition."""
    return sorted(values)[ceil(round(q * len(values), 6)) - 1]


def seen(cast: Cast, phase: str) -> PhaseTimes:
    for _ in cast.recorder.close_seconds(T_S + 2):
        pass
    return cast.recorder.phases[phase]


def at(percentile: float, histogram: Histogram) -> int:
    value = histogram.value_at(percentile)
    assert value is not None
    return value


def open_model(schedule: list[int]) -> Target:
    cast = target()
    virtually(lambda: play_open(cast, list(enumerate(schedule)), in_flight_max=10_000, end_s=T_S))
    return cast


@pytest.fixture(scope="module")
def stalled() -> Target:
    """What an open model of evenly spaced arrivals saw of the stall."""
    return open_model(instants(constant(RATE_PER_S, T_S * NS_PER_S)))


@pytest.mark.parametrize("phase", [CONNECT, SESSION], ids=["first-phase", "session"])
@pytest.mark.parametrize(
    ("percentile", "by_theory_s"), [(99.9, 0.975), (99, 0.75), (96.2, 0.05), (95.8, 0.0), (50, 0.0)]
)
def test_the_response_time_of_an_open_model_shifts_by_what_theory_says(
    percentile: float, by_theory_s: float, phase: str, stalled: Target
) -> None:
    assert max(0.0, S_NS / NS_PER_S - (1 - percentile / 100) * T_S) == pytest.approx(by_theory_s)
    shifted_ns = at(percentile, seen(stalled, phase).response_histogram)
    expected_ns = by_theory_s * NS_PER_S + SERVICE_NS
    assert shifted_ns == pytest.approx(expected_ns, rel=RESOLUTION, abs=STEP_NS if by_theory_s else RESOLUTION * MS)


@pytest.mark.parametrize("phase", [CONNECT, SESSION], ids=["first-phase", "session"])
def test_it_is_exact_where_the_arrivals_are_counted_out(phase: str, stalled: Target) -> None:
    times = [wait_ns(k * STEP_NS) + SERVICE_NS for k in range(RATE_PER_S * T_S)]
    histogram = seen(stalled, phase).response_histogram
    for percentile in (99.99, 99.9, 99.5, 99.0, 98.0, 96.0, 50.0):
        assert at(percentile, histogram) == pytest.approx(quantile(times, percentile / 100), rel=RESOLUTION)
    assert histogram.quantiles().max == S_NS + SERVICE_NS


def test_those_outside_the_stall_are_served_as_ever_and_all_are_started_in_time(stalled: Target) -> None:
    service = seen(stalled, SESSION).service_histogram
    unaffected = 100 * (1 - S_NS / NS_PER_S / T_S)
    assert at(unaffected, service) == at(0, service) == pytest.approx(SERVICE_NS, rel=RESOLUTION)
    assert stalled.recorder.lag_histogram.quantiles().max == 0, "nobody waited with the target before starting"
    assert stalled.recorder.in_flight_peak == RATE_PER_S + 1, "those due in the stall, and the first one after it"


@pytest.mark.parametrize(
    "shape",
    [poisson(RATE_PER_S, T_S), ramp(0, 2 * RATE_PER_S, T_S * NS_PER_S), ramp(120, 10, T_S * NS_PER_S, "poisson")],
    ids=["poisson", "ramp", "ramp-by-chance"],
)
def test_however_sessions_arrive_the_stall_is_in_the_response_times(shape: Shape) -> None:
    due = instants(shape, seed=5)
    times = [wait_ns(each) + SERVICE_NS for each in due]
    histogram = seen(open_model(due), SESSION).response_histogram
    assert histogram.count == len(due)
    for percentile in (99.9, 99.0, 97.0, 90.0):
        assert at(percentile, histogram) == pytest.approx(quantile(times, percentile / 100), rel=RESOLUTION)


@pytest.mark.parametrize(("users", "percentile"), [(1, 99.9), (10, 99.0)])
def test_a_closed_model_of_the_same_rate_would_have_hidden_it(users: int, percentile: float, stalled: Target) -> None:
    cast = target()
    think: Callable[[int, int], int] = lambda user, i: users * STEP_NS - SERVICE_NS  # noqa: E731
    virtually(
        lambda: closed_loop(
            cast.enter(), virtual_users=users, users=range(users), think_ns=think, sessions=None,
            end_ns=T_S * NS_PER_S, drain_s=60, stop=trio.Event(),
        )
    )  # fmt: skip
    closed = seen(cast, SESSION).response_histogram
    waited = sum(1 for _, began_ns in cast.began if wait_ns(began_ns))
    assert waited <= users, "each user has waited once, and the others it would have brought never came"
    assert closed.count == pytest.approx(RATE_PER_S * (T_S - 1), rel=0.02)
    assert at(percentile, closed) == pytest.approx(SERVICE_NS, rel=RESOLUTION), "coordinated omission"
    assert at(100, closed) > 0.8 * S_NS
    assert at(percentile, seen(stalled, SESSION).response_histogram) > 300 * at(percentile, closed)
