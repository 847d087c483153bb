"""`mailproof conform --under-load` as a person types it: two commands and a server, in processes of their own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.document import read
from reports.exit_codes import ExitCode

pytestmark = pytest.mark.timeout(90)     # real processes

MAILPROOF = [sys.executable, "-m", "mailproof"]
SCENARIO = """
target = "embedded"
[scenario]
name = "busy"
[accounts]
count = 5
[load]
model = "open"
arrivals = [{shape = "constant", rate = 20, for = "9m"}]
pause_max = "10s"
[[session]]
kind = "smtp-deliver"
"""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """A reference server's URL."""
    command = [*MAILPROOF, "serve", "--smtp", "0", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield json.loads(server.stdout.readline())["smtp"]
        server.stdin.close()


def command(target: str, directory: Path) -> list[str]:
    (directory / "busy.toml").write_text(SCENARIO)
    return [*MAILPROOF, "conform", target, "--under-load", "busy.toml", "--out", "o", "--only"]


def test_cases_are_judged_under_a_load_whose_report_lies_beside_theirs(target: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*command(target, tmp_path), "smtp.rset.*"], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=80,
    )
    document, load = read(tmp_path / "o" / "result.json"), read(tmp_path / "o" / "load" / "result.json")
    assert document.conformance is not None
    under = document.conformance.under_load
    assert under is not None
    assert (under.run_id, under.ended_by_us, under.outside) == (load.run_id, True, ())
    assert {case.verdict for case in document.conformance.cases} <= {"pass", "not-applicable"}
    assert load.interrupted is None
    assert load.load is not None
    assert load.load.sessions.arrived == load.load.sessions.accepted > 0
    assert "before its schedule was over" in load.load.notes[0]
    assert (tmp_path / "o" / "load" / "report.html").exists()
    assert "busy: cases were put to the server for" in done.stdout
    # Whether the generator was in time is this machine's affair; then the run says so.
    assert done.returncode == (ExitCode.HELD if load.exit_code == 0 else ExitCode.INCONCLUSIVE), done.stdout


def test_a_load_that_cannot_start_is_one_sentence(target: str, tmp_path: Path) -> None:
    arguments = [word.replace("busy.toml", "no-such-scenario") for word in command(target, tmp_path)]
    done = subprocess.run(
        [*arguments, "smtp.rset.*"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=80
    )
    assert done.returncode == ExitCode.OPERATOR_ERROR
    assert done.stderr.startswith("mailproof: the load: ")
    assert "no-such-scenario" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_the_cases_and_then_the_load(target: str, tmp_path: Path) -> None:
    arguments = [*command(target, tmp_path), "smtp.timeout.*", "--slow"]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=pipe, stdout=pipe, text=True) as judging:
        while not (tmp_path / "o" / "load").exists():
            assert judging.poll() is None
        judging.send_signal(signal.SIGINT)
        said, errors = judging.communicate(timeout=80)
    assert judging.returncode == ExitCode.INTERRUPTED, said + errors
    assert errors.startswith("interrupted: no more cases are put, and the load drains")
    assert "Traceback" not in errors
    assert read(tmp_path / "o" / "result.json").interrupted == "cases"
    assert read(tmp_path / "o" / "load" / "result.json").interrupted is None
