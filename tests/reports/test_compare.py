"""Two sets of runs: what is said of them, what is not, and how often it is wrong."""

import random
from collections.abc import Sequence

import pytest
from msgspec import structs

from reports.compare import Asked, Made, compare
from reports.compare_gate import runs_needed, worse_than
from reports.compare_metrics import measure_spelt, shown_measures
from reports.compare_runs import Run
from reports.document import Document, GateResult, decode, encode
from reports.errors import UserError
from reports.verdict import Verdict
from tests.reports.noisy_runs import Server, document_of, noisy_run, phase_of, set_of_runs

MADE = Made("0.1.0", "a-compare", "2026-01-02T00:00:00Z")


def compared(base: Sequence[Run], new: Sequence[Run], *gates: str, strict: bool = False) -> Document:
    return compare(base, new, Asked(worse_than(gates), strict=strict), MADE)


def exact(side: str, p99s_ms: Sequence[float], *, per_s: float = 100.0, failed: int = 0) -> list[Run]:
    """Runs with these 99th percentiles, and nothing else that differs."""
    runs = []
    for number, p99 in enumerate(p99s_ms, start=1):
        phases = {"smtp.session": phase_of(1, p99)}
        document = document_of(phases, number, run=side, per_s=per_s + number / 100, failed=failed)
        runs.append(Run(f"{side}/{number}", document))
    return runs


def gate_on(document: Document, subject: str) -> GateResult:
    [found] = [gate for gate in document.gates if gate.metric == subject]
    return found


def test_of_twenty_sets_without_a_difference_at_most_one_raises_an_alarm() -> None:
    drawn = random.Random(1)
    alarms = sum(
        compared(set_of_runs("base", 10, drawn), set_of_runs("new", 10, drawn), "0%").exit_code for _ in range(20)
    )
    assert alarms <= 1


def test_of_twenty_slow_downs_by_a_tenth_eighteen_raise_an_alarm() -> None:
    drawn = random.Random(2)
    alarms = sum(
        compared(set_of_runs("base", 10, drawn), set_of_runs("new", 10, drawn, Server(slower=1.1)), "0%").exit_code
        for _ in range(20)
    )
    assert alarms >= 18


def test_the_change_is_told_in_the_metrics_unit_and_in_per_cent() -> None:
    document = compared(exact("base", [100, 101, 102, 103, 104, 105]), exact("new", [110, 111, 112, 113, 114, 115]))
    assert document.comparison is not None
    [found] = [each for each in document.comparison.metrics if each.metric == "p99 of smtp.session.response"]
    assert found.shift is not None
    assert found.change is not None
    assert found.shift.estimate == pytest.approx(10e6, rel=0.01)      # the histogram's own rounding
    assert found.change.estimate == pytest.approx(0.0976, abs=0.003)
    assert found.covers == pytest.approx(0.9589, abs=1e-4)
    assert found.p == pytest.approx(2 / 924)
    assert found.finding == "worse"


def test_a_gate_fails_on_what_is_shown_and_says_by_how_much() -> None:
    document = compared(exact("base", range(100, 106)), exact("new", range(120, 126)), "smtp.session.response:p99=10%")
    gate = gate_on(document, "p99 of smtp.session.response")
    assert (gate.verdict, document.exit_code) == (Verdict.FAIL, 1)
    assert "is worse by more than 10 %: +1" in gate.sentence


def test_a_slow_down_within_the_allowance_fails_nothing() -> None:
    document = compared(exact("base", range(100, 106)), exact("new", range(103, 109)), "smtp.session.response:p99=10%")
    gate = gate_on(document, "p99 of smtp.session.response")
    assert (gate.verdict, document.exit_code) == (Verdict.PASS, 0)
    assert "is not worse by more than 10 %" in gate.sentence


@pytest.mark.parametrize(("strict", "exit_code"), [(False, 0), (True, 3)])
def test_what_is_shown_neither_way_is_said_and_is_inconclusive_if_strict(strict: bool, exit_code: int) -> None:
    base, new = exact("base", [80, 90, 100, 110, 120, 130]), exact("new", [85, 95, 105, 115, 125, 140])
    document = compared(base, new, "smtp.session.response:p99=1%", strict=strict)
    assert document.exit_code == exit_code
    assert "nor to be within it" in document.gates[0].sentence
    assert "shown neither way" in (document.gates[0].measured or "")
    assert any("shown neither way" in reason.sentence or strict for reason in document.reasons)


def test_less_throughput_is_worse() -> None:
    base, new = exact("base", range(100, 106)), exact("new", range(100, 106), per_s=90)
    document = compared(base, new, "messages.accepted.per_s=5%")
    assert document.exit_code == 1
    assert compared(new, base, "messages.accepted.per_s=5%").exit_code == 0


def test_an_allowance_may_be_an_amount() -> None:
    base, new = exact("base", range(100, 106)), exact("new", range(110, 116), failed=10)
    assert compared(base, new, "smtp.session.response:p99=2ms").exit_code == 1
    assert compared(base, new, "smtp.session.response:p99=30ms").exit_code == 0
    assert compared(base, new, "errors.share=0.5pp").exit_code == 1
    assert compared(base, new, "errors.share=2pp").exit_code == 0
    assert compared(base, new, "ledger.lost=0").exit_code == 0


def test_an_error_where_there_was_none_is_more_than_any_per_cent() -> None:
    document = compared(exact("base", range(100, 106)), exact("new", range(100, 106), failed=3), "5%")
    assert gate_on(document, "errors.share").verdict is Verdict.FAIL
    assert gate_on(document, "errors.share").measured == "+0.3 pp (+0.3 pp to +0.3 pp)"


def test_the_more_gates_the_more_it_takes() -> None:
    """Six runs of either side that do not overlap come about by chance once in 924 times: enough for 46 gates."""
    assert runs_needed(1, 0.95) == runs_needed(46, 0.95) == 6
    assert runs_needed(47, 0.95) == 7
    assert runs_needed(1, 0.9999) == 8


def test_gates_that_could_never_fail_are_inconclusive() -> None:
    asked = Asked(worse_than(["5%"]), confidence=0.9999)
    document = compare(exact("base", range(100, 106)), exact("new", range(200, 206)), asked, MADE)
    assert document.exit_code == 3
    assert "take 9 runs a side: with 6 none could ever fail" in str(document.reasons)


def test_fewer_than_six_runs_say_what_they_cannot_say_and_show_the_figures() -> None:
    document = compared(exact("base", range(100, 105)), exact("new", range(200, 205)), "5%")
    assert document.exit_code == 3
    assert document.comparison is not None
    assert all(each.shift is None and each.p is None for each in document.comparison.metrics)
    assert all(len(each.base) == len(each.new) == 5 for each in document.comparison.metrics)
    assert {gate.verdict for gate in document.gates} == {Verdict.INCONCLUSIVE}
    assert "with fewer than 6 a side it cannot be told" in str(document.reasons)


def test_runs_that_cannot_be_believed_are_left_out_and_named() -> None:
    base, new = exact("base", range(100, 106)), exact("new", range(100, 107))
    void = structs.replace(
        new[6].document, verdicts=structs.replace(new[6].document.verdicts, valid=Verdict.INCONCLUSIVE)
    )
    cut = structs.replace(base[0].document, interrupted="load", run_id="cut")
    document = compared([*base, Run("cut", cut)], [*new[:6], Run("void", void)], "5%")
    assert document.comparison is not None
    left_out = {
        run.result: run.left_out
        for side in (document.comparison.base, document.comparison.new)
        for run in side.runs
        if run.left_out is not None
    }
    assert left_out == {
        "cut": "interrupted: its load is not whole",
        "void": "it cannot be believed: the generator stood still for 312 ms",
    }
    assert (document.comparison.base.used, document.comparison.new.used) == (6, 6)


def test_new_runs_that_lost_mail_fail_the_comparison_whatever_their_speed() -> None:
    base, new = exact("base", range(100, 106)), exact("new", range(50, 56))
    lost = structs.replace(new[0].document.verdicts, correct=Verdict.FAIL)
    document = compared(base, [Run("x", structs.replace(new[0].document, verdicts=lost)), *new[1:]])
    assert document.exit_code == 1
    assert "1 of 6 new runs are not correct (0 of 6 base runs)" in str(document.reasons)


def test_what_else_differs_is_said() -> None:
    base = exact("base", range(100, 106))
    elsewhere = [
        Run(
            f"n{number}",
            structs.replace(
                document_of(
                    {"smtp.session": phase_of(1, 100 + number)}, number + 20, run="n", host="bench-2",
                    scenario={"scenario": {"name": "steady"}, "load": {"model": "open", "rate": 200}},
                ),
                mailproof="0.2.0",
            ),
        )
        for number in range(6)
    ]   # fmt: skip
    document = compared(base, elsewhere)
    assert document.comparison is not None
    said = "\n".join(document.comparison.notes)
    assert "the scenarios differ in load.rate: a difference may come of another load" in said
    assert "different machines: base bench-1" in said
    assert "different versions of mailproof: base 0.1.0; new 0.2.0" in said
    assert "different seeds" in said
    assert "all base runs came before all new runs" in said


def test_runs_in_turn_with_the_same_seeds_need_no_word() -> None:
    document = compared(exact("base", range(100, 106)), exact("new", range(100, 106)))
    assert document.comparison is not None
    assert document.comparison.notes == ()


def test_the_same_seed_throughout_is_said() -> None:
    base, new = (
        [Run(run.result, structs.replace(run.document, seed=7)) for run in exact(side, range(100, 106))]
        for side in ("base", "new")
    )
    document = compared(base, new)
    assert document.comparison is not None
    assert document.comparison.notes == ("all runs have seed 7: what is found holds for this one draw of arrivals",)


def _of(kind: str) -> tuple[list[Run], list[Run]]:
    base, new = exact("base", range(100, 106)), exact("new", range(100, 106))
    document = new[0].document
    assert document.load is not None
    match kind:
        case "conformance":
            new[0] = Run("x", structs.replace(document, kind="conformance", load=None))
        case "same":
            new[0] = Run("x", base[0].document)
        case "mixed":
            new[0] = Run("x", structs.replace(document, scenario={"load": {"model": "open", "rate": 7}}))
        case "closed":
            new = [
                Run(run.result, structs.replace(run.document, load=structs.replace(run.load, model="closed")))
                for run in new
            ]
        case _:
            new = []
    return base, new


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("conformance", "x is no load run"),
        ("same", "are the same run"),
        ("mixed", "the new runs are not of one scenario: x and new/2 differ in "),
        ("closed", "base is of the open model and new of the closed model"),
        ("nothing", "there is no new run"),
    ],
)
def test_where_a_comparison_means_nothing_it_is_refused(kind: str, words: str) -> None:
    base, new = _of(kind)
    with pytest.raises(UserError, match=words):
        compared(base, new)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5", "takes a per cent"),
        ("smtp.session.response=5%", "say which percentile"),
        ("errors.share:p99=5%", "takes no percentile"),
        ("smpt.session.response:p99=5%", "did you mean smtp.session.response"),
        ("smtp.session.response:p99=5", "not a duration"),
        ("smtp.session.response:p0=5%", "above 0"),
        ("errors.share=2", "points"),
        ("messages.accepted.per_s=fast", "or a number"),
        ("in_flight_peak=5%", "neither way is worse"),
    ],
)
def test_a_gate_that_cannot_be_is_refused_with_what_can(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        worse_than([text])


def test_a_comparison_is_a_document_like_any_other() -> None:
    drawn = random.Random(3)
    document = compared(set_of_runs("base", 6, drawn), set_of_runs("new", 6, drawn), "5%")
    assert decode(encode(document)) == document


def test_percentiles_are_read_as_gates_read_them(good: Document) -> None:
    for measure in shown_measures([good]):
        assert measure.read(good) == measure.metric.read(good, measure.percentile), measure.subject


def test_any_metric_can_be_shown_too() -> None:
    drawn = random.Random(4)
    base, new = ([noisy_run(f"{side}{n}", n, drawn) for n in range(1, 7)] for side in ("b", "n"))
    document = compare(base, new, Asked(metrics=(measure_spelt("smtp.body.response:p97"),)), MADE)
    assert document.comparison is not None
    assert document.comparison.metrics[-1].metric == "p97 of smtp.body.response"
