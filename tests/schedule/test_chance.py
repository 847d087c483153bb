"""The approximations of chance, against exact sums."""

import math

import pytest

from loadgen.schedule.chance import chi_square_quantile, poisson_at_most, poisson_range


def exactly_at_most(count: int, mean: float) -> float:
    return math.fsum(math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) for n in range(count + 1))


@pytest.mark.parametrize("mean", [5, 40, 300, 2000])
@pytest.mark.parametrize("sigmas", [-3, -2, -1, 0, 1, 2, 3])
def test_the_distribution_of_a_poisson_count_is_right_to_a_few_in_a_thousand(mean: float, sigmas: int) -> None:
    count = int(mean + sigmas * mean**0.5)
    if count >= 0:
        assert poisson_at_most(count, mean) == pytest.approx(exactly_at_most(count, mean), abs=0.003)


@pytest.mark.parametrize("mean", [5, 40, 300, 2000])
def test_beyond_the_range_of_a_poisson_count_lies_what_was_asked_at_most(mean: float) -> None:
    least, greatest = poisson_range(0.001, mean)
    assert exactly_at_most(least - 1, mean) <= 0.0012
    assert 1 - exactly_at_most(greatest, mean) <= 0.0012
    assert least == 0 or exactly_at_most(least, mean) > 0.0008      # and the range is no wider than it must be
    assert 1 - exactly_at_most(greatest - 1, mean) > 0.0008


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    # by any table of the chi-square distribution
    [(0.001, 10, 1.479), (0.05, 10, 3.940), (0.5, 10, 9.342), (0.999, 10, 29.588), (0.001, 100, 61.918),
     (0.999, 100, 149.449), (0.95, 1, 3.841)],
)   # fmt: skip
def test_a_chi_square_quantile_is_the_table_s(probability: float, freedom: float, quantile: float) -> None:
    assert chi_square_quantile(probability, freedom) == pytest.approx(quantile, rel=0.07)


def test_no_count_is_below_none() -> None:
    assert poisson_at_most(-1, 5) == 0
