"""Annotations: what failed is an error, what is undecided a warning, and no text of a server's makes a command."""

import typer
from msgspec import structs
from typer.testing import CliRunner

from reports.annotate_cli import Annotations, annotate
from reports.annotations import SHOWN_PER_KIND, annotations, github
from reports.conclude import conclude
from reports.document import CaseResult, ConformanceResult, Document
from reports.gate import Gate
from reports.verdict import UNJUDGED


def judged(*cases: CaseResult) -> Document:
    return conclude(
        Document(
            kind="conformance", mailproof="0", run_id="r", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED,
            exit_code=3, conformance=ConformanceResult(planned=len(cases), executed=len(cases), cases=cases),
        ), (),
    )   # fmt: skip


def failed(number: int, **more: str) -> CaseResult:
    return CaseResult(id=f"smtp.rset.case-{number}", level="MUST", verdict="fail", **more)   # type: ignore[arg-type]


def test_a_good_result_has_none(good: Document) -> None:
    assert github(good) == ""


def test_a_failed_gate_and_lost_mail_are_errors_that_say_what_was_allowed(bad: Document) -> None:
    lines = github(bad).splitlines()
    assert all(line.startswith("::error title=") for line in lines)
    gate = next(gate for gate in bad.gates if gate.verdict == "fail")
    assert f"::error title=mailproof%3A gate on {gate.metric} failed::{gate.sentence.replace('%', '%25')}" in lines
    assert any("title=mailproof%3A not correct::3 of" in line for line in lines)


def test_what_a_gate_says_is_not_said_twice(bad: Document) -> None:
    messages = [each.message for each in annotations(bad)]
    assert len(messages) == len(set(messages))


def test_a_gate_without_data_is_a_warning(good: Document) -> None:
    undecided = conclude(good, [Gate(metric="pop3.tls.response", percentile=99, below="1s")])
    [line] = github(undecided).splitlines()
    assert line.startswith("::warning title=mailproof%3A gate on p99 of pop3.tls.response could not be judged::")


def test_a_failed_case_says_where_it_stands_and_how_to_ask_again() -> None:
    case = failed(1, title="RSET clears.", expected="250", got="500", again="mailproof conform --only x")
    [summary, of_case] = github(judged(structs.replace(case, sources=("RFC 5321 §4.1.1.5",)))).splitlines()
    assert "1 of 1 cases failed" in summary
    assert of_case == (
        "::error title=mailproof%3A smtp.rset.case-1 failed::RSET clears. (RFC 5321 §4.1.1.5)%0Aexpected 250%0Agot 500"
        "%0Aagain: mailproof conform --only x"
    )


def test_a_known_failure_is_none() -> None:
    assert github(judged(structs.replace(failed(1), known="an old one"))) == ""


def test_no_more_are_printed_than_are_shown_and_the_last_says_how_many_are_left() -> None:
    lines = github(judged(*map(failed, range(30)))).splitlines()
    assert len(lines) == SHOWN_PER_KIND
    assert lines[-1] == "::error title=mailproof%3A and more::22 more are in the report: no more is shown here"


def test_what_a_server_says_begins_no_line_and_no_command_of_its_own() -> None:
    hostile = failed(1, got="250 x\r\n::set-output name=a::b\n::error::50 % off")
    lines = github(judged(hostile)).splitlines()
    assert all(line.startswith("::error title=mailproof%3A ") for line in lines)
    assert "250 x\\r%0A::set-output name=a::b%0A::error::50 %25 off" in lines[-1]


def printed(document: Document, wanted: Annotations, environ: dict[str, str]) -> str:
    app = typer.Typer()
    app.command()(lambda: annotate(document, wanted=wanted, environ=environ))
    return CliRunner().invoke(app, []).stdout


def test_they_are_printed_where_github_runs_us_unless_they_are_not_wanted(bad: Document) -> None:
    on_github = {"GITHUB_ACTIONS": "true"}
    assert printed(bad, Annotations.AUTO, on_github) == printed(bad, Annotations.GITHUB, {}) == github(bad) != ""
    assert printed(bad, Annotations.NONE, on_github) == printed(bad, Annotations.AUTO, {}) == ""
