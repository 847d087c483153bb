"""A capacity search's stages made into its document: the answer, the curve's law, verdicts and exit code."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import structs

from reports.capacity_result import Broke, Capacity, CapacityStage, Interval, ScalingLaw
from reports.capacity_words import answer, broke_in_words, law_in_words, level_in_words, retrograde_in_words
from reports.document import Document, GateResult, Question, Reason
from reports.gate import shown
from reports.measure import Unit
from reports.scaling_law import Law, Point, Range, fit
from reports.verdict import Verdict, Verdicts, exit_code_for, worst_of

CAPACITY_GATE: Final = "capacity"
_NOTHING_DONE: Final = "sessions that are only held have no throughput"
_Findings = Sequence[tuple[Verdict, str]]


def completed(capacity: Capacity) -> Capacity:
    """Return what a search found with its law, what broke first, and the answer in words."""
    whole = structs.replace(capacity, broke_first=_broke_at(capacity.stages, capacity.bad), no_law=_NOTHING_DONE)
    if capacity.of != "sessions":
        law, no_law = scaling_law(capacity.stages)
        retrograde = retrograde_in_words(capacity.stages, capacity.of)
        whole = structs.replace(whole, law=law, no_law=no_law, retrograde=retrograde)
    return structs.replace(whole, sentence=answer(whole))


def scaling_law(stages: Sequence[CapacityStage]) -> tuple[ScalingLaw | None, str]:
    """Return the law of the stages that had a steady state, or why there is none."""
    used = [each for each in stages if each.outcome != "void" and each.in_flight and each.throughput_per_s]
    law = fit([Point(each.in_flight or 0.0, each.throughput_per_s or 0.0) for each in used])
    if isinstance(law, str):
        return None, law
    made = ScalingLaw(
        alone_per_s=law.alone_per_s, sigma=_interval(law.sigma), kappa=_interval(law.kappa), peak=_interval(law.peak),
        peak_per_s=_peak_per_s(law), residual=law.residual, measured_to=law.measured_to,
        points=tuple(each.number for each in used),
    )   # fmt: skip
    return structs.replace(made, sentence=law_in_words(made)), ""


def concluded(document: Document, *, at_least: float | None = None) -> Document:
    """Return the document of a search with gates, verdicts, reasons and exit code filled in.

    `at_least` is the level that the operator asks for at the least.
    """
    capacity = document.capacity
    assert capacity is not None, "a search's document"
    gates = () if at_least is None else (_gate(capacity, at_least),)
    found: dict[Question, _Findings] = {
        "correct": _correct(capacity), "fast_enough": [*_fast_enough(capacity, gates)], "valid": [*_valid(capacity)],
    }   # fmt: skip
    verdicts = Verdicts(**{question: worst_of(verdict for verdict, _ in each) for question, each in found.items()})
    reasons = tuple(
        Reason(question, sentence)
        for question, each in found.items()
        for verdict, sentence in each
        if verdict is getattr(verdicts, question)
    )
    return structs.replace(
        document, gates=gates, verdicts=verdicts, reasons=reasons,
        exit_code=int(exit_code_for(verdicts, interrupted=document.interrupted is not None)),
    )   # fmt: skip


def _broke_at(stages: Sequence[CapacityStage], level: float | None) -> tuple[Broke, ...]:
    """Return what broke at a level, by its last stage that said so."""
    told = [each.broke for each in stages if each.level == level and each.outcome in ("broke", "inconclusive")]
    return told[-1] if told else ()


def _interval(found: Range) -> Interval:
    return Interval(found.estimate, found.low, found.high)


def _peak_per_s(law: Law) -> float | None:
    return None if law.peak.estimate is None else law.throughput(law.peak.estimate)


def _gate(capacity: Capacity, at_least: float) -> GateResult:
    unit: Unit = "per_s" if capacity.of == "rate" else "count"
    good = capacity.good
    verdict = Verdict.FAIL
    if good is not None and good >= at_least:
        verdict = Verdict.PASS if capacity.confirmed else Verdict.INCONCLUSIVE
    elif capacity.bad is None or capacity.bad > at_least:
        verdict = Verdict.INCONCLUSIVE         # between the two nobody looked, or nothing was found
    wanted, measured = shown(at_least, unit), None if good is None else shown(good, unit)
    return GateResult(
        metric=CAPACITY_GATE, condition=f"at least {wanted}", measured=measured, value=good, unit=unit, verdict=verdict,
        question="fast_enough",
        sentence=f"the capacity that was shown is {measured or 'none'}, the gate allows at least {wanted}",
    )   # fmt: skip


def _correct(capacity: Capacity) -> _Findings:
    failed = [each for each in capacity.stages if each.correct is Verdict.FAIL]
    found = [
        (Verdict.FAIL, f"at {level_in_words(stage.level, capacity.of)}: {broke.sentence}")
        for stage in failed for broke in stage.broke if broke.what == "mail"
    ]   # fmt: skip
    sustained = {each.correct for each in capacity.stages if each.outcome == "sustained"}
    if not found and Verdict.PASS in sustained:
        found = [(Verdict.PASS, "in every sustained stage all accepted mail came out once, unchanged")]
    verified = any(each.correct is not Verdict.NOT_APPLICABLE for each in capacity.stages)
    nothing = "no level was sustained at which deliveries were verified" if verified else "deliveries were not verified"
    return found or [(Verdict.NOT_APPLICABLE, nothing)]


def _fast_enough(capacity: Capacity, gates: Sequence[GateResult]) -> Iterator[tuple[Verdict, str]]:
    for gate in gates:
        yield gate.verdict, gate.sentence
    match capacity.finding:
        case "found" | "at least":
            yield Verdict.PASS, capacity.sentence
        case "below":
            yield Verdict.FAIL, f"{capacity.sentence}: {broke_in_words(capacity.broke_first)}"
        case "not load":
            yield Verdict.INCONCLUSIVE, f"{capacity.sentence}: {broke_in_words(capacity.broke_first)}"
        case "unconfirmed" | "generator" | "interrupted":
            yield Verdict.INCONCLUSIVE, capacity.sentence


def _valid(capacity: Capacity) -> Iterator[tuple[Verdict, str]]:
    last = capacity.stages[-1] if capacity.stages else None
    if last is None:
        yield Verdict.INCONCLUSIVE, "no stage was run"
    elif capacity.finding == "generator":
        for broke in last.broke:
            yield Verdict.INCONCLUSIVE, f"at {level_in_words(last.level, capacity.of)}: {broke.sentence}"
    elif capacity.finding == "interrupted":
        yield Verdict.INCONCLUSIVE, "the search was interrupted before its end"
    else:
        void = sum(each.outcome == "void" for each in capacity.stages)
        again = f"; {void} more could not be believed, and were made again" if void else ""
        yield Verdict.PASS, f"the generator kept up in {len(capacity.stages) - void} stages{again}"
