"""Whether the arrivals really delivered are the ones configured: their rate, and how they were spaced.

A generator that lags, stops for a moment or drops arrivals offers another load than the scenario says, and every
number of its report is about that other load. So what was started is counted in windows of time, and held against
what the schedule is worth there.

The rate: all that was delivered over all that was configured. The spacing: the index of dispersion of counts (the
Fano factor), the mean of (count - configured)² / configured over the windows, which allows for rates that change. It is
1 for a Poisson process, near 0 for even arrivals, and above 1 for bursts. Counts of evenly spaced shapes and of
replays are settled, but for arrivals that a busy moment carries over a window's edge; those of Poisson processes vary,
and their tolerance is that of the sampling distribution: a Poisson count for the rate, and for the index a chi-square
with the index's own mean and variance, (2 + 1/m) for a window of mean m.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from loadgen.scenario.model import OpenLoad
from loadgen.scenario.quantities import NS_PER_S
from loadgen.schedule.arrivals import load_duration_ns
from loadgen.schedule.chance import chi_square_quantile, poisson_range
from loadgen.schedule.expected import Expected, expected_windows

FALSE_ALARMS: Final = 0.01          # of a hundred sound runs at most one is said to be unsound
EDGE_SLACK_NS: Final = 20_000_000   # what a timer and some busy turns of the loop may delay a start by
WINDOW_MEAN_MIN: Final = 5.0        # windows worth less are joined: a count of hardly any says nothing
WINDOWS_MIN: Final = 10             # with fewer the index could be anything
_TAIL: Final = FALSE_ALARMS / 10    # two quantities with two tails each, and as much again for the approximations


@dataclass(frozen=True, slots=True)
class Bounded:
    """A measured number and what it should be within."""

    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Say whether it is."""
        return self.low <= self.value <= self.high


@dataclass(frozen=True, slots=True)
class ArrivalCheck:
    """What became of the configured arrivals."""

    configured: float                # what the configured rates are worth, over the windows looked at
    delivered: int
    windows: int                     # after joining those worth too little
    ratio: Bounded                   # delivered over configured
    dispersion: Bounded | None       # the index of dispersion; None: too few windows to tell
    dispersion_expected: float
    spacing: str                     # how arrivals were to be spaced, in words

    @property
    def holds(self) -> bool:
        """Say whether the load that was offered is the one that was configured."""
        return self.ratio.holds and (self.dispersion is None or self.dispersion.holds)

    @property
    def sentence(self) -> str:
        """Say what was found, and if it is unsound, what about it."""
        return f"{self._of_rate()}; {self._of_spacing()}"

    def _of_rate(self) -> str:
        ratio = self.ratio
        counts = f"{self.delivered:,} arrivals came for {self.configured:,.0f} configured"
        if ratio.holds:
            return f"{counts} ({_percent(ratio.value)})"
        above = ratio.value > ratio.high
        limit = f"at most {_percent(ratio.high)}" if above else f"at least {_percent(ratio.low)}"
        return f"{counts} ({_percent(ratio.value)}, expected {limit})"

    def _of_spacing(self) -> str:
        index = self.dispersion
        if index is None:
            return f"{self.windows} windows are too few to tell how they were spaced"
        found = f"their index of dispersion is {index.value:.2f}"
        allowed = f"{self.spacing} give {index.low:.2f} to {index.high:.2f}"
        if index.holds:
            return f"{found} ({allowed})"
        what = "burstier" if index.value > index.high else "more even"
        return f"{found}, {what} than configured: {allowed}"


def check_instants(load: OpenLoad, instants_ns: Iterable[int], *, window_ns: int | None = None) -> ArrivalCheck:
    """Hold the instants at which arrivals started, in ns after the run's start, against their load.

    The window is a second, or a fiftieth of a shorter load. Arrivals after the load's end count in its last window.
    """
    duration_ns = load_duration_ns(load)
    assert duration_ns, "an open load lasts"
    width = window_ns or min(NS_PER_S, max(1, duration_ns // 50))
    counts = [0] * -(-duration_ns // width)
    for instant_ns in instants_ns:
        counts[min(instant_ns // width, len(counts) - 1)] += 1
    return check_counts(load, counts, window_ns=width)


def check_counts(load: OpenLoad, counts: Sequence[int], *, window_ns: int = NS_PER_S) -> ArrivalCheck:
    """Hold the number of arrivals started in each window against their load.

    Window i is from i to i + 1 times `window_ns` after the run's start. A run that was cut short passes the windows
    that were over; windows after the load's end may follow. Raises ValueError if the load is worth nothing in them.
    """
    windows = list(_joined(zip(counts, expected_windows(load, len(counts), window_ns), strict=True)))
    delivered, configured = sum(counts), sum(expected.mean for _, expected in windows)
    if not configured:
        raise ValueError("the load has no arrivals in these windows, so there is nothing to hold them against")
    by_chance = sum(expected.by_chance for _, expected in windows)
    settled = sum(expected.settled for _, expected in windows)
    least, greatest = poisson_range(_TAIL, by_chance) if by_chance else (0, 0)
    slack = max(_carried(expected) for _, expected in windows)
    fewest, most = max(0.0, settled + least - slack), settled + greatest + slack
    ratio = Bounded(delivered / configured, fewest / configured, most / configured)
    expected_index, low, high = _index_range([expected for _, expected in windows])
    index = sum((count - expected.mean) ** 2 / expected.mean for count, expected in windows) / len(windows)
    dispersion = Bounded(index, low, high) if len(windows) >= WINDOWS_MIN else None
    spacing = "independent arrivals" if not settled else "settled arrivals" if not by_chance else "such shapes together"
    return ArrivalCheck(configured, delivered, len(windows), ratio, dispersion, expected_index, spacing)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _joined(windows: Iterable[tuple[int, Expected]]) -> Iterator[tuple[int, Expected]]:
    """Yield windows worth enough to be counted in, each joined from as many as it takes; the rest joins the last."""
    done: tuple[int, Expected] | None = None
    growing: tuple[int, Expected] | None = None
    for count, expected in windows:
        growing = (count, expected) if growing is None else (growing[0] + count, growing[1].with_next(expected))
        if growing[1].mean >= WINDOW_MEAN_MIN:
            if done is not None:
                yield done
            done, growing = growing, None
    if done is not None and growing is not None:
        done = (done[0] + growing[0], done[1].with_next(growing[1]))
    last = done or growing
    if last is not None and last[1].mean:
        yield last


def _carried(expected: Expected) -> float:
    """Return how many settled arrivals a busy moment may carry over a window's edge."""
    return 1 + expected.settled_mean * EDGE_SLACK_NS / expected.width_ns if expected.settled else 0.0


def _index_range(windows: Sequence[Expected]) -> tuple[float, float, float]:
    """Return the expected index of dispersion, and the range it is in but for false alarms.

    For a window of mean m, of which p is a Poisson process's, and settled counts d from their rate's worth, the
    squared deviation has mean p + d² and variance 2p² + p + 4d²p + 4dp.
    """
    mean = variance = allowance = 0.0
    for window in windows:
        p, d, carried = window.by_chance, window.rounding, _carried(window)
        mean += (p + d * d) / window.mean
        variance += (2 * p * p + p + 4 * d * d * p + 4 * d * p) / window.mean**2
        allowance += ((abs(d) + carried) ** 2 - d * d) / window.mean
    count = len(windows)
    mean, variance, allowance = mean / count, variance / count**2, allowance / count
    if not variance:
        return mean, max(0.0, mean - allowance), mean + allowance
    freedom = 2 * mean * mean / variance
    low, high = (mean * chi_square_quantile(tail, freedom) / freedom for tail in (_TAIL, 1 - _TAIL))
    return mean, max(0.0, low - allowance), high + allowance
