"""A command as a process of its own: its exit status is ours to read, and Ctrl-C ends it and whatever would follow."""

import signal
import sys

import pytest

from reports.child import Child
from reports.exit_codes import ExitCode


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_status_is_the_commands(code: int) -> None:
    assert Child([sys.executable, "-c"], quiet=True).start([f"raise SystemExit({code})"]) == code


def test_after_ctrl_c_no_further_command_is_started() -> None:
    child = Child(["nothing-that-exists"], quiet=True)
    child.interrupt(signal.SIGINT, None)
    assert child.start([]) == ExitCode.INTERRUPTED


def test_a_signal_reaches_the_command_instead_of_us() -> None:
    child = Child([sys.executable, "-c"], quiet=True)
    parent = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
    before = signal.getsignal(signal.SIGTERM)
    with child.signals_passed_on():
        assert child.start([parent]) == ExitCode.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) is before
