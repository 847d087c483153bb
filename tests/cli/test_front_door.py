"""The one command: what it is made of, and how it says what it is."""

import subprocess
import sys
import textwrap
from importlib import metadata

from typer.testing import CliRunner

from mailproof import HOMES, build_app
from reports.exit_codes import ExitCode


def test_it_says_its_version() -> None:
    done = CliRunner().invoke(build_app(), ["--version"])
    assert done.exit_code == 0
    assert done.output == f"mailproof {metadata.version('mailproof')}\n"


def test_it_is_composed_of_the_packages_sub_commands() -> None:
    shown = CliRunner().invoke(build_app(), ["--help"]).output
    assert [word for word in ("run", "schema", "route", "serve", "report") if f"\n  {word} " not in shown] == []


def test_each_sub_command_is_found_where_the_front_door_looks_for_it() -> None:
    every = CliRunner().invoke(build_app("rnu"), ["rnu"]).output
    assert "No such command 'rnu'" in every
    for typed, module in HOMES.items():
        commands = [command.name for command in build_app(typed).registered_commands]
        assert commands == [name for name, home in HOMES.items() if home == module]
    assert [command.name for command in build_app().registered_commands] == list(HOMES)


def test_no_command_is_cut_short_and_the_exit_codes_are_named_where_a_newcomer_looks() -> None:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(build_app(), ["--help"]).output
    assert "..." not in shown.replace("[ARGS]...", "")
    assert [code for code in ExitCode if f" {code} " not in " ".join(shown.split())] == []


def test_ctrl_c_while_the_packages_are_imported_is_no_traceback() -> None:
    code = textwrap.dedent("""
        import sys
        class Impatient:
            def find_spec(self, name, path, target=None):
                if name == "trio":
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Impatient())
        import mailproof
        mailproof.main()
    """)
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.INTERRUPTED, "", "")
