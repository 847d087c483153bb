"""Arrivals to the nanosecond: whatever shape, however many workers, each session starts at its intended instant.

That the schedule itself is exact is shown in `tests/schedule`; here it is what a load really starts.
"""

import pytest

from loadgen.scenario.arrivals import Arrivals
from loadgen.scenario.quantities import NS_PER_S
from tests.engine.stage import Act, Cast, play_open, virtually
from tests.schedule.shapes import constant, curve, instants, poisson, ramp, replay, spike, steps

HALF = NS_PER_S // 2
SPANS = (NS_PER_S + 1, NS_PER_S // 3, HALF + 7, NS_PER_S // 7, NS_PER_S)
DAY = ((0, 3), (NS_PER_S // 9, 40), (NS_PER_S // 3, 40), (NS_PER_S // 3, 5), (3 * NS_PER_S, 17))
SHAPES: dict[str, list[Arrivals]] = {
    "constant": [constant(7, 9 * NS_PER_S)],
    "constant-by-chance": [constant(7, 9 * NS_PER_S, "poisson")],
    "poisson": [poisson(30, 4)],
    "ramp": [ramp(0, 40, 3 * NS_PER_S)],
    "ramp-by-chance": [ramp(40, 0, 3 * NS_PER_S, "poisson")],
    "steps": [steps(3, 21, 6, NS_PER_S)],
    "steps-by-chance": [steps(21, 3, 6, NS_PER_S, "poisson")],
    "spike": [spike(2, 90, *SPANS)],
    "spike-by-chance": [spike(2, 90, *SPANS, process="poisson")],
    "curve": [curve(*DAY)],
    "curve-by-chance": [curve(*DAY, scale=3, process="poisson")],
    "replay": [replay(0, 1, 1, 2, 5, 999_999_999, NS_PER_S, NS_PER_S + 1, 7 * NS_PER_S)],
    "all-of-them": [
        constant(7, NS_PER_S), ramp(0, 40, NS_PER_S), poisson(30, 1), spike(2, 90, *SPANS), replay(0, 1, HALF),
        steps(3, 9, 3, HALF), curve(*DAY), ramp(11, 5, NS_PER_S, "poisson"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", SHAPES)
def test_every_session_starts_at_its_instant_whatever_the_others_do(name: str, workers: int) -> None:
    segments = SHAPES[name]
    intended = instants(*segments, seed=11)
    end_s = sum(segment.duration.ns for segment in segments) / NS_PER_S
    began: dict[int, int] = {}
    for worker in range(workers):
        cast = Cast(lambda k: Act(length_s=(k % 5) / 3, connect_s=0.01))
        share = list(enumerate(intended))[worker::workers]
        virtually(lambda: play_open(cast, share, end_s=end_s))  # noqa: B023  called at once
        assert list(cast.recorder.lags) == [0] * len(share), "started - intended, in whole nanoseconds"
        began |= dict(cast.began)
    assert sorted(began) == list(range(len(intended)))
    assert len(intended) > 8
    # The session's own look at the clock is truncated to a nanosecond from float seconds.
    assert {intended[arrival] - at_ns for arrival, at_ns in began.items()} <= {0, 1}
