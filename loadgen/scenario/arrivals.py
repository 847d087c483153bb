"""The shapes of arrivals in an open load, as a scenario file writes them: `{shape = "ramp", from = 0, …}`.

Every shape but `replay` is a rate that changes over time, and comes down to straight `pieces`. How arrivals make up
that rate is the `process`: evenly spaced, or a Poisson process of the same rate at every instant.
"""

from fractions import Fraction
from typing import Annotated, Literal, Self

from msgspec.structs import replace

from loadgen.scenario.curve import CurveFile
from loadgen.scenario.profile import Piece, area_of, straight
from loadgen.scenario.quantities import Duration, Factor, Rate
from loadgen.scenario.table import Table, default, says
from loadgen.scenario.trace import TraceFile

Process = Literal["even", "poisson"]
HowSpaced = Annotated[Process, says("Evenly spaced, or independent of each other at the same rates.")]


class Constant(Table, frozen=True, kw_only=True, tag_field="shape", tag="constant", rename={"duration": "for"}):
    """Arrivals at one rate; evenly spaced, or with process = "poisson" the same as the shape of that name."""

    rate: Annotated[Rate, says("Arrivals per second.")]
    duration: Annotated[Duration, says("How long.")]
    process: HowSpaced = "even"

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Return the rates the shape is drawn by."""
        return (self.rate.per_s,)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the rate over time."""
        return straight((self.rate.per_s, self.rate.per_s, self.duration.ns))

    def scaled(self, factor: Fraction) -> Self:
        """Return the same shape with every rate times `factor`."""
        return replace(self, rate=_times(self.rate, factor))


class Poisson(Table, frozen=True, kw_only=True, tag_field="shape", tag="poisson", rename={"duration": "for"}):
    """Independent arrivals: exponential gaps, as of many clients who know nothing of each other."""

    rate: Annotated[Rate, says("Mean arrivals per second.")]
    duration: Annotated[Duration, says("How long.")]

    @property
    def process(self) -> Process:
        """Return what the shape's name says."""
        return "poisson"

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Return the rates the shape is drawn by."""
        return (self.rate.per_s,)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the rate over time."""
        return straight((self.rate.per_s, self.rate.per_s, self.duration.ns))

    def scaled(self, factor: Fraction) -> Self:
        """Return the same shape with every rate times `factor`."""
        return replace(self, rate=_times(self.rate, factor))


class Ramp(
    Table, frozen=True, kw_only=True, tag_field="shape", tag="ramp",
    rename={"start": "from", "end": "to", "duration": "over"},
):   # fmt: skip
    """A rate that changes linearly."""

    start: Annotated[Rate, says("Arrivals per second at the start; 0 is allowed.")]
    end: Annotated[Rate, says("Arrivals per second at the end; 0 is allowed.")]
    duration: Annotated[Duration, says("How long the change takes.")]
    process: HowSpaced = "even"

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Return the rates the shape is drawn by."""
        return self.start.per_s, self.end.per_s

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the rate over time."""
        return straight((self.start.per_s, self.end.per_s, self.duration.ns))

    def scaled(self, factor: Fraction) -> Self:
        """Return the same shape with every rate times `factor`."""
        return replace(self, start=_times(self.start, factor), end=_times(self.end, factor))


class Steps(
    Table, frozen=True, kw_only=True, tag_field="shape", tag="steps", rename={"start": "from", "end": "to"}
):   # fmt: skip
    """Stairs, up or down: each rate is held for a while. Gatling's incrementUsersPerSec; k6 writes them as stages."""

    start: Annotated[Rate, says("Arrivals per second on the first stair.")]
    end: Annotated[Rate, says("Arrivals per second on the last.")]
    by: Annotated[Rate, says("How much each stair is above the one before, or below it on the way down.")]
    each: Annotated[Duration, says("How long one stair is.")]
    process: HowSpaced = "even"

    @property
    def count(self) -> Fraction:
        """Return how many stairs there are; a whole number unless `by` does not divide the way."""
        way = abs(self.end.per_s - self.start.per_s)
        return 1 + way / self.by.per_s if way and self.by.per_s else Fraction(1)

    @property
    def duration(self) -> Duration:
        """Return how long all the stairs are."""
        return Duration(self.each.ns * int(self.count))

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Return the rates the shape is drawn by."""
        return self.start.per_s, self.end.per_s

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the rate over time."""
        step = self.by.per_s if self.end.per_s > self.start.per_s else -self.by.per_s
        rates = [self.start.per_s + i * step for i in range(int(self.count))]
        return straight(*((rate, rate, self.each.ns) for rate in rates))

    def scaled(self, factor: Fraction) -> Self:
        """Return the same shape with every rate times `factor`."""
        start, end, by = (_times(rate, factor) for rate in (self.start, self.end, self.by))
        return replace(self, start=start, end=end, by=by)


class Spike(Table, frozen=True, kw_only=True, tag_field="shape", tag="spike", rename={"duration": "for"}):
    """A base rate with a peak in it: up within `rise`, held, down within `fall`, and the base again.

    What k6 writes as four stages; Gatling's stressPeakUsers gives a peak's arrivals, this its rate.
    """

    base: Annotated[Rate, says("Arrivals per second before and after; 0 is allowed.")]
    peak: Annotated[Rate, says("Arrivals per second at the height of it.")]
    at: Annotated[Duration, says("When the rise begins, after the start of this shape.")] = default(Duration, "0s")
    rise: Annotated[Duration, says("From base to peak, linearly; 0s is a jump.")] = default(Duration, "0s")
    hold: Annotated[Duration, says("At the peak.")] = default(Duration, "0s")
    fall: Annotated[Duration, says("From peak to base, linearly; 0s is a jump.")] = default(Duration, "0s")
    duration: Annotated[Duration, says("The whole shape; what is left after the fall is at the base rate.")]
    process: HowSpaced = "even"

    @property
    def left_ns(self) -> int:
        """Return how long the base lasts after the fall; below 0 if there is no room for the spike."""
        return self.duration.ns - self.at.ns - self.rise.ns - self.hold.ns - self.fall.ns

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Return the rates the shape is drawn by."""
        return self.base.per_s, self.peak.per_s

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the rate over time."""
        base, peak = self.base.per_s, self.peak.per_s
        return straight(
            (base, base, self.at.ns), (base, peak, self.rise.ns), (peak, peak, self.hold.ns),
            (peak, base, self.fall.ns), (base, base, self.left_ns),
        )   # fmt: skip

    def scaled(self, factor: Fraction) -> Self:
        """Return the same shape with every rate times `factor`."""
        return replace(self, base=_times(self.base, factor), peak=_times(self.peak, factor))


class Curve(Table, frozen=True, kw_only=True, tag_field="shape", tag="curve"):
    """A rate that follows a file: a day's course, say, played in ten minutes. Linear between the file's points."""

    file: Annotated[CurveFile, says("CSV of instant,rate.")]
    scale: Annotated[Factor, says("Every rate times this.")] = default(Factor, 1)
    stretch: Annotated[Factor | None, says("Every instant times this; the rates stay. This or over.")] = None
    over: Annotated[Duration | None, says("How long the whole curve takes instead. This or stretch.")] = None
    process: HowSpaced = "even"

    @property
    def duration(self) -> Duration:
        """Return how long the curve takes, stretched."""
        return Duration(sum(piece.duration_ns for piece in self.pieces))

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """Return the rates the shape is drawn by."""
        return tuple(point.per_s * self.scale.times for point in self.file.points.points)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return the rate over time."""
        stretch = Fraction(1) if self.stretch is None else self.stretch.times
        if self.over is not None:
            stretch = Fraction(self.over.ns, self.file.points.span_ns)
        return self.file.points.pieces(scale=self.scale.times, stretch=stretch)

    def scaled(self, factor: Fraction) -> Self:
        """Return the same shape with every rate times `factor`."""
        return replace(self, scale=Factor(self.scale.times * factor))


class Replay(Table, frozen=True, kw_only=True, tag_field="shape", tag="replay", rename={"limit": "for"}):
    """Arrivals at the instants of a trace. What it tells of a message, its size and recipients, is sent so.

    An arrival with a told message is one delivery of that one message, by one of the delivering sessions (by their
    weights); an arrival without is any session, as in every other shape.
    """

    file: Annotated[TraceFile, says("CSV of instant,size,recipients, or a Postfix mail.log.")]
    speed: Annotated[Factor, says("2 is twice as fast.")] = default(Factor, 1)
    limit: Annotated[Duration | None, says("Only so much of the replay, or so much silence after it.")] = None

    @property
    def duration(self) -> Duration:
        """Return how long it takes: unless limited, up to just past the last arrival."""
        return Duration(self.instant_ns(-1) + 1) if self.limit is None else self.limit

    @property
    def count(self) -> int:
        """Return how many arrivals it has."""
        return self.file.trace.count_before(self.duration.ns, self.speed.times)

    def instant_ns(self, i: int) -> int:
        """Return when arrival `i` of the trace is, in ns after the start of the replay."""
        return self.file.trace.instants_ns[i] * self.speed.times.denominator // self.speed.times.numerator


Rated = Constant | Poisson | Ramp | Steps | Spike | Curve
Arrivals = Constant | Poisson | Ramp | Steps | Spike | Curve | Replay


def worth(segment: Arrivals) -> Fraction:
    """Return the arrivals a segment is worth: the integral of its rate, or the number its trace has."""
    return Fraction(segment.count) if isinstance(segment, Replay) else area_of(segment.pieces)


def _times(rate: Rate, factor: Fraction) -> Rate:
    return Rate(rate.per_s * factor)
