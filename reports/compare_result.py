"""What two sets of runs came to beside each other: the `comparison` section of the result document.

The run is the unit: every number here is of whole runs, one value for each.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from reports.times import Count

RUNS_MIN: Final = 6     # a side: five bound a median nowhere near 95 % (2 * 0.5**5 > 5 %), six do

Worse = Literal["more", "less"]
FindingName = Literal["worse", "better", "more", "less", "nothing shown", "too few runs"]


class ComparedRun(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run that was given."""

    result: Annotated[str, Meta(description="Where its result was read from.")]
    run_id: str
    started: str
    seed: int | None = None
    left_out: Annotated[str | None, Meta(description="Why it is not counted; null: it is.")] = None


class ComparedSide(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The runs of one side, and what they were of."""

    runs: tuple[ComparedRun, ...]
    scenario: Annotated[str, Meta(description="Name of the scenario.")] = ""
    targets: Annotated[tuple[str, ...], Meta(description="What was loaded.")] = ()
    machines: Annotated[tuple[str, ...], Meta(description="What generated the load.")] = ()
    versions: Annotated[tuple[str, ...], Meta(description="Versions of mailproof.")] = ()

    @property
    def used(self) -> int:
        """Return how many of the runs are counted."""
        return sum(run.left_out is None for run in self.runs)


class Effect(Struct, frozen=True, forbid_unknown_fields=True):
    """How far the new runs are from the base, and between which bounds."""

    estimate: Annotated[float, Meta(description="Hodges-Lehmann: the median over all pairs of a new and a base run.")]
    low: Annotated[float | None, Meta(description="Null: so few runs bound nothing at this confidence.")] = None
    high: float | None = None


class MetricComparison(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One metric in both sets."""

    metric: Annotated[str, Meta(description='"p99 of smtp.session.response".')]
    unit: Annotated[Literal["ns", "count", "share", "per_s"], Meta(description="Of the values; a share is 0 to 1.")]
    worse: Annotated[Worse | None, Meta(description="Which way is worse; null: neither, by itself.")] = None
    base: Annotated[tuple[float | None, ...], Meta(description="One value for each counted run; null: no data.")] = ()
    new: tuple[float | None, ...] = ()
    shift: Annotated[Effect | None, Meta(description="New less base, in `unit`; null: a side has too few runs.")] = None
    change: Annotated[
        Effect | None,
        Meta(description="The same as a share of base, 0.05 for 5 % more; null also where a value is not above 0."),
    ] = None
    covers: Annotated[
        float, Meta(ge=0, le=1, description="Confidence that the intervals really have; ranks come in steps. 0: none.")
    ] = 0.0
    p: Annotated[float | None, Meta(description="Mann-Whitney, two-sided, of this metric alone.")] = None
    q: Annotated[float | None, Meta(description="`p` with regard to all metrics shown (Benjamini-Hochberg).")] = None
    finding: FindingName


class Comparison(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The result of `mailproof compare`."""

    base: ComparedSide
    new: ComparedSide
    confidence: Annotated[float, Meta(gt=0, lt=1, description="Of every interval, each on its own.")]
    runs_min: Annotated[Count, Meta(description="With fewer on a side nothing is said but the raw figures.")] = RUNS_MIN
    notes: Annotated[tuple[str, ...], Meta(description="In what the sets differ, and what a reader must know.")] = ()
    gates: Annotated[Count, Meta(description="How many gates there are: their verdicts hold together (Holm).")] = 0
    metrics: tuple[MetricComparison, ...] = ()
