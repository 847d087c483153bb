"""What chance alone does: quantiles of chi-square and Poisson distributions, by Wilson and Hilferty's cube roots.

From a mean of 5 and ten degrees of freedom on they are good to a few parts in a thousand of probability; the tests
hold them against the exact sums.
"""

from bisect import bisect_left, bisect_right
from math import sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()


def chi_square_quantile(probability: float, freedom: float) -> float:
    """Return the number that a chi-square variable of so many degrees of freedom is below with this probability."""
    spread = 2 / (9 * freedom)
    return float(freedom * max(0.0, 1 - spread + _NORMAL.inv_cdf(probability) * sqrt(spread)) ** 3)


def poisson_at_most(count: int, mean: float) -> float:
    """Return the probability that a Poisson variable of this mean is at most `count`; 0 below none at all."""
    if count < 0:
        return 0.0
    freedom = 2 * (count + 1)              # P(N <= n) = P(chi² with 2 (n + 1) degrees of freedom > 2 mean)
    spread = 2 / (9 * freedom)
    return 1 - _NORMAL.cdf(((2 * mean / freedom) ** (1 / 3) - 1 + spread) / sqrt(spread))


def poisson_range(tail: float, mean: float) -> tuple[int, int]:
    """Return the least and the greatest count that are no surprise: beyond either lies at most `tail`."""
    top = int(mean + 20 * sqrt(mean) + 40)
    counts = range(top)
    least = bisect_right(counts, tail, key=lambda count: poisson_at_most(count, mean))
    greatest = bisect_left(counts, 1 - tail, key=lambda count: poisson_at_most(count, mean))
    return least, greatest
