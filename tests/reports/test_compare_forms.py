"""A comparison as it is read: on a terminal, in a pull request, by a CI system; and the command that makes it."""

import random
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
from msgspec import structs
from typer.testing import CliRunner

from reports import cli
from reports.compare import Asked, Made, compare
from reports.compare_gate import worse_than
from reports.compare_markdown import comparison_markdown
from reports.compare_runs import Run
from reports.compare_words import signed, signed_percent
from reports.document import Document, encode, read
from reports.errors import UserError
from reports.html import html
from reports.junit import junit
from reports.text import plain
from tests.reports.noisy_runs import Server, set_of_runs

Ran = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def slower() -> Document:
    drawn = random.Random(5)
    base, new = set_of_runs("base", 8, drawn), set_of_runs("new", 8, drawn, Server(slower=1.4))
    hostile = Run("`x`|<b>@team\x1b[2J", structs.replace(new[0].document, interrupted="load", run_id="cut"))
    asked = Asked(worse_than(["5%"]))
    return compare(base, [*new, hostile], asked, Made("0.1.0", "a-compare", "2026-01-02T00:00:00Z"))


@pytest.fixture
def mailproof(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ran:
    """Run the command where three sets of runs lie: `base`, `new` (slower) and `few`."""
    drawn = random.Random(6)
    for name, runs, server in (("base", 6, Server()), ("new", 6, Server(slower=1.5)), ("few", 2, Server())):
        for number, made in enumerate(set_of_runs(name, runs, drawn, server), start=1):
            path = tmp_path / name / f"run-{number}" / "result.json"
            path.parent.mkdir(parents=True)
            path.write_bytes(encode(made.document))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.callback()(lambda: None)
    cli.register(app)

    def run(*arguments: str) -> tuple[int, str]:
        ran = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["compare", *arguments])
        if isinstance(ran.exception, UserError):
            raise ran.exception
        return ran.exit_code, ran.output

    return run


def test_the_text_says_how_much_and_how_sure(slower: Document) -> None:
    text = plain(slower)
    assert "worse" in text
    assert "95 % interval" in text
    assert "p99 of smtp.session.response" in text
    assert "left out" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_markdown_has_verdicts_gates_and_metrics_and_nothing_acts_in_it(slower: Document) -> None:
    text = comparison_markdown(slower)
    assert text.startswith("### Comparison: ")
    assert "| ❌ | p99 of smtp.session.response | at most 5 % worse | +" in text
    assert "<details>" in text
    assert "<b>" not in text
    assert "@team" not in text
    assert "\x1b" not in text


def test_junit_has_a_test_case_for_each_gate(slower: Document) -> None:
    cases = ET.fromstring(junit(slower)).findall("./testsuite[@name='gates']/testcase")
    assert len(cases) == len(slower.gates) > 3
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert "p99 of smtp.session.response at most 5 % worse" in failed


def test_the_page_shows_every_metric_and_the_runs(slower: Document) -> None:
    page = html(slower)
    assert "<svg" in page
    assert "p99 of smtp." in page.replace("<wbr>", "")
    assert "<b>@team" not in page
    assert "interrupted: its load is not whole" in page


def test_the_command_fails_on_a_gate(mailproof: Ran) -> None:
    code, said = mailproof("base", "--", "new", "--worse-than", "5%")
    assert code == 1
    assert "is worse by more than 5 %" in " ".join(said.split())


def test_the_command_writes_every_form(mailproof: Ran) -> None:
    code, _ = mailproof("base", "--", "new", "--out", "c", "--markdown", "m/pr.md", "--junit", "j.xml")
    assert code == 0       # nothing was asked but to compare
    assert read(Path("c/result.json")).kind == "compare"
    assert Path("c/comparison.md").read_text() == Path("m/pr.md").read_text()
    assert Path("c/report.html").read_text().startswith("<!DOCTYPE html>")
    assert ET.parse("j.xml").getroot().tag == "testsuites"


def test_files_and_directories_of_runs_can_be_named(mailproof: Ran) -> None:
    paths = [f"new/run-{number}/result.json" for number in range(1, 5)]
    code, said = mailproof("base", "--", *paths, "new/run-5", "new/run-6", "--worse-than=5%")
    assert code == 1
    assert "6 of 6 runs" in said


def test_few_runs_are_inconclusive_and_their_figures_are_shown(mailproof: Ran) -> None:
    code, said = mailproof("few", "--", "new/run-1")
    assert code == 3
    assert "each run (too few to compare)" in said
    assert "with fewer than 6" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["base", "new"], "with -- between them"),
        (["base", "--"], "there is no new run"),
        (["base", "--", "absent.json"], "absent.json: No such file"),
        (["base", "--", "."], "are the same run"),
        (["base", "--", "new/run-1", "new/run-1"], "the same run|given twice"),
        (["base", "--", "new", "--confidence", "95"], "0.5 to below 1"),
    ],
)
def test_a_slip_gets_one_sentence(mailproof: Ran, arguments: list[str], words: str) -> None:
    Path("result.json").write_bytes(Path("base/run-1/result.json").read_bytes())
    with pytest.raises(UserError, match=words):
        mailproof(*arguments)


def test_a_directory_without_results_is_named(mailproof: Ran) -> None:
    Path("empty").mkdir()
    with pytest.raises(UserError, match=r"no result\.json in empty"):
        mailproof("empty", "--", "new")


def test_only_a_comparison_has_a_markdown_form(good: Document) -> None:
    with pytest.raises(ValueError, match="compares nothing"):
        comparison_markdown(good)


@pytest.mark.parametrize(
    ("change", "said"),
    [(0.1212, "+12.1 %"), (-0.003, "−0.3 %"), (0.0, "0 %"), (0.0001, "0 %"), (7.16, "+716 %"), (-0.5, "−50.0 %")],
)
def test_a_change_in_per_cent_has_a_sign(change: float, said: str) -> None:
    assert signed_percent(change) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (2e7, "ns", "+20 ms"), (-3, "count", "−3"), (0.005, "share", "+0.5 pp"), (-1.5, "per_s", "−1.5/s"),
        (0, "ns", "0"),
    ],
)
def test_a_change_in_its_unit_has_a_sign(value: float, unit: str, said: str) -> None:
    assert signed(value, unit) == said
