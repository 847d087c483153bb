"""Where a run becomes steady: MSER-5, instead of a guess.

Sources: White 1997, "An effective truncation heuristic for bias reduction in simulation output"; White, Cobb, Spratt
2000, "A comparison of five steady-state truncation heuristics for simulation": batches of five observations, and a
series whose best cut lies in its second half has not become steady. Few batches lie close together by chance, so that
a cut near the end always looks good (Hoad, Robinson, Davies 2010, "Automating warm-up length estimation"): a third is
always left, and five batches.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

BATCH: Final = 5                # observations
LEFT_MIN: Final = 5             # batches behind any cut; a third of all if that is more
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
    # The squared standard error of the mean of what is left, as if its batches were independent (MSER).
    cuts = range(count - max(LEFT_MIN, count // 3) + 1)
    errors = [float(np.var(batches[cut:])) / (count - cut) for cut in cuts]
    best = int(np.argmin(np.round(errors, 12)))        # rounded: of equal ones the first
    if best > count // 2:
        return None
    return best * BATCH + odd if best else 0
