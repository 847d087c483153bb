"""When arrivals are intended: pure iterators of nanoseconds after the start of the run.

An arrival's instant is computed from its number, never by adding intervals: at 7/s an interval rounded to whole
nanoseconds is wrong by 6 ns every second. The evenly spaced shapes are exact: arrival k is at the instant where
the integral of the rate reaches k, rounded down to a nanosecond, and that integral runs on from one segment into
the next, so the joint of two segments neither loses nor gains an arrival.

A Poisson process whose rate changes goes the same way: its arrivals are where the integral of the rate reaches the
sums of independent exponential numbers of mean 1 (Çinlar's inversion), so the integral's exactness is theirs too.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final, assert_never

from loadgen.scenario.arrivals import Arrivals, Constant, Poisson, Replay, worth
from loadgen.scenario.model import ClosedLoad, Load, OpenLoad
from loadgen.scenario.profile import Piece
from loadgen.scenario.quantities import NS_PER_S
from loadgen.schedule.inverse import inverse

CHANCE_UNIT: Final = 1 << 40   # exponential numbers are summed as whole multiples of 1/this, so the sum is exact


@dataclass(frozen=True, slots=True)
class Placed:
    """One segment of an open load, and where in the schedule it stands."""

    segment: Arrivals
    offset_ns: int       # its start, after the start of the run
    phase: Fraction      # how much of an arrival the rate must still add up to before the segment's first
    stream: str          # names its random numbers

    def instants(self) -> Iterator[int]:
        """Yield the intended instants, in ns after the segment's own start."""
        match self.segment:
            case Replay():
                return (self.segment.instant_ns(i) for i in range(self.segment.count))
            case Poisson() | Constant(process="poisson"):
                return poisson(self.segment, self.stream)
            case _ if self.segment.process == "poisson":
                return by_chance(self.segment.pieces, self.stream)
            case _:
                return evenly(self.segment.pieces, self.phase)

    def count(self) -> int:
        """Return how many arrivals the segment has; a Poisson process must be counted out."""
        match self.segment:
            case Replay():
                return self.segment.count
            case _ if self.segment.process == "poisson":
                return sum(1 for _ in self.instants())
            case _:
                return even_count(worth(self.segment), self.phase)


def placed(load: OpenLoad, seed: int) -> Iterator[Placed]:
    """Yield the segments of a load, each where it stands."""
    offset_ns, phase = 0, Fraction(0)
    for index, segment in enumerate(load.arrivals):
        yield Placed(segment, offset_ns, phase, f"{seed}/arrivals/{index}")
        offset_ns += segment.duration.ns
        if isinstance(segment, Replay) or segment.process == "poisson":
            phase = Fraction(0)   # a Poisson process has no memory, and a trace no rate: there is nothing to carry on
        else:
            area = worth(segment)
            phase += even_count(area, phase) - area


def arrivals(load: OpenLoad, seed: int) -> Iterator[int]:
    """Yield the intended instant of each arrival, in ns after the start of the run; never decreasing."""
    for part in placed(load, seed):
        for instant_ns in part.instants():
            yield part.offset_ns + instant_ns


def load_duration_ns(load: Load) -> int | None:
    """Return how long arrivals are scheduled for, in ns; None for a closed load that ends by its sessions."""
    match load:
        case OpenLoad():
            return sum(segment.duration.ns for segment in load.arrivals)
        case ClosedLoad():
            return None if load.duration is None else load.duration.ns
        case _:
            assert_never(load)


def expected_arrivals(load: Load) -> float | None:
    """Return how many arrivals are expected: exact but for Poisson's chance, None for a closed load by time."""
    match load:
        case OpenLoad():
            return float(sum(worth(segment) for segment in load.arrivals))
        case ClosedLoad():
            return None if load.sessions is None else float(load.sessions)
        case _:
            assert_never(load)


def replays(load: Load, seed: int) -> tuple[tuple[int, Replay], ...]:
    """Return each replay whose trace tells of messages, with the number of its first arrival."""
    if isinstance(load, ClosedLoad):
        return ()
    telling = [i for i, each in enumerate(load.arrivals) if isinstance(each, Replay) and each.file.trace.tells_messages]
    found: list[tuple[int, Replay]] = []
    first = 0
    for i, part in enumerate(placed(load, seed)):
        if not telling or i > telling[-1]:
            break                            # nobody needs to know how many a later Poisson process has
        if i in telling and isinstance(part.segment, Replay):
            found.append((first, part.segment))
        first += part.count()
    return tuple(found)


def even_count(area: Fraction, phase: Fraction) -> int:
    """Return how many evenly spaced arrivals a stretch of the rate is worth, its end excluded."""
    return max(0, ceil(area - phase))


def evenly(pieces: Iterable[Piece], phase: Fraction) -> Iterator[int]:
    """Yield the instants where the pieces' integral reaches phase, phase + 1, … in ns rounded down."""
    offset_ns = 0
    for piece in pieces:
        area = piece.area
        if count := even_count(area, phase):
            at = inverse(piece, phase.denominator)
            for k in range(count):
                yield offset_ns + at(phase.numerator + k * phase.denominator)
        phase += count - area
        offset_ns += piece.duration_ns


def by_chance(pieces: Iterable[Piece], stream: str) -> Iterator[int]:
    """Yield the instants of a Poisson process of changing rate, in ns; `stream` names its random numbers."""
    gap = random.Random(stream).expovariate   # noqa: S311  reproducible is the point
    level = int(gap(1.0) * CHANCE_UNIT)       # of the integral, in units
    offset_ns, before = 0, Fraction(0)
    for piece in pieces:
        after = before + piece.area
        end = ceil(after * CHANCE_UNIT)
        if level < end:
            at = inverse(piece, before.denominator * CHANCE_UNIT)
            per_unit, base = before.denominator, before.numerator * CHANCE_UNIT
            while level < end:
                yield offset_ns + at(level * per_unit - base)
                level += int(gap(1.0) * CHANCE_UNIT)
        before = after
        offset_ns += piece.duration_ns


def poisson(segment: Poisson | Constant, stream: str) -> Iterator[int]:
    """Yield the instants of a Poisson process of one rate, in ns; `stream` names its random numbers."""
    rate_per_ns = float(segment.rate.per_s) / NS_PER_S
    if rate_per_ns == 0:
        return
    gap_ns = random.Random(stream).expovariate   # noqa: S311  reproducible is the point
    instant_ns = 0.0   # a float is exact to 1 ns for the first 100 days
    while (instant_ns := instant_ns + gap_ns(rate_per_ns)) < segment.duration.ns:
        yield int(instant_ns)
