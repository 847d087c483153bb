"""When arrivals are intended: pure iterators of nanoseconds after the start of the run.

An arrival's instant is computed from its number, never by adding intervals: at 7/s an interval rounded to whole
nanoseconds is wrong by 6 ns every second. The evenly spaced shapes are exact: arrival k is at the instant where
the integral of the rate reaches k, rounded down to a nanosecond, and that integral runs on from one segment into
the next, so the joint of two segments neither loses nor gains an arrival.
"""

import random
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, isqrt
from typing import assert_never

from loadgen.scenario.model import Arrivals, ClosedLoad, Constant, Load, OpenLoad, Poisson, Ramp
from loadgen.scenario.quantities import NS_PER_S


def arrivals(load: OpenLoad, seed: int) -> Iterator[int]:
    """Yield the intended instant of each arrival, in ns after the start of the run; never decreasing."""
    offset_ns = 0
    phase = Fraction(0)   # how much of an arrival the rate must still add up to before the next one
    for index, segment in enumerate(load.arrivals):
        if isinstance(segment, Poisson):
            instants = poisson(segment, f"{seed}/arrivals/{index}")
            phase = Fraction(0)   # a Poisson process has no memory, so there is nothing to carry on
        else:
            instants = constant(segment, phase) if isinstance(segment, Constant) else ramp(segment, phase)
            phase += even_count(segment, phase) - area(segment)
        for instant_ns in instants:
            yield offset_ns + instant_ns
        offset_ns += segment.duration.ns


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
            return float(sum(area(segment) for segment in load.arrivals))
        case ClosedLoad():
            return None if load.sessions is None else float(load.sessions)
        case _:
            assert_never(load)


def area(segment: Arrivals) -> Fraction:
    """Return the integral of a segment's rate: the arrivals it is worth."""
    mean_per_s = (segment.start.per_s + segment.end.per_s) / 2 if isinstance(segment, Ramp) else segment.rate.per_s
    return mean_per_s * segment.duration.ns / NS_PER_S


def even_count(segment: Constant | Ramp, phase: Fraction) -> int:
    """Return how many arrivals fall inside an evenly spaced segment, its end excluded."""
    return max(0, ceil(area(segment) - phase))


def constant(segment: Constant, phase: Fraction) -> Iterator[int]:
    """Yield floor((phase + k) / rate) in ns, for every k inside the segment."""
    rate = segment.rate.per_s
    numerator, step = phase.numerator * NS_PER_S * rate.denominator, phase.denominator * NS_PER_S * rate.denominator
    divisor = phase.denominator * rate.numerator
    for k in range(even_count(segment, phase)):
        yield (numerator + k * step) // divisor


def ramp(segment: Ramp, phase: Fraction) -> Iterator[int]:
    """Yield the instant where the rate's integral reaches phase + k, in ns rounded down.

    With rates A/d and B/d per second over D ns, s = B - A, and p/q = phase + k, that instant t solves
    s t² + 2 A D t = 2 D d 10⁹ p/q. Multiplied by q it has whole coefficients, so the integer square root is exact.
    """
    if segment.start == segment.end:
        yield from constant(Constant(rate=segment.start, duration=segment.duration), phase)
        return
    d = segment.start.per_s.denominator * segment.end.per_s.denominator
    a, b = int(segment.start.per_s * d), int(segment.end.per_s * d)
    slope, span_ns, q = b - a, segment.duration.ns, phase.denominator
    base = a * span_ns * q                                # the root is (sqrt(base² + slope·q·c·p) - base) / (slope q)
    per_p = slope * q * 2 * span_ns * d * NS_PER_S
    for k in range(even_count(segment, phase)):
        square = base * base + per_p * (phase.numerator + k * q)
        if slope > 0:
            yield (isqrt(square) - base) // (slope * q)
        else:   # base - sqrt(square), rounded down, is base - the root rounded up
            root_up = isqrt(square - 1) + 1 if square > 0 else 0
            yield (base - root_up) // (-slope * q)


def poisson(segment: Poisson, stream: str) -> Iterator[int]:
    """Yield the instants of a Poisson process, in ns; `stream` names its random numbers."""
    rate_per_ns = float(segment.rate.per_s) / NS_PER_S
    if rate_per_ns == 0:
        return
    gap_ns = random.Random(stream).expovariate   # noqa: S311  reproducible is the point
    instant_ns = 0.0   # a float is exact to 1 ns for the first 100 days
    while (instant_ns := instant_ns + gap_ns(rate_per_ns)) < segment.duration.ns:
        yield int(instant_ns)
