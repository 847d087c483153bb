"""`mailproof report`: every form, to standard output and to a file."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typer
from typer.testing import CliRunner

from reports import cli
from reports.document import Document, decode, encode
from reports.errors import DocumentError, UserError
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


def test_a_file_that_cannot_be_written_is_the_operators_error(app: typer.Typer, result: Path, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["report", str(result), "--format", "json", "--out", str(tmp_path)])
    assert isinstance(ran.exception, UserError)
    assert "Is a directory" in str(ran.exception)


def test_an_unknown_form_is_refused_with_the_known_ones(app: typer.Typer, result: Path) -> None:
    ran = CliRunner().invoke(app, ["report", str(result), "--format", "pdf"])
    assert ran.exit_code == 2
    assert "html" in ran.output
