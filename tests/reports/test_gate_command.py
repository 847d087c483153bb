"""`mailproof gate`: any results held against their own gates and more; each by itself, and one exit code."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
from msgspec import structs
from typer.testing import CliRunner, Result

from reports import cli
from reports.capacity_result import Capacity
from reports.conclude import conclude, judged_again
from reports.document import CaseResult, ConformanceResult, Document, encode
from reports.errors import DocumentError, UserError
from reports.gate import Gate, judge
from reports.verdict import UNJUDGED, Verdict

CASES = ConformanceResult(
    planned=2, executed=2,
    cases=(CaseResult(id="a", level="MUST", verdict="pass"), CaseResult(id="b", level="MUST", verdict="divergence")),
)   # fmt: skip
CONFORMANCE = conclude(
    Document(
        kind="conformance", mailproof="0", run_id="judged", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED,
        exit_code=3, conformance=CASES,
    ), (),
)   # fmt: skip


@pytest.fixture
def files(good: Document, bad: Document, tmp_path: Path) -> Path:
    """A run in which all held, one in which not, and a conformance run."""
    for name, document in (("good", good), ("bad", bad), ("judged", CONFORMANCE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_bytes(encode(document))
    return tmp_path


def gate(*arguments: object) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    cli.register(app)
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["gate", *map(str, arguments)])


def test_a_result_stands_by_its_own_gates(files: Path) -> None:
    held, failed = gate(files / "good"), gate(files / "bad" / "result.json")
    assert (held.exit_code, failed.exit_code) == (0, 1)
    assert "4 of 4 gates held" in held.stdout
    assert "FAIL" in failed.stdout


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["--gate", "goodput > 1"], 0, "1 of 1 gate held"),
        (["--gate", "p99(smtp.body.response) < 1ms"], 1, "the gate allows below 1 ms"),
        (["--gate", "pop3.tls.response:p99 < 1s"], 3, "no pop3.tls was completed"),
        (["--gate", "health.cpu_share < 1%"], 3, "health.cpu_share was 41 %"),
        (["--gate", "p50(response) < 1h"], 0, "p50 of pop3.session.response"),
        (["--preset", "specmail2001"], 3, "p95 of end_to_end could not be judged"),
        (["--gate", "errors < 0", "--gate", "cases.fail = 0"], 1, "no case was run: this is a load result"),
    ],
)
def test_more_gates_are_held_against_it(files: Path, asked: list[str], code: int, said: str) -> None:
    ran = gate(files / "good", *asked)
    assert ran.exit_code == code
    assert said in " ".join(ran.stdout.split())


def test_each_result_is_judged_by_itself_and_the_worst_is_the_exit_status(files: Path) -> None:
    ran = gate(files, "--gate", "cases.divergence = 0")
    assert ran.exit_code == 1
    assert ran.stdout.splitlines()[-4:] == [
        f"exit 1  {files}/bad/result.json", f"exit 3  {files}/good/result.json", f"exit 1  {files}/judged/result.json",
        "all   1  a gate, a delivery or a case failed",
    ]   # fmt: skip
    assert gate(files / "good", files / "judged").exit_code == 0


def test_a_conformance_run_is_held_against_gates_on_its_cases(files: Path) -> None:
    assert gate(files / "judged", "--gate", "cases.divergence <= 1", "--gate", "cases.executed >= 2").exit_code == 0
    assert gate(files / "judged", "--gate", "cases.pass > 1").exit_code == 1


def test_junit_has_a_test_case_for_each_gate_of_each_result(files: Path, tmp_path: Path, good: Document) -> None:
    out = tmp_path / "gates.xml"
    gate(files / "good", files / "judged", "--gate", "goodput > 1", "--junit", out)
    suites = ET.parse(out).getroot()
    names = [suite.get("name") for suite in suites]
    whose = [f"{files}/{which}/result.json" for which in ("good", "judged")]
    assert names == [f"{what} of {each}" for each in whose for what in ("verdicts", "gates")]
    gates = {case.get("name"): case for case in suites[1]}
    assert list(gates) == [*(f"{each.metric} {each.condition}" for each in good.gates), "goodput above 1/s"]
    assert [child.tag for child in suites[3][0]] == ["error"], "what could not be judged is no success"
    assert (suites.get("failures"), suites.get("errors")) == ("0", "2"), "the gate, and the verdict"


def test_what_failed_is_marked_for_github_if_it_is_wanted(files: Path) -> None:
    ran = gate(files / "good", "--gate", "goodput < 1", "--annotations", "github")
    assert "::error title=mailproof%3A gate on goodput failed::goodput was" in ran.stdout.splitlines()[-1]
    assert "::error" not in gate(files / "good", "--gate", "goodput < 1").stdout


def test_the_list_names_every_family_and_the_presets() -> None:
    ran = gate("--list")
    assert ran.exit_code == 0
    for name in ("<phase>.response", "replies.<phase>.<code>", "goodput", "health.loop_lag", "pop3: connect"):
        assert name in ran.stdout
    assert "specmail2001" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no result: give at least one result.json"),
        (["good", "--gate", "gogo"], 'cannot read the gate "gogo": a gate looks like'),
        (["good", "--gate", "goodputt > 1"], "did you mean goodput"),
        (["good", "--gate", "ledger.lost:p99 > 1"], "is one number and takes no percentile"),
        (["good", "--preset", "specmail"], 'unknown preset "specmail"; did you mean specmail2001'),
        (["absent.json"], "cannot read"),
        (["empty"], "there is no result.json in"),
        (["unasked"], "nothing is asked of it: it has no gate, no ledger and no case; give --gate or --preset"),
    ],
)
def test_each_mistake_is_one_clear_sentence(
    files: Path, good: Document, arguments: list[str], sentence: str
) -> None:
    for name in ("empty", "unasked"):
        (files / name).mkdir()
    unasked = conclude(structs.replace(good, ledger=None), [])
    (files / "unasked" / "result.json").write_bytes(encode(unasked))
    ran = gate(*(files / each if each in {"good", "absent.json", "empty", "unasked"} else each for each in arguments))
    assert isinstance(ran.exception, UserError | DocumentError)
    assert sentence in str(ran.exception)
    assert "\n" not in str(ran.exception)


def test_a_gate_it_was_held_against_already_is_not_counted_twice(good: Document) -> None:
    again = judged_again(good, [Gate(metric="smtp.body.response", percentile=99, below="500ms")])
    assert again.gates == good.gates


def test_of_two_bounds_that_read_alike_neither_is_left_out_that_comes_to_another_verdict(good: Document) -> None:
    loose, tight = (Gate(metric="goodput", at_least=bound) for bound in (142.55, 142.65))
    both = judged_again(judged_again(good, [loose]), [tight])
    assert [(gate.condition, gate.verdict.value) for gate in both.gates[-2:]] == [
        ("at least 143/s", "pass"), ("at least 143/s", "fail"),
    ]   # fmt: skip
    assert both.exit_code == 1


def test_what_a_result_came_to_stands_and_can_only_become_worse(bad: Document, good: Document) -> None:
    held = Gate(metric="goodput", above=0)
    assert judged_again(bad, [held]).verdicts.fast_enough is Verdict.FAIL
    unbelievable = structs.replace(good, verdicts=structs.replace(good.verdicts, valid=Verdict.INCONCLUSIVE))
    assert judged_again(unbelievable, [held]).exit_code == 3
    assert judged_again(structs.replace(good, interrupted="audit", exit_code=130), [held]).exit_code == 0


@pytest.mark.parametrize(
    ("found", "bound", "verdict"),
    [
        (Capacity(of="rate", finding="found", sentence="", good=100, confirmed=True, bad=105), 100, "pass"),
        (Capacity(of="rate", finding="found", sentence="", good=100, confirmed=True, bad=105), 102, "inconclusive"),
        (Capacity(of="rate", finding="found", sentence="", good=100, confirmed=True, bad=105), 106, "fail"),
        (Capacity(of="rate", finding="at least", sentence="", good=100, confirmed=True), 1000, "inconclusive"),
        (Capacity(of="rate", finding="unconfirmed", sentence="", good=100, bad=105), 90, "inconclusive"),
        (Capacity(of="rate", finding="below", sentence="", bad=10), 10, "inconclusive"),
        (Capacity(of="rate", finding="below", sentence="", bad=10), 11, "fail"),
        (Capacity(of="rate", finding="generator", sentence=""), 0, "inconclusive"),
        (Capacity(of="users", finding="found", sentence="", good=9, confirmed=True, bad=12), 1, "inconclusive"),
    ],
)
def test_a_capacity_lies_between_what_held_and_what_did_not(found: Capacity, bound: int, verdict: str) -> None:
    document = Document(
        kind="capacity", mailproof="0", run_id="r", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=3,
        capacity=found,
    )   # fmt: skip
    assert judge(Gate(metric="capacity.per_s", at_least=bound), document).verdict.value == verdict
