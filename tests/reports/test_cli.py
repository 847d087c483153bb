"""`mailproof report`: every form, to standard output and to a file."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner

from reports import cli
from reports.document import Document, decode, encode
from reports.errors import DocumentError, UserError
from reports.exit_codes import ExitCode
from reports.text import plain


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.callback()(lambda: None)  # a second command, as in the whole program, so that `report` must be named
    cli.register(made)
    return made


@pytest.fixture
def result(good: Document, tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    path.write_bytes(encode(good))
    return path


def test_text_is_the_default_and_goes_to_standard_output(app: typer.Typer, result: Path, good: Document) -> None:
    ran = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["report", str(result)])
    assert ran.exit_code == 0
    assert [line.rstrip() for line in ran.stdout.splitlines()] == plain(good).splitlines()


@pytest.mark.parametrize("out", [[], ["--out", "-"]])
def test_every_form_goes_to_standard_output(app: typer.Typer, result: Path, good: Document, out: list[str]) -> None:
    def made(form: str) -> bytes:
        ran = CliRunner().invoke(app, ["report", str(result), "--format", form, *out])
        assert ran.exit_code == 0
        return ran.stdout_bytes

    assert made("html").startswith(b"<!DOCTYPE html>")
    assert ET.fromstring(made("junit")).tag == "testsuites"
    assert decode(made("json")) == good


@pytest.mark.parametrize(
    ("form", "start"), [("html", "<!DOCTYPE"), ("text", "20260101-"), ("junit", "<?xml"), ("json", "{")]
)
def test_every_form_goes_to_a_file(app: typer.Typer, result: Path, tmp_path: Path, form: str, start: str) -> None:
    out = tmp_path / "new" / "report"
    ran = CliRunner().invoke(app, ["report", str(result), "--format", form, "--out", str(out)])
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert out.read_text(encoding="utf-8").startswith(start)


def test_a_missing_result_is_the_operators_error(app: typer.Typer, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["report", str(tmp_path / "absent.json")])
    assert isinstance(ran.exception, DocumentError)
    assert "absent.json: No such file or directory" in str(ran.exception)


def test_a_directory_stands_for_the_result_in_it(app: typer.Typer, result: Path, tmp_path: Path) -> None:
    by_file, by_directory = (CliRunner().invoke(app, ["report", str(path)]) for path in (result, tmp_path))
    assert (by_directory.exit_code, by_directory.stdout) == (0, by_file.stdout)


@pytest.mark.parametrize(
    ("command", "path", "sentence"),
    [
        ("report", "none", "there is no result.json in none, nor in a directory within it"),
        ("report", "two", "there are 2 results in two: name one of them, as in two/a/result.json"),
        ("report", "cut", "cut/result.json: not a mailproof result: it is cut off before its end"),
        ("report", "unread", "there is no result.json in unread, nor in a directory within it"),
        ("report", "x" * 300, f"cannot read {'x' * 300}: File name too long"),
        ("gate", "x" * 300, f"cannot read {'x' * 300}: File name too long"),
        ("gate", "cut", "cut/result.json: not a mailproof result: it is cut off before its end"),
        ("trend", "absent", "absent is not there"),
        ("trend", "two/a/result.json", "two/a/result.json is no directory: trend reads every result.json in one"),
        ("trend", "x" * 300, f"cannot read {'x' * 300}: File name too long"),
    ],
)
def test_where_there_is_no_result_one_sentence_says_so(
    command: str, path: str, sentence: str, app: typer.Typer, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(result.parent)
    for name, octets in (("two/a", result.read_bytes()), ("two/b", result.read_bytes()), ("cut", b'{"schema": "mai')):
        Path(name).mkdir(parents=True)
        (Path(name) / "result.json").write_bytes(octets)
    Path("none").mkdir()
    Path("unread", "result.json").mkdir(parents=True)
    ran = CliRunner().invoke(app, [command, path])
    assert isinstance(ran.exception, UserError)
    assert (str(ran.exception), ran.exception.exit_code) == (sentence, ExitCode.OPERATOR_ERROR)


def test_a_file_that_cannot_be_written_is_the_operators_error(app: typer.Typer, result: Path, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["report", str(result), "--format", "json", "--out", str(tmp_path)])
    assert isinstance(ran.exception, UserError)
    assert "Is a directory" in str(ran.exception)


def test_an_unknown_form_is_refused_with_the_known_ones(app: typer.Typer, result: Path) -> None:
    ran = CliRunner().invoke(app, ["report", str(result), "--format", "pdf"])
    assert ran.exit_code == 2
    assert "html" in ran.output
