"""What Linux says of processes."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.procfs import children, usage

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def test_a_child_is_found_whichever_thread_has_started_it() -> None:
    started: list[subprocess.Popen[bytes]] = []
    ready, over = threading.Event(), threading.Event()

    def start() -> None:
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        ready.set()
        over.wait()

    thread = threading.Thread(target=start)
    thread.start()
    ready.wait()
    with started[0] as child:
        assert child.pid in children(os.getpid())
        over.set()
        thread.join()


def test_several_processes_are_added_up_and_one_that_is_gone_holds_nothing() -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    alone = usage([os.getpid()])
    assert alone.rss_kib > 1000
    assert alone.descriptors >= 3
    assert alone.threads >= 1
    assert usage([gone.pid]).rss_kib == 0
    assert usage([os.getpid(), gone.pid]).descriptors >= 3
    assert children(gone.pid) == []
