"""What a capacity search found: the `capacity` section of the result document.

Every stage is a run with a result of its own, kept beside this one; here stands what the search made of it.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from reports.times import Count, Nanoseconds
from reports.verdict import Verdict

Level = Literal["rate", "users", "sessions"]
Purpose = Literal["double", "halve", "bisect", "confirm", "again"]
StageOutcome = Literal["sustained", "broke", "inconclusive", "void"]
What = Literal["gate", "backlog", "errors", "mail", "steady state", "refused", "this host", "generator"]
Finding = Literal["found", "at least", "below", "not load", "unconfirmed", "generator", "interrupted"]


class Broke(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a level did not hold to."""

    what: Annotated[What, Meta(description="A gate, a backlog that grows, errors, lost mail, no steady state …")]
    sentence: str


class StageGate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One gate, held against one stage."""

    metric: Annotated[str, Meta(description='"p99 of smtp.session.response".')]
    condition: Annotated[str, Meta(description='"below 2 s".')]
    measured: Annotated[str | None, Meta(description="In human units; null: no data.")]
    verdict: Verdict


class Backlog(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was in flight at the end of each second of the steady phase, held against a walk without direction."""

    per_s: Annotated[float, Meta(description="Least-squares slope: sessions that pile up each second.")]
    p: Annotated[float, Meta(ge=0, le=1, description="Chance of such a slope without any drift, one-sided.")]
    grows: bool


class CapacityStage(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One level, measured once. Rates and times are of its steady phase, behind the longer of the two warm-ups."""

    number: Annotated[int, Meta(ge=1, description="In the order in which they were measured.")]
    purpose: Annotated[Purpose, Meta(description="Why this level; again: the one before said nothing.")]
    level: Annotated[float, Meta(gt=0, description="Sessions per second, virtual users, or sessions at once.")]
    seconds: Annotated[float, Meta(ge=0, description="Length of the steady phase that was asked for.")]
    outcome: Annotated[StageOutcome, Meta(description="void: the generator could not be believed.")]
    broke: Annotated[tuple[Broke, ...], Meta(description="Why it was not sustained; empty: it was.")] = ()
    correct: Annotated[Verdict, Meta(description="What its run said of the mail.")] = Verdict.NOT_APPLICABLE
    result: Annotated[str, Meta(description="Its own result.json, relative to this one; empty: not kept.")] = ""
    run_id: str = ""
    offered_per_s: Annotated[float | None, Meta(description="Sessions that arrived; null: no data.")] = None
    throughput_per_s: Annotated[float | None, Meta(description="Sessions that ended accepted.")] = None
    messages_per_s: Annotated[float | None, Meta(description="Messages accepted, and retrieved.")] = None
    in_flight: Annotated[float | None, Meta(description="Observed, on the average. Null: it had no average.")] = None
    in_flight_peak: Count = 0
    response_ns_p50: Annotated[Nanoseconds | None, Meta(description="Whole sessions of all kinds.")] = None
    response_ns_p95: Nanoseconds | None = None
    response_ns_p99: Nanoseconds | None = None
    errors_share: Annotated[float | None, Meta(description="Failed, timed out or dropped, of all arrivals.")] = None
    refused_share: float | None = None
    warm_up_configured_s: Annotated[float, Meta(ge=0, description="What was guessed.")] = 0.0
    warm_up_detected_s: Annotated[float | None, Meta(description="What was found (MSER-5); null: never steady.")] = None
    backlog: Annotated[Backlog | None, Meta(description="Null: a closed load has none, or too few seconds.")] = None
    gates: tuple[StageGate, ...] = ()


class Interval(Struct, frozen=True, forbid_unknown_fields=True):
    """An estimate with its 95 % interval; a null end is open."""

    estimate: float | None
    low: float | None
    high: float | None


class ScalingLaw(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The Universal Scalability Law of the stages: X(N) = g N / (1 + sigma (N - 1) + kappa N (N - 1))."""

    alone_per_s: Annotated[float, Meta(description="g: throughput of one session alone.")]
    sigma: Annotated[Interval, Meta(description="Contention.")]
    kappa: Annotated[Interval, Meta(description="Coherency: with it throughput has a peak.")]
    peak: Annotated[Interval, Meta(description="N* = sqrt((1 - sigma) / kappa), in sessions in flight; null: none.")]
    peak_per_s: Annotated[float | None, Meta(description="Throughput at N*.")] = None
    residual: Annotated[float, Meta(description="Root mean square of the relative residuals.")]
    measured_to: Annotated[float, Meta(description="The most in flight of any stage: beyond it is guessed.")]
    points: Annotated[tuple[int, ...], Meta(description="Numbers of the stages it is fitted to.")] = ()
    sentence: str = ""


class Capacity(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The result of `mailproof capacity`."""

    of: Annotated[Level, Meta(description="rate: arrivals per second. users: virtual users. sessions: held at once.")]
    finding: Finding
    sentence: Annotated[str, Meta(description="The answer.")]
    good: Annotated[float | None, Meta(description="The highest level that was sustained.")] = None
    confirmed: Annotated[bool, Meta(description="It was, in a long stage.")] = False
    bad: Annotated[float | None, Meta(description="The lowest level above it that was not.")] = None
    broke_first: Annotated[tuple[Broke, ...], Meta(description="What broke there.")] = ()
    gates: Annotated[tuple[str, ...], Meta(description="What a level has to hold to.")] = ()
    resolution: Annotated[float, Meta(gt=0, description="How close good and bad should come, as a share.")] = 0.05
    stages_max: Annotated[int, Meta(ge=1)] = 1
    stage_s: Annotated[float, Meta(ge=0, description="Length of a stage of the search, its warm-up apart.")] = 0.0
    confirm_s: Annotated[float, Meta(ge=0, description="And of one that confirms.")] = 0.0
    notes: Annotated[tuple[str, ...], Meta(description="What a reader must know.")] = ()
    stages: tuple[CapacityStage, ...] = ()
    law: ScalingLaw | None = None
    no_law: Annotated[str, Meta(description="Why there is no law.")] = ""
    retrograde: Annotated[
        str | None, Meta(description="Asked for more, it did less: what was seen of that; null: it was not seen.")
    ] = None
