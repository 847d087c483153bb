"""Where a series of runs may have changed its level: Pettitt's test, by ranks, over and over.

Sources: Pettitt 1979, "A non-parametric approach to the change-point problem"; the chance is found by putting the runs
in random order, so that it holds for short series and equal values too.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import stats

SEGMENT_MIN: Final = 6          # runs before and after a change: fewer are no level
ORDERS: Final = 4_999           # in which the runs are put; the least chance that can be found is one in 5,000
_SEED: Final = 1979             # the same series gives the same answer


def change_points(values: Sequence[float], alpha: float) -> list[int]:
    """Return the positions at which a new level begins, in order; most often none.

    The runs are taken for independent, with one level between changes: a slow drift will be cut somewhere, too. `alpha`
    is of each cut.
    """
    return _cuts(np.asarray(values, float), 0, alpha)


def _cuts(values: np.ndarray[tuple[int], np.dtype[np.float64]], offset: int, alpha: float) -> list[int]:
    if len(values) < 2 * SEGMENT_MIN or len(set(values.tolist())) == 1:
        return []
    ranks = stats.rankdata(values) - (len(values) + 1) / 2
    statistic = np.abs(np.cumsum(ranks))[SEGMENT_MIN - 1 : len(values) - SEGMENT_MIN]
    orders = np.random.default_rng(_SEED).permuted(np.tile(ranks, (ORDERS, 1)), axis=1)
    others = np.abs(np.cumsum(orders, axis=1))[:, SEGMENT_MIN - 1 : len(values) - SEGMENT_MIN].max(axis=1)
    chance = (1 + int(np.sum(others >= statistic.max() - 1e-9))) / (1 + ORDERS)
    if chance > alpha:
        return []
    cut = int(statistic.argmax()) + SEGMENT_MIN
    return [*_cuts(values[:cut], offset, alpha), offset + cut, *_cuts(values[cut:], offset + cut, alpha)]
