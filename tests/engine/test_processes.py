"""A process for each call, for real."""

import math
import os
import signal

import pytest

from loadgen.engine.processes import CallFailed, ProcessDied, ProcessForEach

pytestmark = pytest.mark.timeout(60)     # interpreters have to start


def test_calls_run_side_by_side_and_one_that_dies_takes_no_other_along() -> None:
    with ProcessForEach() as processes:
        sound = processes.submit(math.factorial, 5)
        own = processes.submit(os.getsid, 0)
        killed = processes.submit(signal.raise_signal, signal.SIGKILL)
        left = processes.submit(os._exit, 7)
        broken = processes.submit(math.factorial, -1)
        loud = processes.submit(print, "on standard output")
        assert sound.result() == 120
        assert own.result() != os.getsid(0), "the terminal's Ctrl-C does not reach it"
        with pytest.raises(ProcessDied, match="killed by SIGKILL"):
            killed.result()
        with pytest.raises(ProcessDied, match="exit status 7"):
            left.result()
        with pytest.raises(CallFailed, match="ValueError"):
            broken.result()
        assert loud.result() is None


def test_what_still_runs_can_be_killed() -> None:
    processes = ProcessForEach()
    future = processes.submit(signal.pause)
    processes.shutdown(cancel_futures=True)
    with pytest.raises(ProcessDied, match="SIGKILL"):
        future.result()
