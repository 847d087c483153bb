"""Whether something measured every second grows: a slope, its interval, and a word for it. No process, no clock."""

import math
import statistics
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

S_PER_HOUR: Final = 3600.0
BLOCKS: Final = 16              # means of blocks: neighbouring seconds are too alike to count as independent
NEGLIGIBLE_PER_HOUR: Final = 0.02       # of the level: growth that a day of running would not notice
PRECISE_PER_HOUR: Final = 0.10          # half an interval wider than this is too wide to call anything flat

# Student's t, 97.5 %, by degrees of freedom (any table of it).
T_975: Final = (
    math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
    2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)   # fmt: skip

Verdict = Literal["flat", "grows", "undecided"]


class Slope(Struct, frozen=True, forbid_unknown_fields=True):
    """A straight line through values over time: its rise, and the 95 % interval of that."""

    per_s: float
    low_per_s: float
    high_per_s: float
    level: float               # the mean of the values

    @property
    def verdict(self) -> Verdict:
        """Return whether it grows.

        `grows`: the whole interval lies above zero, and reaches past what is negligible. `flat`: it does not, and the
        interval is narrow enough to say so. Otherwise there was too little to see.
        """
        high, low = self.high_per_s * S_PER_HOUR, self.low_per_s * S_PER_HOUR
        if low > 0 and high > NEGLIGIBLE_PER_HOUR * self.level:
            return "grows"
        if high <= NEGLIGIBLE_PER_HOUR * self.level or (high - low) / 2 <= PRECISE_PER_HOUR * self.level:
            return "flat"
        return "undecided"


def slope(times_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Return the line of least squares through values over time. ValueError for fewer than three, or one instant."""
    count = len(times_s)
    if count != len(values) or count < 3:
        raise ValueError(f"a slope with an interval needs three points or more, not {count}")
    middle_s, level = statistics.fmean(times_s), statistics.fmean(values)
    spread = sum((time_s - middle_s) ** 2 for time_s in times_s)
    if not spread:
        raise ValueError("every value is of the same instant")
    per_s = sum((t - middle_s) * (value - level) for t, value in zip(times_s, values, strict=True)) / spread
    residue = sum(
        (value - level - per_s * (t - middle_s)) ** 2 for t, value in zip(times_s, values, strict=True)
    )
    freedom = count - 2
    student = T_975[freedom] if freedom < len(T_975) else 1.96
    half = student * math.sqrt(residue / freedom / spread)
    return Slope(per_s, per_s - half, per_s + half, level)


def slope_of_blocks(times_s: Sequence[float], values: Sequence[float], blocks: int = BLOCKS) -> Slope:
    """Return the slope of the means of equal blocks of neighbouring samples. ValueError for too few samples."""
    size = max(1, len(values) // blocks)
    starts = range(0, len(values) - size + 1, size)
    return slope(
        [statistics.fmean(times_s[start : start + size]) for start in starts],
        [statistics.fmean(values[start : start + size]) for start in starts],
    )
