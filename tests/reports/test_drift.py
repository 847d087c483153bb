"""Whether a backlog grows."""

import random

import pytest

from reports.drift import OBSERVATIONS_MIN, drift_of


def walk(seed: int, seconds: int, drift: float) -> list[float]:
    rng, at, seen = random.Random(seed), 0.0, list[float]()
    for _ in range(seconds):
        at += rng.gauss(drift, 1)
        seen.append(at)
    return seen


def grown(drift: float, seconds: int, runs: int = 400) -> int:
    drifts = [drift_of(walk(seed, seconds, drift)) for seed in range(runs)]
    return sum(each is not None and each.grows for each in drifts)


def test_a_walk_without_drift_is_called_growing_in_one_of_ten() -> None:
    assert 22 <= grown(0.0, 60) <= 58, "of 400, 40 by the test's own claim"


def test_a_walk_with_drift_is_called_growing_once_it_has_gone_far_enough() -> None:
    assert grown(0.5, 100) > 390, "50 sessions further, where chance makes 10"
    assert grown(-0.5, 100) == 0


def test_a_backlog_that_always_comes_back_is_not_called_growing() -> None:
    rng, at, seen = random.Random(4), 0.0, list[float]()
    for _ in range(300):
        at += rng.gauss(-0.1 * at, 1)      # pulled back to nothing
        seen.append(at)
    assert not any(
        drift.grows for start in range(0, 240, 10) if (drift := drift_of(seen[start : start + 60])) is not None
    )


@pytest.mark.parametrize(("add", "grows"), [(0.0, False), (2.0, True), (-1.0, False)])
def test_where_nothing_happens_by_chance_there_is_no_doubt(add: float, grows: bool) -> None:
    drift = drift_of([second * add for second in range(30)])
    assert drift is not None
    assert drift.per_s == pytest.approx(add)
    assert drift.grows == grows


def test_few_seconds_say_nothing() -> None:
    assert drift_of(range(OBSERVATIONS_MIN - 1)) is None
