"""Slopes, their intervals, and the word for them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.trend import Slope, slope, slope_of_blocks


def test_a_line_has_its_slope_and_an_interval_of_no_width() -> None:
    found = slope([0, 1, 2, 3], [10, 12, 14, 16])
    assert (found.per_s, found.low_per_s, found.high_per_s, found.level) == pytest.approx((2, 2, 2, 13))


def test_an_interval_is_the_one_of_the_textbook() -> None:
    # x̄ = 3, Sxx = 10, b = 6/10, residuals 0.8 −0.8 0.6 −1 0.4… : s² = 2.4/3, t(3) = 3.182, half = t·√(s²/Sxx).
    found = slope([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])
    assert found.per_s == pytest.approx(0.6)
    assert found.high_per_s - found.per_s == pytest.approx(3.182 * (2.4 / 3 / 10) ** 0.5)
    assert found.per_s - found.low_per_s == pytest.approx(3.182 * (2.4 / 3 / 10) ** 0.5)


@given(st.floats(-5, 5), st.floats(-100, 100), st.lists(st.integers(0, 1000), min_size=3, max_size=40, unique=True))
def test_whatever_the_line_its_slope_is_found(rise: float, start: float, times_s: list[int]) -> None:
    found = slope(times_s, [start + rise * time_s for time_s in times_s])
    assert found.per_s == pytest.approx(rise, abs=1e-6)
    assert found.low_per_s <= found.per_s <= found.high_per_s


@pytest.mark.parametrize("times_s", [[], [1], [1, 2], [5, 5, 5]])
def test_too_little_to_lay_a_line_through_is_refused(times_s: list[float]) -> None:
    with pytest.raises(ValueError, match=r"three points|same instant"):
        slope(times_s, times_s)


def test_blocks_have_the_slope_of_what_they_are_made_of() -> None:
    times_s = list(range(160))
    assert slope_of_blocks(times_s, [3.0 * time_s + 7 for time_s in times_s]).per_s == pytest.approx(3.0)


def test_noise_around_a_level_is_flat() -> None:
    rng = random.Random(1)
    times_s = list(range(450))
    assert slope_of_blocks(times_s, [200_000 + rng.gauss(0, 300) for _ in times_s]).verdict == "flat"


def test_a_leak_of_a_hundred_kib_a_second_grows() -> None:
    rng = random.Random(1)
    times_s = list(range(450))
    assert slope_of_blocks(times_s, [200_000 + 100 * t + rng.gauss(0, 300) for t in times_s]).verdict == "grows"


@pytest.mark.parametrize(
    ("low", "middle", "high", "verdict"),
    [
        (-0.01, 0.0, 0.01, "flat"),
        (0.001, 0.002, 0.003, "flat"),           # it does grow, and too little for anyone to notice
        (0.001, 0.02, 0.04, "grows"),
        (-0.05, 0.02, 0.09, "flat"),
        (-0.30, 0.02, 0.34, "undecided"),
        (-0.5, -0.4, -0.3, "flat"),
    ],
)
def test_the_word_follows_from_the_interval(low: float, middle: float, high: float, verdict: str) -> None:
    an_hour = [share * 1000 / 3600 for share in (middle, low, high)]
    assert Slope(an_hour[0], an_hour[1], an_hour[2], 1000).verdict == verdict


def test_a_quantity_that_never_moves_is_flat() -> None:
    assert slope([1, 2, 3], [4, 4, 4]).verdict == "flat"
