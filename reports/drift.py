"""Whether a backlog grows: a line through all of it, held against what a backlog does by chance.

Sessions in flight go up and down, slowly where a server is nearly full, so that no two looks say anything, and an
ordinary test of a trend, which takes looks for independent, sees growth everywhere. The hypothesis held here is that
the number goes up and down as by coin tosses of the size that was seen, without a direction (a random walk without
drift). Over T seconds the least-squares slope of such a walk has the variance 6/5 * s^2 / T, s^2 being the variance
of what one second adds. A backlog that a server keeps within bounds wanders less, and is hardly ever called growing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

OBSERVATIONS_MIN: Final = 5     # with fewer nothing is said
ALPHA: Final = 0.10             # of calling a walk without drift a growth; what keeps within bounds, next to never


@dataclass(frozen=True, slots=True)
class Drift:
    """What a backlog did."""

    per_s: float        # least-squares slope, from one observation to the next
    p: float            # chance of such a slope, or a steeper one, without any drift

    @property
    def grows(self) -> bool:
        """Say whether the backlog grows."""
        return self.p < ALPHA


def drift_of(in_flight: Sequence[float]) -> Drift | None:
    """Return the drift of what was in flight at the end of each second, or of any series; None: it is too short."""
    seconds = len(in_flight)
    if seconds < OBSERVATIONS_MIN:
        return None
    series = np.asarray(in_flight, float)
    slope = float(np.polyfit(np.arange(seconds), series, 1)[0])
    added = float(np.var(np.diff(series), ddof=1))
    if added < 1e-18:      # nothing by chance
        return Drift(slope, 0.5 if abs(slope) < 1e-9 else float(slope < 0))
    return Drift(slope, float(stats.t.sf(slope / math.sqrt(1.2 * added / seconds), seconds - 2)))
