"""What an open load's schedule is worth, window by window: what the delivered arrivals are held against."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from loadgen.scenario.arrivals import Replay
from loadgen.scenario.model import OpenLoad
from loadgen.scenario.profile import Piece
from loadgen.schedule.arrivals import Placed, even_count, placed


@dataclass(frozen=True, slots=True)
class Expected:
    """The arrivals of one stretch of the schedule."""

    width_ns: int
    settled: int         # those of evenly spaced shapes and replays: just so many
    settled_mean: float  # what their rate is worth, of which `settled` is at most one rounding away
    by_chance: float     # the mean of those of Poisson processes

    @property
    def mean(self) -> float:
        """Return what the configured rates are worth."""
        return self.settled_mean + self.by_chance

    @property
    def rounding(self) -> float:
        """Return how far the settled arrivals are from their rate's worth."""
        return self.settled - self.settled_mean

    def with_next(self, after: "Expected") -> "Expected":
        """Return this stretch and the one after it as one."""
        return Expected(
            self.width_ns + after.width_ns,
            self.settled + after.settled,
            self.settled_mean + after.settled_mean,
            self.by_chance + after.by_chance,
        )


def expected_windows(load: OpenLoad, count: int, window_ns: int) -> Iterator[Expected]:
    """Yield what each of the first `count` windows of a load is worth. Its seed plays no part."""
    parts = [(part, _reached(part)) for part in placed(load, 0)]
    edges = (_before(parts, k * window_ns) for k in range(count + 1))
    for (settled, rate, chance), (settled_after, rate_after, chance_after) in pairwise(edges):
        by_chance = float(chance_after - chance)
        yield Expected(window_ns, settled_after - settled, float(rate_after - rate), by_chance)


def _before(
    parts: list[tuple[Placed, Callable[[int], Fraction]]], at_ns: int
) -> tuple[int, Fraction, Fraction]:
    """Return the settled arrivals before an instant, what their rate is worth, and what the Poisson processes' is."""
    settled, rate, chance = 0, Fraction(0), Fraction(0)
    for part, reached in parts:
        if at_ns <= part.offset_ns:
            break
        worth = reached(min(at_ns - part.offset_ns, part.segment.duration.ns))
        if isinstance(part.segment, Replay):
            settled += int(worth)
            rate += worth
        elif part.segment.process == "poisson":
            chance += worth
        else:
            settled += even_count(worth, part.phase)
            rate += worth
    return settled, rate, chance


def _reached(part: Placed) -> Callable[[int], Fraction]:
    """Return the function from an instant of a segment to what the segment is worth before it."""
    if isinstance(part.segment, Replay):
        trace, speed = part.segment.file.trace, part.segment.speed.times
        return lambda at_ns: Fraction(trace.count_before(at_ns, speed))
    pieces: tuple[Piece, ...] = part.segment.pieces
    starts = [0, *accumulate(piece.duration_ns for piece in pieces)]
    areas = [Fraction(0), *accumulate(piece.area for piece in pieces)]

    def reached(at_ns: int) -> Fraction:
        i = min(bisect_right(starts, at_ns), len(pieces)) - 1
        return areas[i] + pieces[i].area_until(at_ns - starts[i])

    return reached
