"""Where a run becomes steady: MSER-5, instead of a guess.

Sources: White 1997, "An effective truncation heuristic for bias reduction in simulation output"; White, Cobb, Spratt
2000, "A comparison of five steady-state truncation heuristics for simulation": batches of five observations, and a
series whose best cut lies in its second half has not become steady. Few batches lie close together by chance, so that
a cut near the end often looks good (Hoad, Robinson, Davies 2010, "Automating warm-up length estimation"): a third is
always left, and five batches, and a late cut counts only if it is much better than every early one. Of queues in
their steady state one in fifteen is denied it so, over a minute; by the plain rule it would be one in five. What is
left after the cut and still goes one way (`drift`) is not steady either.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from reports.drift import drift_of

BATCH: Final = 5                # observations
LEFT_MIN: Final = 5             # batches behind any cut; a third of all if that is more
LATER_MAX: Final = 0.5          # of the least error of an early cut: what a late one must come below
DRIFT_ALPHA: Final = 0.01
BATCHES_MIN: Final = 6          # fewer say nothing of where a series settles
OBSERVATIONS_MIN: Final = BATCH * BATCHES_MIN


def truncation(observations: Sequence[float]) -> int | None:
    """Return how many observations to leave out, so that the mean of the rest is known best.

    None: the series is too short, or did not become steady in its first half.
    """
    count = len(observations) // BATCH
    if count < BATCHES_MIN:
        return None
    odd = len(observations) - count * BATCH       # at the start, where they matter least
    batches = np.asarray(observations, float)[odd:].reshape(count, BATCH).mean(axis=1)
    half, cuts = count // 2, range(count - max(LEFT_MIN, count // 3) + 1)
    # The squared standard error of the mean of what is left, as if its batches were independent (MSER). Rounded, so
    # that of equal ones the first is taken.
    errors = [round(float(np.var(batches[cut:])) / (count - cut), 12) for cut in cuts]
    best = int(np.argmin(errors[: half + 1]))
    if min(errors[half + 1 :], default=math.inf) < LATER_MAX * errors[best] or _drifts(batches[best:].tolist()):
        return None
    return best * BATCH + odd if best else 0


def _drifts(batches: Sequence[float]) -> bool:
    """Say whether what is left still goes one way, up or down."""
    drift = drift_of(batches)
    return drift is not None and min(drift.p, 1 - drift.p) < DRIFT_ALPHA / 2
