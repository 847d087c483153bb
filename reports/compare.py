"""Two sets of runs beside each other: a document of its own, with verdicts like any other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from reports.compare_gate import NEITHER, NO_GATE, Allowance, Candidate, WorseThan, judge_gates, runs_needed
from reports.compare_metrics import Measure, gated_measures, shown_measures
from reports.compare_result import RUNS_MIN, Comparison, Effect, FindingName, MetricComparison
from reports.compare_runs import Run, check_comparable, counted, notes_on, side_of
from reports.conclude import reasons_of
from reports.document import Document, GateResult, Question
from reports.rank_statistics import Shift, false_discovery, rank_test, ratio, shift
from reports.validity import Finding
from reports.verdict import Verdict, Verdicts, exit_code_for, worst_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a comparison is asked for."""

    worse_than: WorseThan = NO_GATE
    confidence: float = 0.95
    strict: bool = False                        # a gate that is neither shown worse nor shown to hold is inconclusive
    metrics: tuple[Measure, ...] = ()           # shown beside the usual


@dataclass(frozen=True, slots=True)
class Made:
    """Who makes the document, and when."""

    mailproof: str
    run_id: str
    started: str


def compare(base: Sequence[Run], new: Sequence[Run], asked: Asked, made: Made) -> Document:
    """Return the comparison of two sets of load runs. UserError where it would mean nothing."""
    check_comparable(base, new)
    sides = counted(base), counted(new)
    documents = [run.document for side in sides for run in side]
    gated = _gated(documents, asked.worse_than)
    measures = {
        measure.subject: measure
        for measure in (*shown_measures(documents), *asked.metrics, *(measure for measure, _ in gated))
    }
    metrics = with_regard_to_all([
        compare_metric(
            measure,
            [measure.read(run.document) for run in sides[0]],
            [measure.read(run.document) for run in sides[1]],
            asked.confidence,
        )
        for measure in measures.values()
    ], asked.confidence)   # fmt: skip
    by_name = {each.metric: each for each in metrics}
    gates = judge_gates(
        [Candidate(measure, allowance, by_name[measure.subject]) for measure, allowance in gated],
        asked.confidence, strict=asked.strict,
    )   # fmt: skip
    comparison = Comparison(
        base=side_of(base),
        new=side_of(new),
        confidence=asked.confidence,
        notes=tuple(notes_on(base, new)),
        gates=len(gates),
        metrics=tuple(metrics),
    )
    findings: dict[Question, list[Finding]] = {
        "correct": list(_correct(sides[0], sides[1])),
        "fast_enough": list(_fast_enough(gates)),
        "valid": list(_valid(comparison, gates)),
    }
    verdicts = Verdicts(**{question: worst_of(each for each, _ in found) for question, found in findings.items()})
    return Document(
        kind="compare",
        mailproof=made.mailproof,
        run_id=made.run_id,
        started=made.started,
        verdicts=verdicts,
        reasons=tuple(reasons_of(findings, verdicts)),
        exit_code=int(exit_code_for(verdicts, interrupted=False)),
        comparison=comparison,
        gates=tuple(gates),
    )


def compare_metric(
    measure: Measure, base: Sequence[float | None], new: Sequence[float | None], confidence: float
) -> MetricComparison:
    """Compare one metric; with fewer than six values on a side nothing is said but the values."""
    ours, theirs = _known(base), _known(new)
    values = {
        "metric": measure.subject, "unit": measure.metric.unit, "worse": measure.worse,
        "base": tuple(base), "new": tuple(new),
    }   # fmt: skip
    if min(len(ours), len(theirs)) < RUNS_MIN:
        return MetricComparison(**values, finding="too few runs")   # type: ignore[arg-type]
    moved, factor = shift(theirs, ours, confidence), ratio(theirs, ours, confidence)
    return MetricComparison(
        **values,   # type: ignore[arg-type]
        shift=_effect(moved),
        change=None if factor is None else _effect(factor, less=1),
        covers=moved.covers,
        p=rank_test(theirs, ours),
        finding="nothing shown",
    )


def with_regard_to_all(metrics: Sequence[MetricComparison], confidence: float) -> list[MetricComparison]:
    """Return the metrics with `q`, and a finding where of all that are called different few will be falsely so."""
    tested = [each for each in metrics if each.p is not None]
    chances = iter(false_discovery([each.p for each in tested if each.p is not None]))
    return [each if each.p is None else _found(each, next(chances), confidence) for each in metrics]


def _found(compared: MetricComparison, q: float, confidence: float) -> MetricComparison:
    return structs.replace(compared, q=q, finding=_finding(compared) if q <= 1 - confidence else "nothing shown")


def _finding(compared: MetricComparison) -> FindingName:
    assert compared.shift is not None
    if compared.shift.estimate == 0:
        return "nothing shown"
    way: FindingName = "more" if compared.shift.estimate > 0 else "less"
    if compared.worse is None:
        return way
    return "worse" if compared.worse == way else "better"


def _effect(found: Shift, *, less: float = 0) -> Effect:
    low, high = (None if bound is None else bound - less for bound in (found.low, found.high))
    return Effect(found.estimate - less, low, high)


def _gated(documents: Sequence[Document], asked: WorseThan) -> list[tuple[Measure, Allowance]]:
    gated = {} if asked.default is None else {
        measure.subject: (measure, asked.default) for measure in gated_measures(documents)
    }   # fmt: skip
    return list({**gated, **{measure.subject: (measure, allowance) for measure, allowance in asked.named}}.values())


def _correct(base: Sequence[Run], new: Sequence[Run]) -> Iterator[Finding]:
    """Whether mail survived is a fact of each run, and no matter of ranks: one new run that failed is enough."""
    failed = [[run for run in side if run.document.verdicts.correct is Verdict.FAIL] for side in (base, new)]
    if failed[1]:
        whys = [reason.sentence for reason in failed[1][0].document.reasons if reason.verdict == "correct"]
        yield Verdict.FAIL, (
            f"{len(failed[1])} of {len(new)} new runs are not correct ({len(failed[0])} of {len(base)} base runs), "
            f"first {failed[1][0].result}: {'; '.join(whys)}"
        )
    elif any(run.document.verdicts.correct is Verdict.PASS for run in new):
        yield Verdict.PASS, f"no new run failed in correctness ({len(failed[0])} of {len(base)} base runs did)"
    else:
        yield Verdict.NOT_APPLICABLE, "the runs did not ask"


def _fast_enough(gates: Sequence[GateResult]) -> Iterator[Finding]:
    if not gates:
        yield Verdict.NOT_APPLICABLE, "there was no gate: --worse-than 5% makes some"
    else:
        open_ones = [gate.metric for gate in gates if gate.measured is not None and gate.measured.endswith(NEITHER)]
        good = sum(gate.verdict is Verdict.PASS for gate in gates)
        if good:
            yield Verdict.PASS, f"{good} of {len(gates)} gates did not fail" + (
                f"; shown neither way, by so few runs or so much noise: {', '.join(open_ones)}" if open_ones else ""
            )
    for gate in gates:
        if gate.verdict is not Verdict.PASS:
            yield gate.verdict, gate.sentence


def _valid(comparison: Comparison, gates: Sequence[GateResult]) -> Iterator[Finding]:
    few = min(comparison.base.used, comparison.new.used)
    if few < RUNS_MIN:
        yield Verdict.INCONCLUSIVE, (
            f"{comparison.base.used} base and {comparison.new.used} new runs are counted: with fewer than {RUNS_MIN} a "
            "side it cannot be told whether a difference is more than what runs differ by anyway"
        )
        return
    needed = runs_needed(len(gates), comparison.confidence) if gates else RUNS_MIN
    if few < needed:
        yield Verdict.INCONCLUSIVE, (
            f"{len(gates)} gates at {comparison.confidence * 100:g} % confidence take {needed} runs a side: with {few} "
            "none could ever fail; ask for fewer gates or make more runs"
        )
        return
    yield Verdict.PASS, f"{comparison.base.used} base and {comparison.new.used} new runs are counted"


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


MARKS: Final[dict[FindingName, str]] = {
    "worse": "WORSE", "better": "better", "more": "more", "less": "less", "nothing shown": "–", "too few runs": "?",
}   # fmt: skip
