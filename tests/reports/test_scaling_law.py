"""The Universal Scalability Law, fitted."""

import math
import random
from collections.abc import Sequence

import pytest

from reports.capacity_result import Interval, ScalingLaw
from reports.capacity_words import law_in_words
from reports.scaling_law import Law, Point, fit


def points(sigma: float, kappa: float, levels: Sequence[float], noise: float = 0.0, seed: int = 1) -> list[Point]:
    rng = random.Random(seed)
    return [
        Point(n, 50 * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) * (1 + rng.gauss(0, noise))) for n in levels
    ]


def fitted(sigma: float, kappa: float, levels: Sequence[float], noise: float = 0.0) -> Law:
    law = fit(points(sigma, kappa, levels, noise))
    assert isinstance(law, Law), law
    return law


LEVELS = (1, 2, 4, 8, 16, 32, 64)


def test_a_law_without_noise_is_found_again() -> None:
    law = fitted(0.05, 0.001, LEVELS)
    assert law.alone_per_s == pytest.approx(50, rel=1e-3)
    assert law.sigma.estimate == pytest.approx(0.05, rel=1e-2)
    assert law.kappa.estimate == pytest.approx(0.001, rel=1e-2)
    assert law.peak.estimate == pytest.approx(math.sqrt(0.95 / 0.001), rel=1e-2)
    assert law.throughput(16) == pytest.approx(50 * 16 / (1 + 0.05 * 15 + 0.001 * 16 * 15), rel=1e-3)
    assert law.peak_is_measured


def test_with_noise_the_interval_holds_the_truth_and_is_the_same_each_time() -> None:
    law = fitted(0.05, 0.001, LEVELS, noise=0.03)
    assert law.peak.low is not None
    assert law.peak.high is not None
    assert law.peak.low < math.sqrt(0.95 / 0.001) < law.peak.high
    assert fitted(0.05, 0.001, LEVELS, noise=0.03) == law


def test_without_coherency_there_is_no_peak() -> None:
    law = fitted(0.2, 0.0, LEVELS, noise=0.02)
    assert law.peak.high is None


def test_a_peak_beyond_what_was_measured_is_said_to_be_a_guess() -> None:
    law = fitted(0.01, 0.0005, (1, 2, 4, 8, 12, 16, 20))
    assert not law.peak_is_measured
    said = law_in_words(ScalingLaw(
        alone_per_s=50, sigma=Interval(0.01, 0.01, 0.01), kappa=Interval(5e-4, 5e-4, 5e-4),
        peak=Interval(44.5, 44.0, 45.0), residual=0.0, measured_to=20,
    ))   # fmt: skip
    assert said.endswith("this is extrapolated, for no stage had more than 20 in flight")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (points(0.05, 0.001, (1, 2, 4, 8, 16)), "the law needs 6 stages with a steady state, and there are 5"),
        (points(0.05, 0.001, (10, 11, 12, 13, 14, 15)), "levels further apart"),
        ([Point(n, 100 if n % 2 else 10) for n in range(1, 9)], "the law does not describe these stages"),
        ([*points(0.05, 0.001, (1, 2, 4, 8, 16)), Point(32, 0.0)], "and there are 5"),
    ],
)
def test_where_there_is_no_law_the_reason_is_said(given: list[Point], why: str) -> None:
    found = fit(given)
    assert isinstance(found, str)
    assert why in found
