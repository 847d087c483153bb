"""Reading the catalogue: what a broken installation says."""

from pathlib import Path

import pytest

from conformance.catalogue.errors import CatalogueError
from conformance.catalogue.load import by_id, catalogue, read_sections
from reports.exit_codes import ExitCode

ROW = '[[requirement]]\nid = "smtp.a"\nsources = ["RFC 5321 §3.1"]\nlevel = "MUST"\nidea = "try"\npasses = "yes"\n'


def write(directory: Path, name: str, text: str) -> None:
    (directory / name).write_text(f'number = "1"\ntitle = "One"\n{text}', encoding="utf-8")


def test_the_catalogue_is_read_once() -> None:
    assert catalogue() is catalogue()
    assert catalogue()["smtp.rset.clears-envelope"].sources == ("RFC 5321 §4.1.1.5",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (ROW.replace('"MUST"', '"MUTS"'), "Invalid enum value 'MUTS'"),
        (ROW + 'neeeds = ["r"]\n', "unknown field `neeeds`"),
        (ROW + 'needs = ["y"]\n', "needs"),
        (ROW.replace("smtp.a", "Smtp.A"), "id"),
        ("[[requirement]\n", "one.toml"),
        ("", "missing required field `requirement`"),
    ],
)
def test_a_broken_row_is_named_in_one_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    write(tmp_path, "one.toml", text)
    with pytest.raises(CatalogueError) as raised:
        read_sections(tmp_path)
    assert str(raised.value).startswith("the installed catalogue is broken: one.toml: ")
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code is ExitCode.OUR_BUG


def test_an_id_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "one.toml", ROW)
    write(tmp_path, "two.toml", ROW)
    with pytest.raises(CatalogueError, match=r"smtp\.a is there twice"):
        by_id(read_sections(tmp_path))


def test_an_installation_without_rows_says_so(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="this installation has no catalogue"):
        read_sections(tmp_path)
    with pytest.raises(CatalogueError, match="this installation has no catalogue"):
        read_sections(tmp_path / "gone")


def test_a_file_that_is_not_utf_8_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_bytes(b'number = "\xff"')
    with pytest.raises(CatalogueError, match=r"one\.toml"):
        read_sections(tmp_path)
