"""Segments to test with, and what they are worth up to an instant: by the textbook, not by the code under test."""

from fractions import Fraction
from itertools import accumulate, pairwise

from hypothesis import strategies as st

from loadgen.scenario.arrivals import Arrivals, Constant, Curve, Poisson, Process, Ramp, Replay, Spike, Steps
from loadgen.scenario.curve import CurveFile, Point, Points
from loadgen.scenario.model import OpenLoad
from loadgen.scenario.quantities import NS_PER_S, Duration, Factor, Rate
from loadgen.scenario.trace import Trace, TraceFile
from loadgen.schedule.arrivals import arrivals

Number = Fraction | int


def rate(per_s: Number) -> Rate:
    return Rate(Fraction(per_s))


def constant(per_s: Number, duration_ns: int, process: Process = "even") -> Constant:
    return Constant(rate=rate(per_s), duration=Duration(duration_ns), process=process)


def ramp(start: Number, end: Number, duration_ns: int, process: Process = "even") -> Ramp:
    return Ramp(start=rate(start), end=rate(end), duration=Duration(duration_ns), process=process)


def poisson(per_s: int, seconds: int) -> Poisson:
    return Poisson(rate=rate(per_s), duration=Duration(seconds * NS_PER_S))


def steps(start: Number, end: Number, by: Number, each_ns: int, process: Process = "even") -> Steps:
    return Steps(start=rate(start), end=rate(end), by=rate(by), each=Duration(each_ns), process=process)


def spike(base: Number, peak: Number, *spans_ns: int, process: Process = "even") -> Spike:
    """A spike of five spans: before it, rise, hold, fall, after it."""
    at, rise, hold, fall, _ = map(Duration, spans_ns)
    duration = Duration(sum(spans_ns))
    return Spike(
        base=rate(base), peak=rate(peak), at=at, rise=rise, hold=hold, fall=fall, duration=duration, process=process
    )


def curve(*points: tuple[int, Number], scale: Number = 1, over: int | None = None, process: Process = "even") -> Curve:
    file = CurveFile(Points("day.csv", tuple(Point(at, Fraction(per_s)) for at, per_s in points)))
    length = None if over is None else Duration(over)
    return Curve(file=file, scale=Factor(Fraction(scale)), over=length, process=process)


def replay(*instants_ns: int, speed: Number = 1, limit_ns: int | None = None) -> Replay:
    nothing = (0,) * len(instants_ns)
    limit = None if limit_ns is None else Duration(limit_ns)
    trace = TraceFile(Trace("trace.csv", instants_ns, nothing, nothing))
    return Replay(file=trace, speed=Factor(Fraction(speed)), limit=limit)


def instants(*segments: Arrivals, seed: int = 1) -> list[int]:
    return list(arrivals(OpenLoad(arrivals=segments), seed))


RATES = st.fractions(0, 50, max_denominator=7)
SPANS = st.integers(1, 3 * NS_PER_S)
MAYBE_SPANS = st.just(0) | SPANS


@st.composite
def some_steps(draw: st.DrawFn) -> Steps:
    start, by, count = draw(RATES), draw(RATES.filter(bool)), draw(st.integers(1, 4))
    end = start + by * count
    ends = (start, end) if draw(st.booleans()) else (end, start)
    return steps(*ends, by, draw(SPANS))


@st.composite
def some_curve(draw: st.DrawFn) -> Curve:
    gaps = draw(st.lists(MAYBE_SPANS, min_size=1, max_size=4).filter(any))
    at = [0, *accumulate(gaps)]
    points = [(each, draw(RATES)) for each in at]
    return curve(*points, scale=draw(st.fractions(Fraction(1, 5), 3, max_denominator=5)))


EVEN = (
    st.builds(constant, RATES, SPANS)
    | st.builds(ramp, RATES, RATES, SPANS)
    | some_steps()
    | st.builds(spike, RATES, RATES, MAYBE_SPANS, MAYBE_SPANS, MAYBE_SPANS, MAYBE_SPANS, SPANS)
    | some_curve()
)
Even = Constant | Ramp | Steps | Spike | Curve


def corners(segment: Arrivals) -> list[tuple[Fraction, Fraction]]:
    """Where the rate's line bends or jumps: (instant in ns, rate per second), two at one instant for a jump."""
    match segment:
        case Constant() | Poisson():
            return _held([(segment.rate.per_s, segment.duration.ns)])
        case Ramp():
            return [(Fraction(0), segment.start.per_s), (Fraction(segment.duration.ns), segment.end.per_s)]
        case Steps():
            rates, step = [segment.start.per_s], segment.by.per_s
            while rates[-1] != segment.end.per_s:
                rates.append(rates[-1] + (step if segment.end.per_s > segment.start.per_s else -step))
            return _held([(each, segment.each.ns) for each in rates])
        case Spike():
            base, peak = segment.base.per_s, segment.peak.per_s
            spans = [segment.at.ns, segment.rise.ns, segment.hold.ns, segment.fall.ns]
            turns = list(accumulate(spans))
            at = [0, turns[0], turns[1], turns[2], turns[3], segment.duration.ns]
            return list(zip(map(Fraction, at), (base, base, peak, peak, base, base), strict=True))
        case Curve():
            assert (segment.stretch, segment.over) == (None, None), "the tests' own curves are not stretched"
            return [(Fraction(p.at_ns), p.per_s * segment.scale.times) for p in segment.file.points.points]
        case Replay():
            raise AssertionError("a replay has no rate")


def _held(rates: list[tuple[Fraction, int]]) -> list[tuple[Fraction, Fraction]]:
    found, at = [], Fraction(0)
    for per_s, span_ns in rates:
        found += [(at, per_s), (at + span_ns, per_s)]
        at += span_ns
    return found


def integral(segment: Arrivals, until_ns: Fraction) -> Fraction:
    """The arrivals a segment is worth up to an instant: the area under the line through its corners."""
    total = Fraction(0)
    for (at, before), (end, after) in pairwise(corners(segment)):
        stop = min(end, until_ns)
        if stop > at:
            there = before + (after - before) * (stop - at) / (end - at)
            total += (before + there) / 2 * (stop - at) / NS_PER_S
    return total
