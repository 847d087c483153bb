"""One run, held against what a level has to hold to."""

import pytest
from msgspec import structs

from conformance.refserver.workers import Work
from reports.capacity_stage import Measured, judged_stage, with_always
from reports.conclude import conclude
from reports.document import Document, LedgerResult
from reports.gate import Gate
from reports.gate_spelt import gates_spelt, text_of
from reports.histogram import Histogram
from reports.load_result import FailureCount, Timeline
from reports.verdict import Verdict
from tests.capacity.simulated import Run, Target

MEASURED = Measured(1, "double", 60, 60)


@pytest.fixture(scope="module")
def calm() -> Run:
    """A run at six tenths of what the target can do."""
    return Target(Work(0.02, 2)).run(60, 60, 3)


def broken(document: Document, *gates: Gate, run: Run | None = None) -> list[str]:
    stage = judged_stage(document, with_always(gates), MEASURED, () if run is None else run.intervals())
    return [broke.what for broke in stage.broke]


def test_a_level_at_which_all_is_well_is_sustained_and_has_its_figures(calm: Run) -> None:
    stage = judged_stage(calm.document, with_always(()), MEASURED, calm.intervals())
    assert (stage.outcome, stage.broke) == ("sustained", ())
    assert stage.throughput_per_s == pytest.approx(60, rel=0.1)
    assert stage.in_flight == pytest.approx(1.2 / (1 - 0.36), rel=0.25), "M/M/2 at six tenths, by Erlang"
    assert stage.response_ns_p50 is not None
    assert stage.response_ns_p99 is not None
    assert stage.response_ns_p50 < stage.response_ns_p99
    assert (stage.errors_share, stage.refused_share, stage.warm_up_configured_s) == (0, 0, 10)
    assert stage.warm_up_detected_s is not None


def test_each_gate_that_fails_is_what_broke_and_one_without_data_leaves_it_open(calm: Run) -> None:
    slow, none = gates_spelt("p50(smtp.session.response)<1ms"), gates_spelt("p50(pop3.session.response)<1s")
    assert broken(calm.document, *slow, run=calm) == ["gate"]
    stage = judged_stage(calm.document, none, MEASURED, calm.intervals())
    assert (stage.outcome, [broke.what for broke in stage.broke]) == ("inconclusive", ["gate"])


def test_the_gates_on_errors_are_there_unless_somebody_asks_for_others() -> None:
    assert list(map(text_of, with_always(()))) == ["errors.share <= 1%", "sessions.refused.share <= 1%"]
    own = gates_spelt("sessions.refused.share<60%")
    assert list(map(text_of, with_always(own))) == ["sessions.refused.share < 60%", "errors.share <= 1%"]


def test_a_backlog_that_grows_breaks_a_level() -> None:
    run = Target(Work(0.02, 2)).run(115, 60, 1)
    stage = judged_stage(run.document, with_always(()), MEASURED, run.intervals())
    assert (stage.outcome, [broke.what for broke in stage.broke]) == ("broke", ["backlog"])
    assert stage.backlog is not None
    assert stage.backlog.per_s == pytest.approx(15, rel=0.3)


def test_what_fills_up_and_then_stays_does_not_grow(calm: Run) -> None:
    load = calm.document.load
    assert load is not None
    rows = 70
    filling = [*([20] * 18), *([0] * (rows - 18))]       # 360 arrive within 18 s, behind a warm-up of ten, and stay
    nothing = (0,) * rows
    timeline = Timeline(
        arrived=tuple(filling), accepted=nothing, refused=nothing, failed=nothing, timed_out=nothing, dropped=nothing,
        in_flight=nothing, messages_accepted=nothing, messages_retrieved=nothing, response_p50_ns=(None,) * rows,
        response_p99_ns=(None,) * rows,
    )   # fmt: skip
    filled = structs.replace(calm.document, load=structs.replace(load, timeline=timeline))
    stage = judged_stage(filled, (), MEASURED, calm.intervals())
    assert stage.backlog is not None
    assert not stage.backlog.grows
    assert stage.warm_up_detected_s == 20


def test_a_run_that_cannot_be_believed_is_void_whatever_its_gates_say(calm: Run) -> None:
    doubtful = conclude(calm.document, [], doubts=["the generator was late"])
    stage = judged_stage(doubtful, gates_spelt("p50(smtp.session.response)<1ms"), MEASURED, calm.intervals())
    assert stage.outcome == "void"
    assert [(broke.what, broke.sentence) for broke in stage.broke] == [("generator", "the generator was late")]


def test_where_nothing_was_completed_it_is_the_targets_doing(calm: Run) -> None:
    load = calm.document.load
    assert load is not None
    stuck = conclude(structs.replace(calm.document, load=structs.replace(load, phases={})), [])
    stage = judged_stage(stuck, (), MEASURED)
    assert (stage.outcome, stage.broke[0].what) == ("broke", "errors")


def test_where_many_are_refused_it_says_by_what(calm: Run) -> None:
    load = calm.document.load
    assert load is not None
    failures = (
        FailureCount("smtp.connect", "refused", 2),
        FailureCount("smtp.rcpt", "the server answered 550", 30, "550 who?"),
    )   # fmt: skip
    sessions = structs.replace(load.sessions, accepted=load.sessions.accepted - 32, refused=30, failed=2)
    refused = structs.replace(calm.document, load=structs.replace(load, sessions=sessions, failures=failures))
    stage = judged_stage(conclude(refused, []), gates_spelt("sessions.refused.share < 0.1%"), MEASURED)
    assert (stage.outcome, len(stage.broke)) == ("broke", 1)
    assert stage.broke[0].sentence.endswith(
        "; most often smtp.rcpt: the server answered 550; first seen as 550 who?"
    )


@pytest.mark.parametrize(
    ("ledger", "correct"),
    [
        (LedgerResult(accepted=100, delivered_once=100, sent=100), Verdict.PASS),
        (LedgerResult(accepted=100, delivered_once=99, lost=1, sent=100), Verdict.INCONCLUSIVE),
        (LedgerResult(accepted=100, delivered_once=98, lost=1, duplicate=1, sent=100), Verdict.FAIL),
        (LedgerResult(accepted=100, delivered_once=99, corrupt=1, sent=100), Verdict.FAIL),
    ],
)
def test_mail_that_is_missing_breaks_a_level_and_accuses_nobody_for_it_may_be_late(
    ledger: LedgerResult, correct: Verdict, calm: Run
) -> None:
    document = conclude(structs.replace(calm.document, ledger=ledger), [])
    stage = judged_stage(document, (), MEASURED, calm.intervals())
    assert stage.correct is correct
    assert [broke.what for broke in stage.broke] == ([] if correct is Verdict.PASS else ["mail"] * len(stage.broke))
    assert ("late is not told from lost" in str(stage.broke)) is bool(ledger.lost)


def test_response_times_are_those_behind_the_found_warm_up(calm: Run) -> None:
    late = Run(calm.came, calm.done.copy(), calm.refused, calm.steady_s)
    late.done[calm.came < 22] += 3.0                     # a slow start, twice as long as was guessed
    stage = judged_stage(late.document, (), MEASURED, late.intervals())
    assert stage.warm_up_detected_s is not None
    assert stage.warm_up_detected_s > 10
    times = Histogram()
    behind = (late.done >= stage.warm_up_detected_s) & (late.done < 70)
    times.record_many([round(each * 1e9) for each in (late.done - late.came)[behind]])
    assert stage.response_ns_p50 == pytest.approx(times.quantiles().p50, rel=0.01)
