"""A run with workers and an embedded server, as a terminal and a kernel treat it: nobody is left behind.

Who is waited for are processes, by their pidfd: a test that waits for ever has found an orphan, and meets its cap.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reports.document import read
from reports.exit_codes import ExitCode

pytestmark = [
    pytest.mark.timeout(90),     # real processes: four interpreters, a server and a load each
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's /proc and pidfd"),
]

SCENARIO = """
target = "embedded"
[scenario]
name = "long"
[accounts]
count = 20
[load]
model = "open"
arrivals = [{shape = "constant", rate = 20, for = "9m"}]
drain = "10s"
[[session]]
kind = "smtp-deliver"
"""
HOLDING = '[[session]]\nkind = "idle-hold"\nhold = "9m"\nweight = 9\n'


def children_of(parent: int) -> dict[int, str]:
    """Return the children of a process, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue                      # it has ended meanwhile
    return found


class Started:
    """A run with two workers, under way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        children = children_of(process.pid)
        self.workers = [pid for pid, command in children.items() if "loadgen.engine.processes" in command]
        self.servers = [pid for pid, command in children.items() if "mailproof serve" in command]
        self._watches = [os.pidfd_open(pid) for pid in children]

    def wait_for_everybody(self) -> str:
        """Return what was said on standard error, when the run and all it had started have ended."""
        assert self.process.stderr is not None
        said = self.process.stderr.read()        # to its end: our own processes share it
        for watch in self._watches:
            select.select([watch], [], [])
        self.process.wait()
        return said

    def close(self) -> None:
        for watch in self._watches:
            os.close(watch)


@contextmanager
def run_with_workers(directory: Path, scenario: str = SCENARIO) -> Iterator[Started]:
    """Start a run as the leader of a process group, as a shell does, and wait until sessions are running."""
    (directory / "long.toml").write_text(scenario)
    with subprocess.Popen(
        [sys.executable, "-m", "mailproof", "run", "long.toml", "--workers", "2", "--out", "x"],
        cwd=directory, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
    ) as process:
        assert process.stderr is not None
        while " arrived" not in (line := process.stderr.readline()):
            assert line, "it ended before its first progress line"
        started = Started(process)
        try:
            yield started
        finally:
            process.kill()
            started.close()


@pytest.mark.parametrize("whole_group", [False, True], ids=["from-kill", "from-the-terminal"])
def test_ctrl_c_drains_every_worker_and_reports(whole_group: bool, tmp_path: Path) -> None:
    with run_with_workers(tmp_path) as run:
        assert (len(run.workers), len(run.servers)) == (2, 1)
        (os.killpg if whole_group else os.kill)(run.process.pid, signal.SIGINT)
        said = run.wait_for_everybody()
        assert run.process.returncode == ExitCode.INTERRUPTED
    assert "draining" in said
    assert "Traceback" not in said
    document = read(tmp_path / "x" / "result.json")
    assert document.interrupted == "load"
    assert document.load is not None
    assert document.load.sessions.arrived == document.load.sessions.accepted > 0
    assert [each.lost for each in document.load.workers] == [None, None]
    assert sum(each.arrived for each in document.load.workers) == document.load.sessions.arrived


def test_a_second_ctrl_c_ends_everybody_at_once(tmp_path: Path) -> None:
    with run_with_workers(tmp_path, SCENARIO + HOLDING) as run:
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.stderr is not None
        while "draining" not in run.process.stderr.readline():
            pass
        os.killpg(run.process.pid, signal.SIGINT)
        said = run.wait_for_everybody()
        assert run.process.returncode == ExitCode.INTERRUPTED
    assert "stopped at once" in said
    assert "Traceback" not in said
    assert not (tmp_path / "x" / "result.json").exists()


def test_a_run_that_is_killed_leaves_no_worker_and_no_server_behind(tmp_path: Path) -> None:
    with run_with_workers(tmp_path, SCENARIO + HOLDING) as run:
        run.process.kill()
        said = run.wait_for_everybody()
    assert not said.strip(), "they go without a word: there is nobody to tell"
