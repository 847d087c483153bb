"""The Universal Scalability Law, fitted to measured stages: how throughput goes with how much is in flight.

Source: Gunther, "Guerrilla Capacity Planning" (2007), ch. 4 to 6:  X(N) = g N / (1 + s (N - 1) + k N (N - 1)), with g
the throughput of one alone, s what they contend for, k what they must agree on. With a k the throughput has a peak, at
N* = sqrt((1 - s) / k). N is what was observed in flight, never the rate that was offered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import curve_fit

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

POINTS_MIN: Final = 6             # three numbers are fitted
SPREAD_MIN: Final = 3.0           # the most in flight over the least: a law of growth wants some growth
RESIDUAL_MAX: Final = 0.10        # root mean square of the relative residuals: past it the law does not describe these
RESAMPLES: Final = 200
CONFIDENCE: Final = 0.95
_SIGMA_MAX: Final = 1.0           # at it nothing is gained by a second one
_KAPPA_NONE: Final = 1e-9         # below it the peak is nowhere near anything
_SEED: Final = 2007               # the same stages give the same interval


@dataclass(frozen=True, slots=True)
class Point:
    """One measured stage."""

    in_flight: float              # mean, observed
    per_s: float                  # throughput


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate, and its interval; an end of None is open."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Law:
    """A fitted law."""

    alone_per_s: float
    sigma: Range
    kappa: Range
    peak: Range                   # N*; no estimate: throughput only levels off
    residual: float               # root mean square of the relative residuals
    resamples: int                # of the bootstrap, those that could be fitted
    measured_to: float            # the most in flight of any point

    def throughput(self, in_flight: float) -> float:
        """Return what the law says of so many in flight."""
        sigma, kappa = self.sigma.estimate or 0.0, self.kappa.estimate or 0.0
        return float(_law(np.asarray([in_flight]), self.alone_per_s, sigma, kappa)[0])

    @property
    def peak_is_measured(self) -> bool:
        """Say whether stages were measured at the peak or past it: elsewhere it is a guess."""
        return self.peak.estimate is not None and self.peak.estimate <= self.measured_to


def fit(points: Sequence[Point]) -> Law | str:
    """Return the law of some points, or why there is none: one sentence."""
    used = [point for point in points if point.in_flight > 0 and point.per_s > 0]
    if len(used) < POINTS_MIN:
        return f"the law needs {POINTS_MIN} stages with a steady state, and there are {len(used)}: measure more levels"
    n, x = np.asarray([point.in_flight for point in used]), np.asarray([point.per_s for point in used])
    if n.max() < SPREAD_MIN * n.min():
        return (
            f"sessions in flight went from {n.min():.3g} to {n.max():.3g} only, and the law needs {SPREAD_MIN:g} times "
            "as many at one end as at the other: measure levels further apart"
        )
    fitted = _fitted(n, x)
    if fitted is None:
        return "no law could be fitted: the fit did not come to an end"
    predicted = _law(n, *fitted)
    relative = x / predicted - 1
    residual = math.sqrt(float(np.mean(relative**2)))
    if residual > RESIDUAL_MAX:
        return (
            f"the law does not describe these stages: they are {100 * residual:.1f} % off it (root mean square), at "
            f"most {100 * RESIDUAL_MAX:.0f} % is allowed"
        )
    alone, sigma, kappa = fitted
    again = _resampled(n, predicted, relative)
    return Law(
        alone_per_s=alone,
        sigma=_range(sigma, [each[1] for each in again]),
        kappa=_range(kappa, [each[2] for each in again]),
        peak=_peaks(_peak(sigma, kappa), [_peak(each[1], each[2]) for each in again]),
        residual=residual,
        resamples=len(again),
        measured_to=float(n.max()),
    )


def _law(n: Vector, alone: float, sigma: float, kappa: float) -> Vector:
    return alone * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


def _fitted(n: Vector, x: Vector) -> tuple[float, float, float] | None:
    """Return g, s and k of the least relative squares, within their bounds."""
    start = (float((x / n).max()), 0.1, 0.01 / float(n.max()))
    try:
        found, _ = curve_fit(
            _law, n, x, p0=start, sigma=x, bounds=([0, 0, 0], [np.inf, _SIGMA_MAX, np.inf]), x_scale=start, maxfev=5_000
        )
    except RuntimeError:
        return None
    alone, sigma, kappa = (float(each) for each in found)
    return alone, sigma, kappa


def _resampled(n: Vector, predicted: Vector, relative: Vector) -> list[tuple[float, float, float]]:
    """Fit again, each time with residuals drawn anew. Three numbers were fitted to them, so they are too small."""
    larger = math.sqrt(len(n) / (len(n) - 3))
    draws = np.random.default_rng(_SEED).choice(relative * larger, (RESAMPLES, len(n)))
    fits = (_fitted(n, predicted * np.maximum(1 + drawn, 0.01)) for drawn in draws)
    return [each for each in fits if each is not None]


def _peak(sigma: float, kappa: float) -> float:
    """Return N*; infinite where throughput only levels off."""
    if kappa < _KAPPA_NONE or sigma >= _SIGMA_MAX:
        return math.inf
    return math.sqrt((1 - sigma) / kappa)


def _range(estimate: float, resampled: Sequence[float]) -> Range:
    if not resampled:
        return Range(estimate, None, None)
    low, high = np.quantile(resampled, _tails())
    return Range(estimate, float(low), float(high))


def _peaks(estimate: float, resampled: Sequence[float]) -> Range:
    """Return the peak and its interval by ranks, for some of the peaks may be infinite."""
    ordered = sorted(resampled)
    low, high = (ordered[round(tail * (len(ordered) - 1))] for tail in _tails()) if ordered else (math.inf, math.inf)
    return Range(*(None if math.isinf(each) else each for each in (estimate, low, high)))


def _tails() -> tuple[float, float]:
    return (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
