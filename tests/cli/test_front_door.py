"""The one command: what it is made of, and how it says what it is."""

from importlib import metadata

from typer.testing import CliRunner

from mailproof import build_app


def test_it_says_its_version() -> None:
    done = CliRunner().invoke(build_app(), ["--version"])
    assert done.exit_code == 0
    assert done.output == f"mailproof {metadata.version('mailproof')}\n"


def test_it_is_composed_of_the_packages_sub_commands() -> None:
    shown = CliRunner().invoke(build_app(), ["--help"]).output
    assert [word for word in ("run", "schema", "route", "serve", "report") if f"\n  {word} " not in shown] == []
