"""One stage of a capacity search: a run, held against what a level has to hold to."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from reports import units
from reports.after_warm_up import without_start
from reports.capacity_result import Backlog, Broke, CapacityStage, Purpose, StageGate, StageOutcome
from reports.document import Document, GateResult, LoadResult
from reports.drift import drift_of
from reports.gate import Gate, judge
from reports.histogram import Histogram, Interval
from reports.measure import errors_share
from reports.steady_state import OBSERVATIONS_MIN, truncation
from reports.validity import NOTHING_COMPLETED
from reports.verdict import Verdict

ERRORS_MAX: Final = "1%"
# What no level may exceed, unless a gate of the scenario's or of the command line's looks at the same.
ALWAYS: Final = (
    Gate(metric="errors.share", at_most=ERRORS_MAX), Gate(metric="sessions.refused.share", at_most=ERRORS_MAX),
)   # fmt: skip
_MISSING: Final = "ledger.lost"
_ALWAYS_METRICS: Final = frozenset(gate.metric for gate in ALWAYS)


@dataclass(frozen=True, slots=True)
class Measured:
    """Why a stage was run, at which level, and where its result lies."""

    number: int
    purpose: Purpose
    level: float
    seconds: float
    result: str = ""


@dataclass(frozen=True, slots=True)
class _Course:
    """A run second by second, as far as its load went: each column has a row for each second."""

    backlog: Sequence[int]         # in flight at the end of the second
    accepted: Sequence[int]
    messages: Sequence[int]


def with_always(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Return the gates, and those on errors that nobody has to ask for."""
    asked = {gate.metric for gate in gates}
    return (*gates, *(gate for gate in ALWAYS if gate.metric not in asked))


def judged_stage(
    document: Document, gates: Sequence[Gate], measured: Measured, intervals: Iterable[Interval] = ()
) -> CapacityStage:
    """Return what a level came to. `intervals` are of the run's `.hlog`, read if its warm-up was too short."""
    assert document.load is not None, "a stage is a load run"
    course, opened = _course(document.load), document.load.model == "open"
    detected_s = truncation(course.backlog if opened else course.accepted)
    from_s = round(document.load.warm_up_s)
    if detected_s is not None and detected_s > from_s:
        from_s = detected_s
        document = without_start(document, intervals, from_s)
    assert document.load is not None
    backlog = _backlog(course.backlog, round(document.load.warm_up_s), from_s) if opened else None
    results = [judge(gate, document) for gate in gates]
    doubts = [Broke("generator", sentence) for sentence in doubts_of(document)]
    hard = [*_broke(document, results, backlog)]
    soft = [Broke("gate", gate.sentence) for gate in results if gate.verdict is Verdict.INCONCLUSIVE]
    if document.verdicts.correct is Verdict.INCONCLUSIVE:
        soft += _of_the_mail(document)
    if detected_s is None:
        soft.append(Broke("steady state", _never_steady(len(course.backlog))))
    outcome: StageOutcome = "void" if doubts else "broke" if hard else "inconclusive" if soft else "sustained"
    stage = CapacityStage(
        number=measured.number, purpose=measured.purpose, level=measured.level, seconds=measured.seconds,
        outcome=outcome, broke=tuple(doubts or hard or soft), result=measured.result, run_id=document.run_id,
        correct=_correct(document, results),
        warm_up_configured_s=document.load.warm_up_s, warm_up_detected_s=detected_s, backlog=backlog,
        gates=tuple(StageGate(
            metric=gate.metric, condition=gate.condition, measured=gate.measured, verdict=gate.verdict
        ) for gate in results),
    )   # fmt: skip
    return _with_figures(stage, document.load, course, from_s)


def _with_figures(stage: CapacityStage, load: LoadResult, course: _Course, from_s: int) -> CapacityStage:
    """Return a stage with its numbers, from a second of it on."""
    seconds = len(course.backlog) - from_s
    if not load.sessions.arrived or seconds <= 0:
        return stage
    times = Histogram()
    for name, phase in load.phases.items():
        if name.endswith(".session") and phase.count:
            times.merge_encoded(phase.response_hdr, phase.response_ns.max)
    p50, p95, p99 = times.curve([50, 95, 99]) if times.count else (None, None, None)
    return structs.replace(
        stage,
        offered_per_s=sum(load.timeline.arrived[from_s : from_s + seconds]) / seconds,
        throughput_per_s=sum(course.accepted[from_s:]) / seconds,
        messages_per_s=sum(course.messages[from_s:]) / seconds,
        in_flight=None if stage.warm_up_detected_s is None else _in_flight(load, course, from_s),
        in_flight_peak=load.in_flight_peak,
        response_ns_p50=p50, response_ns_p95=p95, response_ns_p99=p99,
        errors_share=errors_share(load.sessions),
        refused_share=load.sessions.refused / load.sessions.arrived,
    )   # fmt: skip


def _in_flight(load: LoadResult, course: _Course, from_s: int) -> float:
    """Return how many sessions were in flight on the average: by the generator's looks, where they began then too."""
    looks = load.health.in_flight
    if looks is not None and from_s <= round(load.warm_up_s):
        return looks.seen
    return sum(course.backlog[from_s:]) / (len(course.backlog) - from_s)


def _course(load: LoadResult) -> _Course:
    t, seconds = load.timeline, round(load.warm_up_s + load.steady_s)
    ended = [sum(row) for row in zip(t.accepted, t.refused, t.failed, t.timed_out, t.dropped, strict=True)]
    backlog = itertools.accumulate(arrived - gone for arrived, gone in zip(t.arrived, ended, strict=True))
    messages = [sum(row) for row in zip(t.messages_accepted, t.messages_retrieved, strict=True)]
    return _Course(list(backlog)[:seconds], t.accepted[:seconds], messages[:seconds])


def _backlog(in_flight: Sequence[int], from_s: int, steady_from_s: int) -> Backlog | None:
    """Judge a backlog behind the configured warm-up: the found one would hide the beginning of its growth.

    What only filled up, and behind the found warm-up goes no further, does not grow.
    """
    drift, later = drift_of(in_flight[from_s:]), drift_of(in_flight[steady_from_s:])
    if drift is None:
        return None
    return Backlog(per_s=drift.per_s, p=drift.p, grows=drift.grows and (later is None or later.per_s > 0))


def doubts_of(document: Document) -> list[str]:
    """Return why the run cannot be believed. That nothing was completed is the target's doing."""
    if document.verdicts.valid is Verdict.PASS:
        return []
    valid = [reason.sentence for reason in document.reasons if reason.verdict == "valid"]
    return [sentence for sentence in valid if sentence != NOTHING_COMPLETED]


def _broke(document: Document, results: Iterable[GateResult], backlog: Backlog | None) -> Iterator[Broke]:
    for gate in results:
        if gate.verdict is Verdict.FAIL:
            errors = gate.metric in _ALWAYS_METRICS
            yield Broke("errors", gate.sentence + _most_often(document)) if errors else Broke("gate", gate.sentence)
    if any(each.sentence == NOTHING_COMPLETED for each in document.reasons):
        yield Broke("errors", NOTHING_COMPLETED)
    if document.verdicts.correct is Verdict.FAIL:
        yield from _of_the_mail(document)
    if backlog is not None and backlog.grows:
        yield Broke(
            "backlog", f"the backlog grew by {units.rate(backlog.per_s)}: more sessions arrived than were finished "
            f"(chance does so in {units.share(backlog.p)} of such stages)",
        )   # fmt: skip


def _most_often(document: Document) -> str:
    """Return where and why most sessions of a run ended early, as the end of a sentence."""
    assert document.load is not None
    most = max(document.load.failures, key=lambda failure: failure.count, default=None)
    return "" if most is None else f"; most often {most.phase}: {most.in_words}"


def _correct(document: Document, results: Iterable[GateResult]) -> Verdict:
    """Return what a stage says of the mail: that some is missing is no fact where it may still be on its way."""
    ledger, verdict = document.ledger, document.verdicts.correct
    if ledger is None or verdict is not Verdict.FAIL or not ledger.lost:
        return verdict
    others = (gate for gate in results if gate.question == "correct" and gate.metric != _MISSING)
    facts = ledger.duplicate or ledger.corrupt or ledger.misdelivered
    return verdict if facts or any(gate.verdict is Verdict.FAIL for gate in others) else Verdict.INCONCLUSIVE


def _of_the_mail(document: Document) -> list[Broke]:
    late = "; overloaded, a server delivers late, and late is not told from lost here"
    said = [reason.sentence for reason in document.reasons if reason.verdict == "correct"]
    return [Broke("mail", f"{sentence}{late if 'lost' in sentence else ''}") for sentence in said]


def _never_steady(seconds: int) -> str:
    if seconds < OBSERVATIONS_MIN:
        return f"{seconds} s are too short to tell whether it became steady: at least {OBSERVATIONS_MIN} s are needed"
    return f"it did not become steady in the first half of {seconds} s"
