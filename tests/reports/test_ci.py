"""`mailproof ci`: which commands are run, what they come to together, and what a CI job is told of it."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import typer
from msgspec import structs
from typer.testing import CliRunner

import reports.cli
from reports.child import Child
from reports.ci import Order, Outcome, Step, StepName, carry_out, check
from reports.ci_markdown import ci_markdown
from reports.compare_files import compared, runs_at, write_comparison
from reports.document import Document, encode
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.verdict import Verdict
from tests.reports.noisy_runs import Server, noisy_run

SMTP, POP3 = "smtp://127.0.0.1:2525", "pop3://127.0.0.1:2110"
Given = list[tuple[StepName, list[str]]]
Start = Callable[[StepName, Sequence[str]], int]


def order(directory: Path, **more: object) -> Order:
    return Order(targets=(SMTP, POP3), directory=directory, **more)    # type: ignore[arg-type]


def written(directory: Path, runs: int, *, slower: float = 1.0) -> None:
    """Leave the results of a load."""
    drawn = random.Random(directory.name)
    for number in range(1, runs + 1):
        at = directory / f"run-{number:02}" if runs > 1 else directory
        at.mkdir(parents=True)
        (at / "result.json").write_bytes(encode(noisy_run(str(at), number, drawn, Server(slower=slower)).document))


def commands(result: Document, codes: dict[StepName, int] | None = None, *, slower: float = 1.0) -> tuple[Given, Start]:
    """Something that leaves results as the commands do; and the commands it was given."""
    given: Given = []

    def start(name: StepName, arguments: Sequence[str]) -> int:
        given.append((name, list(arguments)))
        code = (codes or {}).get(name, 0)
        out = next(Path(each.removeprefix("--out=")) for each in arguments if each.startswith("--out="))
        if code in {ExitCode.OPERATOR_ERROR, ExitCode.INTERRUPTED}:
            return code
        if name == "load":
            written(out, next((int(each[9:]) for each in arguments if each.startswith("--repeat=")), 1), slower=slower)
        elif name == "comparison":
            base, new = (runs_at(Path(arguments[at])) for at in (1, 3))
            document = compared(base, new, ["10%"], [], 0.95, strict=False)
            write_comparison(out, document)
            return document.exit_code
        else:
            out.mkdir(parents=True)
            (out / "result.json").write_bytes(encode(structs.replace(result, exit_code=code)))
        return code

    return given, start


def test_each_step_is_a_command_of_its_own(good: Document, tmp_path: Path) -> None:
    given, start = commands(good)
    wanted = order(
        tmp_path, conform=("--profile=smtp-mx",), scenario="ci-short", settings=("load.rate=5",), gates=("a.b < 5",)
    )
    outcome = carry_out(wanted, start)
    assert given == [
        ("conformance", ["conform", SMTP, POP3, "--profile=smtp-mx", f"--out={tmp_path}/conformance"]),
        (
            "load",
            [
                "run", "ci-short", f"--smtp={SMTP}", f"--pop3={POP3}", "--set=load.rate=5", "--gate=a.b < 5",
                f"--out={tmp_path}/load",
            ],
        ),
    ]  # fmt: skip
    assert outcome.exit_code is ExitCode.HELD
    assert {outcome.verdicts.correct, outcome.verdicts.fast_enough, outcome.verdicts.valid} == {Verdict.PASS}


def test_a_failure_does_not_keep_the_next_step_from_being_made(good: Document, tmp_path: Path) -> None:
    given, start = commands(good, {"conformance": 1})
    assert carry_out(order(tmp_path, scenario="ci-short"), start).exit_code is ExitCode.FAILED
    assert [name for name, _ in given] == ["conformance", "load"]


def test_ctrl_c_ends_it(good: Document, tmp_path: Path) -> None:
    given, start = commands(good, {"conformance": 130})
    assert carry_out(order(tmp_path, scenario="ci-short"), start).exit_code is ExitCode.INTERRUPTED
    assert [name for name, _ in given] == ["conformance"]


@pytest.mark.parametrize(
    ("codes", "worst"),
    [((0, 0), 0), ((0, 3), 3), ((3, 1), 1), ((1, 2), 2), ((2, 4), 4), ((0, -9), 4), ((4, 130), 130)],
)
def test_the_gravest_status_is_the_status_of_all(good: Document, codes: tuple[int, ...], worst: int) -> None:
    assert Outcome(tuple(Step("load", code, (good,)) for code in codes), ()).exit_code == worst


def test_what_left_no_result_has_answered_nothing(good: Document) -> None:
    outcome = Outcome((Step("conformance", 0, (good,)), Step("load", 2, ())), ())
    assert outcome.verdicts.correct is Verdict.INCONCLUSIVE
    assert "### ❌ Load: it left no result (exit 2)" in ci_markdown(outcome)


def test_a_baseline_that_is_not_there_yet_is_told_and_fails_nothing(good: Document, tmp_path: Path) -> None:
    _, start = commands(good)
    outcome = carry_out(order(tmp_path / "o", scenario="ci-short", baseline=tmp_path / "gone"), start)
    assert outcome.exit_code is ExitCode.HELD
    [note] = outcome.notes
    assert f"there is no baseline at {tmp_path / 'gone'} yet" in note
    assert "nothing was compared" in ci_markdown(outcome)


@pytest.mark.parametrize(("slower", "code"), [(1.0, ExitCode.HELD), (1.5, ExitCode.FAILED)])
def test_six_runs_a_side_are_compared(good: Document, tmp_path: Path, slower: float, code: ExitCode) -> None:
    written(tmp_path / "base", 6)
    given, start = commands(good, slower=slower)
    wanted = order(tmp_path / "o", scenario="ci-short", baseline=tmp_path / "base", repeat=6, worse_than=("10%",))
    outcome = carry_out(wanted, start)
    assert given[-1][1] == [
        "compare", f"{tmp_path}/base", "--", f"{tmp_path}/o/load", "--worse-than=10%", f"--out={tmp_path}/o/comparison",
    ]  # fmt: skip
    assert outcome.exit_code is code
    text = ci_markdown(outcome)
    assert "### Load: 6 runs (exit 0)" in text
    assert "### Comparison: " in text


def test_a_comparison_that_could_show_nothing_is_no_pass(good: Document, tmp_path: Path) -> None:
    written(tmp_path / "base", 1)
    _, start = commands(good)
    outcome = carry_out(order(tmp_path / "o", scenario="ci-short", baseline=tmp_path / "base"), start)
    assert outcome.exit_code is ExitCode.INCONCLUSIVE
    assert ci_markdown(outcome).startswith("## ❔ mailproof: inconclusive (exit 3)")


def test_a_load_without_a_result_is_compared_with_nothing(good: Document, tmp_path: Path) -> None:
    written(tmp_path / "base", 6)
    _, start = commands(good, {"load": 2})
    outcome = carry_out(order(tmp_path / "o", scenario="ci-short", baseline=tmp_path / "base"), start)
    assert outcome.exit_code is ExitCode.OPERATOR_ERROR
    assert outcome.notes == ("nothing was compared: the load left no result",)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"baseline": Path("base")}, "--baseline is about a load"),
        ({"settings": ("load.rate=5",)}, "--set is about a load"),
        ({"scenario": "ci-short", "targets": (SMTP, SMTP)}, "several for --smtp"),
        ({"scenario": "ci-short", "targets": ("127.0.0.1:25",)}, "no URL of a mail server"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path: Path, more: dict[str, object], words: str) -> None:
    wanted: dict[str, object] = {"targets": (SMTP,), "directory": tmp_path, **more}
    with pytest.raises(UserError, match=words):
        check(Order(**wanted))    # type: ignore[arg-type]


@pytest.mark.parametrize("left", ["conformance", "load", "comparison", "junit", "summary.md"])
def test_results_of_before_are_never_taken_for_new_ones(tmp_path: Path, left: str) -> None:
    check(order(tmp_path))
    (tmp_path / left).mkdir()
    with pytest.raises(UserError, match="name a fresh directory"):
        check(order(tmp_path))


def test_on_github_a_step_without_a_result_is_marked_and_the_job_is_told(
    good: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, start = commands(good, {"conformance": 2})
    monkeypatch.setattr(Child, "start", lambda _, arguments: start("conformance", arguments))
    for name, value in {
        "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "MAILPROOF_TARGET": f"{SMTP}\n{POP3}",
        "MAILPROOF_OUT": str(tmp_path / "o"), "MAILPROOF_REPEAT": "", "MAILPROOF_ONLY": "smtp.*\n\n pop3.* \n",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    app = typer.Typer()
    reports.cli.register(app)
    ran = CliRunner().invoke(app, ["ci"])
    assert ran.exit_code == ExitCode.OPERATOR_ERROR
    [(_, arguments)] = given
    assert arguments == [
        "conform", "--annotations=none", SMTP, POP3, "--only=smtp.*", "--only=pop3.*",
        f"--out={tmp_path}/o/conformance",
    ]  # fmt: skip
    assert "::error title=mailproof%3A conformance::it left no result (exit 2): see the log\n" in ran.output
    assert "exit-code=2\ncorrect=inconclusive\n" in (tmp_path / "output").read_text()
    assert (tmp_path / "summary").read_text() == (tmp_path / "o/summary.md").read_text()
