"""Rank statistics, against values published elsewhere and against what they promise."""

import itertools
import random

import pytest

from reports.rank_statistics import false_discovery, holm, least_p, rank_test, ratio, shift

# Hollander and Wolfe, Nonparametric Statistical Methods, table 4.1: permeability of the human chorioamnion, at term
# and at 12 to 26 weeks; the example of R's wilcox.test too.
AT_TERM = (0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
EARLIER = (1.15, 0.88, 0.90, 0.74, 1.21)


def test_the_rank_test_gives_the_published_chance() -> None:
    assert rank_test(AT_TERM, EARLIER, "greater") == pytest.approx(0.1272, abs=5e-5)


def test_the_shift_and_its_interval_are_the_published_ones() -> None:
    found = shift(AT_TERM, EARLIER, 0.95)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.305, -0.15, 0.76))
    assert found.covers == pytest.approx(0.96, abs=5e-4)      # "a 96 % interval", for ranks come in steps


def test_a_second_published_example() -> None:
    """Ages at which diabetes was found (the example of scipy's documentation): U = 17, p = 0.11."""
    assert rank_test((19, 22, 16, 29, 24), (20, 11, 17, 12)) == pytest.approx(1 / 9)


@pytest.mark.parametrize(("runs", "critical"), [(4, 0), (5, 2), (6, 5), (7, 8), (8, 13), (10, 23), (12, 37), (20, 127)])
def test_the_interval_leaves_out_what_the_published_tables_of_U_reject(runs: int, critical: int) -> None:
    """Critical values of U, two-sided, 5 %, as every table of the Mann-Whitney test has them."""
    new = [1_000.0 * k for k in range(runs)]
    base = [float(k) for k in range(runs)]
    differences = sorted(x - y for x, y in itertools.product(new, base))
    found = shift(new, base, 0.95)
    assert (found.low, found.high) == (differences[critical], differences[-critical - 1])


def test_three_runs_bound_nothing() -> None:
    found = shift((3.0, 4.0, 5.0), (1.0, 2.0, 3.0), 0.95)
    assert (found.estimate, found.low, found.high) == (2.0, None, None)


def test_the_interval_is_what_the_test_does_not_reject() -> None:
    drawn = random.Random(3)
    new, base = ([drawn.gauss(mean, 1) for _ in range(9)] for mean in (1.5, 0))
    found = shift(new, base, 0.95)
    assert found.low is not None
    assert found.high is not None
    inside, outside = 1e-9, -1e-9
    assert rank_test([value - found.low - inside for value in new], base) > 0.05
    assert rank_test([value - found.low - outside for value in new], base) <= 0.05
    assert rank_test([value - found.high + inside for value in new], base) > 0.05
    assert rank_test([value - found.high + outside for value in new], base) <= 0.05


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    drawn = random.Random(11)
    covered = 0
    for _ in range(500):
        new, base = ([drawn.lognormvariate(mean, 0.3) for _ in range(6)] for mean in (0.2, 0.0))
        found = ratio(new, base, 0.95)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1.2214 <= found.high
    assert 470 <= covered <= 492      # 95.9 % of 500 is 479; three standard errors are 13


def test_equal_values_are_counted_through() -> None:
    """Each of the 20 ways to draw three of (1, 2, 2, 2, 3, 3): 1 of them, of ranks 3, 5.5 and 5.5, reaches this sum."""
    assert rank_test((2, 3, 3), (1, 2, 2), "greater") == pytest.approx(3 / 20)
    assert rank_test((5, 5, 5), (5, 5, 5)) == 1.0


def test_many_equal_values_take_the_normal_approximation() -> None:
    low, high = [1.0, 1.0, 2.0, 2.0] * 5, [2.0, 2.0, 3.0, 3.0] * 5
    assert rank_test(high, low, "greater") < 1e-4
    assert rank_test(low, high, "greater") > 0.99


def test_many_runs_take_the_normal_approximation_and_agree_with_few() -> None:
    few, many = ([float(k) for k in range(runs)] for runs in (50, 51))
    exact, normal = shift(few, few, 0.95), shift(many, many, 0.95)
    assert exact.low is not None
    assert normal.low is not None
    assert exact.low == pytest.approx(normal.low, abs=1)


def test_a_ratio_needs_values_above_zero() -> None:
    assert ratio((1.0, 2.0), (0.0, 1.0), 0.95) is None


def test_a_ratio_has_the_uncertainty_of_both_sides() -> None:
    found = ratio((11, 22, 33, 44, 55, 66), (10, 20, 30, 40, 50, 60), 0.95)
    assert found is not None
    assert found.estimate == pytest.approx(1.1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < 2 < found.high


def test_nothing_is_compared_with_nothing() -> None:
    with pytest.raises(ValueError, match="both sides"):
        rank_test((), (1.0,))


def test_so_few_runs_can_give_no_less_than_this() -> None:
    assert least_p(6, 6, "greater") == pytest.approx(1 / 924)
    assert least_p(6, 6, "greater") == pytest.approx(rank_test(range(10, 16), range(6), "greater"))
    assert least_p(1, 1) == 1.0


def test_holm_is_as_published() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_the_false_discovery_rate_is_as_published() -> None:
    """The fifteen p-values of Benjamini and Hochberg's own example: at 5 %, the first four are called different."""
    published = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
        0.7590, 1.0,
    ]   # fmt: skip
    assert [q <= 0.05 for q in false_discovery(published)] == [True] * 4 + [False] * 11
    assert false_discovery([]) == []
