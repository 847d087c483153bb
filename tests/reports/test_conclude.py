"""The judging of a run: which verdict, for which reason, with which exit code."""

from typing import Literal

import pytest
from msgspec import structs

from reports.conclude import conclude
from reports.document import CaseResult, ConformanceResult, Document, Health, LedgerResult, Quantiles, SessionCounts
from reports.exit_codes import ExitCode
from reports.gate import Gate
from reports.health import Pause
from reports.load_result import Aborted, LoadResult
from reports.verdict import Verdict

PAUSE = Pause(at_ns=4_200_000_000, length_ns=312_000_000, busy_ns=3_000_000)
PASS, FAIL, INCONCLUSIVE, NOT_ASKED = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE


def sentences(document: Document, question: str) -> list[str]:
    return [reason.sentence for reason in document.reasons if reason.verdict == question]


def with_health(document: Document, health: Health) -> Document:
    assert document.load is not None
    return structs.replace(document, load=structs.replace(document.load, health=health))


def test_a_run_in_which_all_held(good: Document) -> None:
    assert (good.verdicts.correct, good.verdicts.fast_enough, good.verdicts.valid) == (PASS, PASS, PASS)
    assert good.exit_code == ExitCode.HELD
    assert sentences(good, "fast_enough") == ["4 of 4 gates held"]
    assert sentences(good, "correct")[0].endswith("accepted deliveries came out of the right maildrop once, unchanged")
    assert sentences(good, "valid")[0].startswith("the generator kept up: p99 schedule lag ")


def test_a_slow_server_that_lost_mail(bad: Document) -> None:
    assert (bad.verdicts.correct, bad.verdicts.fast_enough, bad.verdicts.valid) == (FAIL, FAIL, PASS)
    assert bad.exit_code == ExitCode.FAILED
    assert any("were lost: accepted, and in no maildrop" in sentence for sentence in sentences(bad, "correct"))
    assert all("allows" in sentence for sentence in sentences(bad, "fast_enough"))


def test_nothing_asked_is_not_applicable_and_does_not_fail_a_run(good: Document) -> None:
    judged = conclude(structs.replace(good, ledger=None), [])
    assert (judged.verdicts.correct, judged.verdicts.fast_enough) == (NOT_ASKED, NOT_ASKED)
    assert judged.exit_code == ExitCode.HELD
    assert sentences(judged, "fast_enough") == ["there was no gate on it"]


@pytest.mark.parametrize(
    ("ledger", "verdict", "part"),
    [
        (LedgerResult(accepted=9, delivered_once=9), PASS, "all 9 accepted deliveries"),
        (LedgerResult(accepted=9, delivered_once=9, ambiguous=2), PASS, "all 9 accepted deliveries"),
        (LedgerResult(accepted=9, delivered_once=8, lost=1), FAIL, "1 of 9 accepted deliveries were lost"),
        (LedgerResult(accepted=9, delivered_once=8, duplicate=1), FAIL, "delivered more than once"),
        (LedgerResult(accepted=9, delivered_once=8, corrupt=1), FAIL, "changed on the way"),
        (LedgerResult(accepted=9, delivered_once=8, misdelivered=1), FAIL, "not addressed to"),
        (LedgerResult(accepted=9, delivered_once=8, pending=1), INCONCLUSIVE, "not looked for to the end"),
        (LedgerResult(), INCONCLUSIVE, "the server accepted no message"),
        (LedgerResult(accepted=9, lost=1, pending=8), FAIL, "were lost"),
    ],
)
def test_the_ledger_decides_correct(good: Document, ledger: LedgerResult, verdict: Verdict, part: str) -> None:
    judged = conclude(structs.replace(good, ledger=ledger), [])
    assert judged.verdicts.correct is verdict
    assert part in sentences(judged, "correct")[0]


def test_a_gate_without_data_makes_fast_enough_inconclusive(good: Document) -> None:
    judged = conclude(good, [Gate(metric="lmtp.body.response", percentile=99, below="1s")])
    assert judged.verdicts.fast_enough is INCONCLUSIVE
    assert judged.exit_code == ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("health", "part"),
    [
        (
            Health(schedule_lag_ns=Quantiles(p99=101_000_000)),
            "the generator started its sessions late: p99 101 ms, at most 100 ms is allowed",
        ),
        (
            Health(loop_lag_ns=Quantiles(p99=140_000_000)),
            "the generator was late for its timers: p99 140 ms, at most 100 ms is allowed",
        ),
        (
            Health(cpu_share=0.97),
            "the generator was saturated: it used 97 % of a processor core, at most 95 % is allowed",
        ),
        (
            Health(longest_pause_ns=312_000_000, pauses=(PAUSE,), pauses_count=1),
            "the generator stood still for 312 ms, 4.2 s after the start; only pauses below 200 ms are allowed",
        ),
    ],
)
def test_a_sick_generator_makes_a_run_unbelievable_though_all_gates_held(
    good: Document, health: Health, part: str
) -> None:
    judged = conclude(with_health(good, health), [])
    assert judged.verdicts.valid is INCONCLUSIVE
    assert judged.exit_code == ExitCode.INCONCLUSIVE
    assert sentences(judged, "valid")[0].startswith(part)


def test_a_closed_run_has_no_schedule_to_be_late_for(good: Document) -> None:
    late = with_health(good, Health(schedule_lag_ns=Quantiles(p99=101_000_000)))
    assert late.load is not None
    closed = structs.replace(late, load=structs.replace(late.load, model="closed"))
    assert conclude(closed, []).verdicts.valid is PASS


def test_a_run_that_cannot_be_believed_fails_nothing(bad: Document) -> None:
    judged = conclude(bad, [Gate(metric="ledger.lost", equals=0)], doubts=["ran out of local ports"])
    assert judged.verdicts.correct is FAIL
    assert judged.exit_code == ExitCode.INCONCLUSIVE
    assert sentences(judged, "valid") == ["ran out of local ports"]


def test_an_unreachable_server_is_inconclusive(good: Document) -> None:
    load = LoadResult(model="open", steady_s=10, sessions=SessionCounts(arrived=5, failed=5))
    judged = conclude(structs.replace(good, load=load, ledger=None), [])
    assert judged.exit_code == ExitCode.INCONCLUSIVE
    assert sentences(judged, "valid") == ["nothing was completed in the steady phase, so there are no times to judge"]


def test_a_run_without_arrivals_or_without_anything_is_inconclusive(good: Document) -> None:
    empty = LoadResult(model="open", sessions=SessionCounts())
    assert sentences(conclude(structs.replace(good, load=empty), []), "valid") == ["no session arrived"]
    assert sentences(conclude(structs.replace(good, load=None), []), "valid") == ["nothing was run"]


def test_an_interrupted_load_makes_everything_inconclusive(good: Document) -> None:
    judged = conclude(structs.replace(good, interrupted="load"), [])
    assert judged.exit_code == ExitCode.INTERRUPTED
    assert judged.verdicts.valid is judged.verdicts.correct is INCONCLUSIVE


def test_an_interrupted_audit_leaves_the_load_whole_and_the_deliveries_undecided(good: Document) -> None:
    judged = conclude(structs.replace(good, interrupted="audit"), [])
    assert judged.exit_code == ExitCode.INTERRUPTED
    assert (judged.verdicts.valid, judged.verdicts.correct) == (PASS, INCONCLUSIVE)
    assert sentences(judged, "correct") == ["the reading of the maildrops was interrupted before it was complete"]


@pytest.mark.parametrize(
    ("verdict", "correct", "part"),
    [
        ("pass", PASS, "none of 1 cases failed"),
        ("latitude", PASS, "none of 1 cases failed"),
        ("fail", FAIL, "1 of 1 cases failed: smtp.rset.clears-envelope"),
        ("inconclusive", INCONCLUSIVE, "no case came to its question"),
        ("error", INCONCLUSIVE, "1 cases broke, which is mailproof's own fault: smtp.rset.clears-envelope"),
    ],
)
def test_cases_decide_correct(good: Document, verdict: str, correct: Verdict, part: str) -> None:
    case = CaseResult(id="smtp.rset.clears-envelope", level="MUST", verdict=verdict)  # type: ignore[arg-type]
    result = ConformanceResult(planned=1, executed=1, cases=(case,))
    judged = conclude(structs.replace(good, kind="conformance", load=None, ledger=None, conformance=result), [])
    assert judged.verdicts.correct is correct
    assert judged.verdicts.valid is PASS
    assert sentences(judged, "correct") == [part]


def test_a_gate_on_the_generator_that_fails_makes_the_run_no_less_fast_but_unbelievable(good: Document) -> None:
    judged = conclude(good, [Gate(metric="health.schedule_lag", percentile=100, below="1us")])
    assert (judged.gates[0].verdict, judged.gates[0].question) == (FAIL, "valid")
    assert (judged.verdicts.fast_enough, judged.verdicts.valid) == (NOT_ASKED, INCONCLUSIVE)
    assert judged.exit_code == ExitCode.INCONCLUSIVE
    assert sentences(judged, "valid") == [judged.gates[0].sentence]


def test_a_gate_on_the_generator_that_holds_is_told_beside_what_else_makes_the_run_believable(good: Document) -> None:
    judged = conclude(good, [Gate(metric="health.cpu_share", below=0.9)])
    assert judged.verdicts.valid is PASS
    assert sentences(judged, "valid")[1:] == ["1 of 1 gate held"]


def test_a_gate_that_ended_the_load_has_failed_though_it_may_hold_in_the_end(good: Document) -> None:
    def ended(question: Literal["fast_enough", "valid"]) -> Document:
        aborted = Aborted(
            metric="errors.share", condition="at most 1 %", measured="3 %", question=question, at_s=42, breached_s=5,
            sentence="the load was ended 42 s after its start, because …",
        )   # fmt: skip
        assert good.load is not None
        return conclude(
            structs.replace(good, load=structs.replace(good.load, aborted=aborted)), [Gate(metric="errors", at_least=0)]
        )

    slow, unbelievable = ended("fast_enough"), ended("valid")
    assert (slow.verdicts.fast_enough, slow.exit_code) == (FAIL, ExitCode.FAILED)
    assert sentences(slow, "fast_enough") == ["the load was ended 42 s after its start, because …"]
    assert (unbelievable.verdicts.valid, unbelievable.exit_code) == (INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert unbelievable.verdicts.fast_enough is PASS
