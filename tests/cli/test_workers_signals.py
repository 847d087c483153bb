"""A run with workers and an embedded server, as a terminal and a kernel treat it: nobody is left behind.

Who is waited for are processes, by their pidfd: a test that waits for ever has found an orphan, and meets its cap.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


class Terminal:
    """A run with two workers on a terminal of its own, under way."""

    def __init__(self, directory: Path, scenario: str) -> None:
        (directory / "long.toml").write_text(scenario)
        self._screen, keyboard = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mailproof", "run", "long.toml", "--workers", "2", "--out", "x"],
            cwd=directory, stdin=keyboard, stdout=subprocess.DEVNULL, stderr=keyboard, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  no thread of ours is running
        )
        os.close(keyboard)
        self.shown = ""
        self.wait_until_shown(" arrived")          # its first second: sessions are running
        children = children_of(self.process.pid)
        self.workers = [pid for pid, command in children.items() if "loadgen.engine import processes" in command]
        self.servers = [pid for pid, command in children.items() if "mailproof serve" in command]
        self._watches = [os.pidfd_open(pid) for pid in (self.process.pid, *children)]

    def press_ctrl_c(self) -> None:
        """Press it: the kernel sends SIGINT to the foreground process group."""
        os.write(self._screen, b"\x03")

    def wait_until_shown(self, words: str) -> None:
        """Wait until it has said something since this was last asked."""
        self.shown = ""
        while words not in self.shown:
            self.shown += os.read(self._screen, 1 << 16).decode(errors="replace")

    def wait_for_everybody(self) -> str:
        """Return what else was said, when the run and all it had started have ended."""
        with suppress(OSError):                     # EIO: nobody has this terminal any more
            while True:
                self.shown += os.read(self._screen, 1 << 16).decode(errors="replace")
        for watch in self._watches:
            select.select([watch], [], [])
        self.process.wait()
        return self.shown

    def close(self) -> None:
        """Leave nothing behind, whatever the test has found."""
        self.process.kill()
        self.process.wait()
        for watch in (*self._watches, self._screen):
            os.close(watch)


@contextmanager
def on_a_terminal(directory: Path, scenario: str = SCENARIO) -> Iterator[Terminal]:
    """Start a run as a shell does."""
    terminal = Terminal(directory, scenario)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("pressed", [True, False], ids=["on-the-terminal", "by-kill"])
def test_ctrl_c_drains_every_worker_and_reports(pressed: bool, tmp_path: Path) -> None:
    with on_a_terminal(tmp_path) as run:
        assert (len(run.workers), len(run.servers)) == (2, 1)
        if pressed:
            run.press_ctrl_c()
        else:
            run.process.send_signal(signal.SIGINT)
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
    with on_a_terminal(tmp_path, SCENARIO + HOLDING) as run:
        run.press_ctrl_c()
        run.wait_until_shown("draining")
        run.press_ctrl_c()
        said = run.wait_for_everybody()
        assert run.process.returncode == ExitCode.INTERRUPTED
    assert "stopped at once" in said
    assert "Traceback" not in said
    assert not (tmp_path / "x" / "result.json").exists()


def test_a_run_that_is_killed_leaves_no_worker_and_no_server_behind(tmp_path: Path) -> None:
    with on_a_terminal(tmp_path, SCENARIO + HOLDING) as run:
        run.process.kill()
        said = run.wait_for_everybody()
    assert "Traceback" not in said, "they go without a word: there is nobody to tell"
    assert "Error" not in said
