"""The summary: golden plain lines for CI, and nothing hostile on a terminal."""

import io
import re
from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console

from reports.document import ConformanceResult, Document, FailureCount
from reports.html import html
from reports.text import plain, summary

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("which", ["good", "bad"])
def test_the_plain_summary_is_the_golden_one(which: str, request: pytest.FixtureRequest) -> None:
    text = plain(request.getfixturevalue(which), report="out/20260101-000000-steady-open/report.html")
    assert text == (GOLDEN / f"summary-{which}.txt").read_text(encoding="utf-8")


def test_no_line_is_longer_than_80_columns(good: Document, bad: Document) -> None:
    for document in (good, bad):
        assert max(len(line) for line in plain(document).splitlines()) <= 80


def test_the_verdict_and_the_report_come_last(good: Document) -> None:
    last = plain(good, report="out/x/report.html").splitlines()[-3:]
    assert last == ["exit         0     everything asked for held", "", "report  out/x/report.html"]


def test_a_terminal_gets_colours_and_the_same_words(bad: Document) -> None:
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, color_system="standard", width=80).print(summary(bad))
    assert "\x1b[1;31mFAIL" in stream.getvalue()
    words = Console(file=io.StringIO(), width=80)
    with words.capture() as capture:
        words.print(summary(bad))
    assert [line.rstrip() for line in capture.get().splitlines()] == plain(bad).splitlines()


def test_a_server_cannot_draw_on_the_terminal(good: Document) -> None:
    assert good.load is not None
    hostile = FailureCount("smtp.body", "\x1b[2J[bold]all gates held[/bold]\r\n", 1)
    document = structs.replace(good, load=structs.replace(good.load, failures=(hostile,)))
    text = plain(document)
    assert "\x1b" not in text
    assert "\\x1b[2J[bold]all gates held[/bold]\\r\\n" in text


def test_what_the_server_said_first_stands_behind_the_cause(good: Document) -> None:
    assert good.load is not None
    failures = (FailureCount("smtp.rcpt", "the server answered 550", 7, "550 5.1.1 <user9@example.test> unknown"),)
    text = plain(structs.replace(good, load=structs.replace(good.load, failures=failures)))
    assert "the server answered 550; first seen as 550 5.1.1 <user9@example.test> unknown" in " ".join(text.split())


def test_many_causes_are_cut_short_and_counted(good: Document) -> None:
    assert good.load is not None
    failures = tuple(FailureCount("smtp.body", f"cause {n}", n) for n in range(1, 9))
    text = plain(structs.replace(good, load=structs.replace(good.load, failures=failures)))
    assert "cause 8" in text
    assert "cause 3" not in text
    assert re.search(r"\n6 +of other causes: see the report\n", text)


def test_an_unverified_certificate_is_shouted(bad: Document, good: Document) -> None:
    assert "CERTIFICATE NOT VERIFIED: smtp://127.0.0.1:2525" in plain(bad)
    assert "NOT VERIFIED" not in plain(good)


def test_a_conformance_result_has_a_summary_too(good: Document) -> None:
    document = structs.replace(
        good, load=None, ledger=None, gates=(), conformance=ConformanceResult(planned=12, executed=10)
    )
    assert "10 of 12 put to the server" in plain(document)


def test_what_a_reader_must_know_is_told_as_it_is(good: Document) -> None:
    assert good.load is not None
    noted = structs.replace(good, load=structs.replace(good.load, notes=("corpus [red]a\x1b[2J: 3 line ends",)))
    assert "note      corpus [red]a" in plain(noted)
    assert "\x1b" not in plain(noted) + html(noted)
    assert "3 line ends" in html(noted)
