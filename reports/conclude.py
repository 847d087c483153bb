"""The judging of a finished run: gates, the three verdicts, a reason for each, the exit code.

Judged on the document alone, after the run, so that anyone who has the document can judge it again.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import structs

from reports import units
from reports.crash_findings import durability_findings, recovery_findings, was_crashed
from reports.document import (
    Document,
    GateResult,
    LedgerResult,
    Question,
    Reason,
    Verdict,
    Verdicts,
)
from reports.gate import Gate, judge
from reports.preset import gates_of_preset
from reports.validity import Finding, validity_findings
from reports.verdict import exit_code_for, worst_of


def conclude(
    document: Document, gates: Sequence[Gate], *, preset: str | None = None, doubts: Sequence[str] = ()
) -> Document:
    """Return the document with gates, verdicts, reasons and exit code filled in.

    `doubts` are sentences of whoever ran it, each a reason not to believe the run ("ran out of local ports").
    The gates must be free of problems, and the preset, whose gates come first, be one.
    """
    judged = tuple(_all_judged(document, gates, preset))
    findings: dict[Question, list[Finding]] = {
        "correct": [
            *_ledger_findings(document),
            *durability_findings(document),
            *_case_findings(document),
            *_under_load_findings(document),
            *_monitor_findings(document),
            *_gate_findings(judged, "correct"),
        ],
        "fast_enough": [*recovery_findings(document), *_gate_findings(judged, "fast_enough")],
        "valid": [*validity_findings(document, doubts), *_doubts_of_gates(judged)],
    }
    if document.load is not None and (aborted := document.load.aborted) is not None:
        worst = Verdict.INCONCLUSIVE if aborted.question == "valid" else Verdict.FAIL
        findings[aborted.question].insert(0, (worst, aborted.sentence))
    verdicts = Verdicts(**{question: worst_of(each for each, _ in found) for question, found in findings.items()})
    return structs.replace(
        document,
        gates=judged,
        verdicts=verdicts,
        reasons=tuple(reasons_of(findings, verdicts)),
        exit_code=int(exit_code_for(verdicts, interrupted=document.interrupted is not None)),
    )


def judged_again(document: Document, gates: Sequence[Gate], *, preset: str | None = None) -> Document:
    """Return a judged document with more gates held against it; what it came to before stands, and may become worse.

    A gate that it has been held against already is not held twice. The gates must be free of problems, and the preset
    be one. Its exit status is of the verdicts: to have been interrupted once is no interruption now.
    """
    # With the verdict: bounds are shown rounded, and of two that read alike one may hold and the other not.
    held = {(gate.metric, gate.condition, gate.verdict) for gate in document.gates}
    more = [
        gate for gate in _all_judged(document, gates, preset) if (gate.metric, gate.condition, gate.verdict) not in held
    ]
    found: dict[Question, list[Finding]] = {
        "correct": list(_gate_findings(more, "correct")),
        "fast_enough": list(_gate_findings(more, "fast_enough")),
        "valid": list(_doubts_of_gates(more)),
    }
    before = document.verdicts
    verdicts = Verdicts(**{
        question: worst_of((getattr(before, question), *(verdict for verdict, _ in findings)))
        for question, findings in found.items()
    })
    return structs.replace(
        document,
        gates=(*document.gates, *more),
        verdicts=verdicts,
        reasons=tuple(reasons_of({
            question: [*_findings_before(document, question), *findings] for question, findings in found.items()
        }, verdicts)),
        exit_code=int(exit_code_for(verdicts, interrupted=False)),
    )   # fmt: skip


def _all_judged(document: Document, gates: Sequence[Gate], preset: str | None) -> Iterator[GateResult]:
    for gate in () if preset is None else gates_of_preset(preset):
        yield judge(gate, document, preset=preset)
    for gate in gates:
        yield judge(gate, document)


def _findings_before(document: Document, question: Question) -> Iterator[Finding]:
    """Give the reasons of a judged document as findings again."""
    for reason in document.reasons:
        if reason.verdict == question:
            yield getattr(document.verdicts, question), reason.sentence


_NOTHING_ASKED: Final[dict[Question, str]] = {
    "correct": "deliveries were not verified and no case was run",
    "fast_enough": "there was no gate on it",
    "valid": "there was nothing to believe",
}


def reasons_of(findings: dict[Question, list[Finding]], verdicts: Verdicts) -> Iterator[Reason]:
    """Yield the findings that made each verdict; those that are better than it only where nothing is wrong."""
    for question, found in findings.items():
        verdict = getattr(verdicts, question)
        bad = [sentence for each, sentence in found if each in (Verdict.FAIL, Verdict.INCONCLUSIVE)]
        good = [sentence for each, sentence in found if each is verdict]
        for sentence in bad or good or [_NOTHING_ASKED[question]]:
            yield Reason(question, sentence)


def _gate_findings(judged: Sequence[GateResult], question: Question) -> Iterator[Finding]:
    asked = [gate for gate in judged if gate.question == question]
    held = sum(gate.verdict is Verdict.PASS for gate in asked)
    if held:
        yield Verdict.PASS, f"{held} of {len(asked)} {'gate' if len(asked) == 1 else 'gates'} held"
    for gate in asked:
        if gate.verdict is not Verdict.PASS:
            yield gate.verdict, gate.sentence


def _doubts_of_gates(judged: Sequence[GateResult]) -> Iterator[Finding]:
    """Give what gates on the generator come to: one that fails is a reason not to believe the run, no accusation."""
    for verdict, sentence in _gate_findings(judged, "valid"):
        yield (Verdict.INCONCLUSIVE if verdict is Verdict.FAIL else verdict), sentence


# class, what befell a delivery, the verdict one such delivery makes
_MISFORTUNES: Final = (
    ("lost", "lost: accepted, and in no maildrop when the settling time was over", Verdict.FAIL),
    ("duplicate", "delivered more than once", Verdict.FAIL),
    ("corrupt", "changed on the way", Verdict.FAIL),
    ("misdelivered", "found in a maildrop they were not addressed to", Verdict.FAIL),
    ("pending", "not looked for to the end: their maildrops were not read", Verdict.INCONCLUSIVE),
)
_PENDING_WITHOUT_A_WORKER: Final = "not found, and a worker that was lost may have taken them away"


def _ledger_findings(document: Document) -> Iterator[Finding]:
    ledger = document.ledger
    if ledger is None:
        return
    if ledger.not_made is not None:
        yield Verdict.INCONCLUSIVE, f"there is no ledger, so what became of the mail is not known: {ledger.not_made}"
        return
    if not ledger.accepted:
        yield Verdict.INCONCLUSIVE, "deliveries were to be verified, but the server accepted no message"
    clean = document.interrupted is None
    if not clean:
        yield Verdict.INCONCLUSIVE, "the reading of the maildrops was interrupted before it was complete"
    for name, befell, verdict in _MISFORTUNES:
        if number := getattr(ledger, name):
            clean = False
            why = _PENDING_WITHOUT_A_WORKER if name == "pending" and _a_worker_was_lost(document) else befell
            yield verdict, f"{units.count(number)} of {_deliveries(ledger)} were {why}"
    if ledger.accepted and clean:
        but = ""
        if number := ledger.duplicate_lawful:
            why = "delivered again after a crash, or " if was_crashed(document) else ""
            but = f", but for {units.count(number)} {why}sent again when a reply was lost, and so lawfully there twice"
        yield Verdict.PASS, f"all {_deliveries(ledger)} came out of the right maildrop once, unchanged{but}"


def _a_worker_was_lost(document: Document) -> bool:
    return document.load is not None and any(worker.lost is not None for worker in document.load.workers)


def _deliveries(ledger: LedgerResult) -> str:
    return f"{units.count(ledger.accepted)} accepted {'delivery' if ledger.accepted == 1 else 'deliveries'}"


def _case_findings(document: Document) -> Iterator[Finding]:
    result = document.conformance
    if result is None:
        return
    failed = [case.id for case in result.cases if case.verdict == "fail" and case.known is None]
    broke = [case.id for case in result.cases if case.verdict == "error"]
    undecided = sum(case.verdict == "inconclusive" for case in result.cases)
    if failed:
        yield Verdict.FAIL, f"{len(failed)} of {result.executed} cases failed: {_some(failed)}"
    if broke:
        yield Verdict.INCONCLUSIVE, f"{len(broke)} cases broke, which is mailproof's own fault: {_some(broke)}"
    if undecided >= result.executed:
        yield Verdict.INCONCLUSIVE, "no case came to its question"
    elif not failed and not broke:
        left = f"; {undecided} could not be decided" if undecided else ""
        known = sum(case.known is not None and case.verdict == "fail" for case in result.cases)
        old = f" that was not known ({known} were)" if known else ""
        yield Verdict.PASS, f"none of {result.executed} cases failed{old}{left}"


def _under_load_findings(document: Document) -> Iterator[Finding]:
    """Give what the load says of correctness, and what it cannot say. How fast the server was is told, not judged:
    the cases were in its way.
    """
    load = document.conformance.under_load if document.conformance is not None else None
    if load is None:
        return
    if load.verdicts.correct is Verdict.FAIL:
        for reason in load.reasons:
            if reason.verdict == "correct":
                yield Verdict.FAIL, f"the load: {reason.sentence}"
    if number := len(load.outside):
        yield (
            Verdict.INCONCLUSIVE,
            f"{number} {'case' if number == 1 else 'cases'} fell outside the load, which was over before "
            f"{'it' if number == 1 else 'they'}: a longer load is needed",
        )


def _monitor_findings(document: Document) -> Iterator[Finding]:
    """Give what a load's replies were seen to break. That nothing was seen in some of them passes nothing."""
    monitors = document.load.monitors if document.load is not None else None
    for departure in monitors.departures if monitors is not None else ():
        if departure.verdict == "fail":
            times = "once" if departure.broken == 1 else f"{units.count(departure.broken)} times"
            yield Verdict.FAIL, (
                f"replies to the load broke {departure.id} ({', '.join(departure.sources)}) {times}: {departure.got}"
            )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (" and others" if len(ids) > 5 else "")
