"""`mailproof capacity`: what may be asked, and what is said of what cannot."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import loadgen.capacity.cli
from reports.document import read
from reports.errors import UserError
from reports.exit_codes import ExitCode
from tests.capacity.test_driver import running
from tests.capacity.test_stages import CLOSED, OPEN


def app() -> typer.Typer:
    made = typer.Typer()
    made.callback()(lambda: None)
    loadgen.capacity.cli.register(made)
    return made


def asked(tmp_path: Path, *arguments: str, text: str = OPEN) -> str:
    file = tmp_path / "staged.toml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app(), ["capacity", str(file), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    ("arguments", "text", "sentence"),
    [
        ([], CLOSED, "say how long it may take"),
        (["--slo", "p99(respons)<2s"], OPEN, "unknown metric"),
        (["--stage", "10s"], OPEN, "--stage must be at least 30 s"),
        (["--stage", "soon"], OPEN, "--stage: not a duration"),
        (["--stage", "2m", "--confirm", "1m"], OPEN, "--confirm is a longer look"),
        (["--resolution", "0%"], OPEN, "--resolution is a share"),
        (["--resolution", "fine"], OPEN, "--resolution is a share"),
        (["--start", "100", "--most", "50"], OPEN, "--start must be above 0 and not above --most"),
        (["--start", "0"], OPEN, "--start must be above 0"),
        (["--hold", "--slo", "p99(response)<2s"], OPEN, "leave out --slo"),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_sentence(
    arguments: Sequence[str], text: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence.replace("(", r"\(")) as caught:
        asked(tmp_path, *arguments, text=text)
    assert "\n" not in str(caught.value)


def test_a_plan_says_how_long_it_may_take_and_makes_nothing(tmp_path: Path) -> None:
    said = asked(tmp_path, "--plan", "--slo", "p99(response)<2s", "--out", str(tmp_path / "out"), "--max-stages", "10")
    for part in (
        "levels   from 11.2/s, doubled; then bisected to 5 %", "stages   at most 10, of 60 s behind a warm-up of 10 s",
        "gate     smtp.session.response:p99 < 2s", "backlog  must not grow", "time     at most 37 min 30 s",
    ):   # fmt: skip
        assert part in said
    assert not (tmp_path / "out").exists()


def test_a_plan_of_held_sessions_begins_with_a_hundred(tmp_path: Path) -> None:
    said = asked(tmp_path, "--plan", "--hold", "--stage", "5s", "--confirm", "5s", "--most", "20000")
    assert "levels   from 100 sessions at once, doubled, to 20,000 sessions at once at the most" in said


def test_whether_sessions_are_held_needs_no_second_server_for_their_mail(tmp_path: Path) -> None:
    verified = OPEN.replace('[[session]]\nkind = "pop3-retrieve"\n', "") + (
        '[ledger]\nverify = true\n[[gate]]\nmetric = "ledger.lost"\nequals = 0\n'
    )
    said = asked(tmp_path, "--plan", "--hold", "--smtp", "smtp://127.0.0.1:2525", text=verified)
    assert "likely   about" in said
    assert "time     at most" not in said, "how many there will be is what is asked"


def test_a_search_leaves_its_document_page_and_junit_and_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conformance.refserver.workers import Work  # noqa: PLC0415
    from tests.capacity.simulated import Target  # noqa: PLC0415

    start, _ = running(Target(Work(0.02, 2)))
    monkeypatch.setattr("reports.child.Child.start", lambda _, arguments: start(arguments))
    out = tmp_path / "out"
    arguments = ("--out", str(out), "--stage", "40s", "--confirm", "40s", "--resolution", "20%")
    said = asked(tmp_path, *arguments, "--junit", str(tmp_path / "junit.xml"))
    assert "stage 1: double 11.2/s for 40 s" in said
    assert "capacity  the target sustains" in said
    assert {path.name for path in out.iterdir()} == {"result.json", "report.html", "stages"}
    assert read(out / "result.json").exit_code == ExitCode.HELD
    assert (tmp_path / "junit.xml").read_text(encoding="utf-8").startswith("<?xml")
    with pytest.raises(UserError, match="a search needs a directory of its own"):
        asked(tmp_path, *arguments)
