"""What two small sets of runs say about each other, by ranks alone: no shape of distribution is assumed.

A run's numbers go in as one number: the requests within a run hang together, and are no sample of their own.
Sources: Mann and Whitney 1947; Hodges and Lehmann 1963; Hollander, Wolfe and Chicken, Nonparametric Statistical
Methods, 3rd ed., §4.1-§4.3; Holm 1979; Benjamini and Hochberg 1995.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

Alternative = Literal["two-sided", "greater", "less"]

EXACT_UP_TO: Final = 50            # runs a side; beyond it the normal approximation is as good: so R's wilcox.test
PARTITIONS_MAX: Final = 4_000      # with ties every way to split the runs in two is gone through: 7 and 7 give 3,432


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the values of one set lie above the other's, and between which bounds."""

    estimate: float
    low: float | None       # None: so few values bound nothing at this confidence
    high: float | None
    covers: float           # the confidence that the bounds really have: ranks come in steps


def rank_test(new: Sequence[float], base: Sequence[float], alternative: Alternative = "two-sided") -> float:
    """Return the p-value of the Mann-Whitney test; "greater": that `new` is. ValueError when a set is empty.

    Exact up to 50 a side. Equal values make it exact as long as the splits can be counted through, and else normal with
    the correction for ties.
    """
    if not new or not base:
        raise ValueError("a rank test needs values on both sides")
    whole = {*new, *base}
    if len(whole) == 1:
        return 1.0
    if len(whole) < len(new) + len(base):
        partitions = math.comb(len(new) + len(base), len(new))
        every = stats.PermutationMethod(n_resamples=partitions) if partitions <= PARTITIONS_MAX else "asymptotic"
        return float(stats.mannwhitneyu(new, base, alternative=alternative, method=every).pvalue)
    exact = max(len(new), len(base)) <= EXACT_UP_TO
    return float(
        stats.mannwhitneyu(new, base, alternative=alternative, method="exact" if exact else "asymptotic").pvalue
    )


def least_p(new: int, base: int, alternative: Alternative = "two-sided") -> float:
    """Return the least p-value that so many values can give: that of two sets which do not overlap.

    >>> round(least_p(6, 6), 5)
    0.00216
    """
    return min(1.0, (2 if alternative == "two-sided" else 1) / math.comb(new + base, new))


def shift(new: Sequence[float], base: Sequence[float], confidence: float) -> Shift:
    """Return the Hodges-Lehmann estimate of new - base: the median of all differences; with its interval.

    The interval is the set of shifts that the two-sided rank test does not reject, so it covers at least `confidence`.
    """
    differences = np.sort(np.subtract.outer(np.asarray(new, float), np.asarray(base, float)).ravel())
    below, tail = _outside(len(new), len(base), (1 - confidence) / 2)
    estimate = float(np.median(differences))
    if not below:
        return Shift(estimate, None, None, 0.0)
    return Shift(estimate, float(differences[below - 1]), float(differences[-below]), 1 - 2 * tail)


def ratio(new: Sequence[float], base: Sequence[float], confidence: float) -> Shift | None:
    """Return by what factor `new` is greater: the shift of the logarithms. None where a value is not above zero.

    Unlike the shift over the median of `base`, its interval has the uncertainty of both sides in it.
    """
    if min(*new, *base) <= 0:
        return None
    logs = shift([math.log(value) for value in new], [math.log(value) for value in base], confidence)
    bounds = [None if bound is None else math.exp(bound) for bound in (logs.low, logs.high)]
    return Shift(math.exp(logs.estimate), bounds[0], bounds[1], logs.covers)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that hold for all questions together: of any false alarm at all, not of one for each (Holm)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, greatest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        greatest = max(greatest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = greatest
    return adjusted


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Return the share of false ones to be expected among those called different down to each (Benjamini-Hochberg)."""
    return [float(q) for q in stats.false_discovery_control(p_values)] if p_values else []


def _outside(new: int, base: int, tail: float) -> tuple[int, float]:
    """Return how many differences lie outside the interval's bound, counted with it, and the chance of that at most."""
    if max(new, base) > EXACT_UP_TO:
        half = float(stats.norm.isf(tail)) * math.sqrt(new * base * (new + base + 1) / 12)
        return max(0, math.floor(new * base / 2 - half)), tail
    chances = np.cumsum(_null_counts(new, base)) / math.comb(new + base, new)
    below = int(np.searchsorted(chances, tail, side="right"))
    return below, float(chances[below - 1]) if below else 0.0


def _null_counts(new: int, base: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return in how many ways the ranks can fall for each value of U, 0 to new * base, where nothing differs.

    The greatest value is of `new`, and then above all of `base`, or it is of `base`: Mann and Whitney's recurrence.
    """
    rows = [np.ones(1) for _ in range(base + 1)]         # of no value of `new`
    for size in range(1, new + 1):
        made = [np.ones(1)]
        for other in range(1, base + 1):
            counts = np.zeros(size * other + 1)
            counts[other:] += rows[other]
            counts[: size * (other - 1) + 1] += made[other - 1]
            made.append(counts)
        rows = made
    return rows[base]
