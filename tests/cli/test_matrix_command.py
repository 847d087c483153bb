"""`mailproof matrix`, as it is typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailproof import build_app
from reports.document import encode
from reports.errors import UserError
from tests.reports.test_matrix import document


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(build_app(), ["matrix", *arguments])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def results(tmp_path: Path) -> tuple[str, str]:
    for name, verdict in (("a", "pass"), ("b", "fail")):
        (tmp_path / name).mkdir()
        made = document({"smtp.rset.replies-250": verdict, "pop3.stat.format": "pass"})  # type: ignore[dict-item]
        (tmp_path / name / "result.json").write_bytes(encode(made))
    return str(tmp_path / "a" / "result.json"), str(tmp_path / "b" / "result.json")


def test_two_tables_are_written_by_the_catalogues_sections(results: tuple[str, str], tmp_path: Path) -> None:
    said = typed(*results, "--out", str(tmp_path / "out"))
    assert said.startswith("2 servers, 2 requirements\n")
    text = (tmp_path / "out" / "matrix.md").read_text(encoding="utf-8")
    assert "| requirement | level | a | b |" in text
    assert "## 10 RSET, NOOP, HELP, VRFY, EXPN, QUIT" in text
    assert "MUST | ✓ pass | ✕ fail |" in text
    assert "<!DOCTYPE html>" in (tmp_path / "out" / "matrix.html").read_text(encoding="utf-8")


def test_only_what_differs_can_be_had_and_other_names(results: tuple[str, str], tmp_path: Path) -> None:
    names = ("--name", "Postfix", "--name", "Exim")
    assert typed(*results, *names, "--differing", "--out", str(tmp_path)).startswith("2 servers, 1 requirements\n")
    assert "| requirement | level | Postfix | Exim |" in (tmp_path / "matrix.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [(["--name", "one"], "1 times --name for 2 results"), (["--name", "x", "--name", "x"], 'would be called "x"')],
)
def test_names_that_do_not_fit_are_refused(results: tuple[str, str], more: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        typed(*results, *more)


def test_a_file_that_is_no_result_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"x\.json: not a mailproof result"):
        typed(str(tmp_path / "x.json"))


def test_a_directory_stands_for_the_result_in_it(results: tuple[str, str], tmp_path: Path) -> None:
    typed(*(str(Path(result).parent) for result in results), "--out", str(tmp_path / "out"))
    assert "| requirement | level | a | b |" in (tmp_path / "out" / "matrix.md").read_text(encoding="utf-8")
