"""One turn: a command run to its end, pinned, bounded, and accounted for by the operating system."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CLIENT_CORE: Final = 0
SERVER_CORE: Final = 1
TURN_LIMIT_S: Final = 120.0
OUTPUT_SHOWN: Final = 300


class CannotRunError(Exception):
    """A contender is not here, or cannot run on this machine: the reason, for the table."""


class TurnFailedError(Exception):
    """One turn did not do what it was to do: the reason, for the table."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended, with what the system says it used. Processes it started and waited for are included."""

    status: int
    wall_s: float
    cpu_s: float
    output: str


def pinned(command: Sequence[str | Path], core: int) -> list[str]:
    """Return the command held on one core, where there are two and `taskset`; else as it is."""
    words = [str(word) for word in command]
    if shutil.which("taskset") is None or len(os.sched_getaffinity(0)) < 2:
        return words
    return ["taskset", "-c", str(core), *words]


def run(
    command: Sequence[str],
    *,
    limit_s: float = TURN_LIMIT_S,
    stop_after_s: float | None = None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Finished:
    """Run a command to its end.

    Raises TurnFailedError when it takes longer than `limit_s`; then all of its session is ended. With
    `stop_after_s` it is one that never ends by itself, killed at that time, and its status means nothing.
    """
    with tempfile.TemporaryFile() as output:
        began_s = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=directory,
            start_new_session=True,      # its id names its group, so all of it can be ended
        )
        alarm = threading.Timer(stop_after_s if stop_after_s is not None else limit_s, _end, [process.pid])
        alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process.pid)
            raise
        finally:
            alarm.cancel()
        wall_s = time.monotonic() - began_s
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "backslashreplace")
    if stop_after_s is None and process.returncode == -signal.SIGKILL and wall_s >= limit_s:
        raise TurnFailedError(f"took longer than {limit_s:.0f} s and was ended")
    return Finished(process.returncode, wall_s, usage.ru_utime + usage.ru_stime, text)


def expect_success(finished: Finished, *, allowed: Sequence[int] = (0,)) -> Finished:
    """Return it if it ended as allowed; else raise TurnFailedError with the end of what it said."""
    if finished.status in allowed:
        return finished
    said = " ".join(finished.output.split())[-OUTPUT_SHOWN:]
    raise TurnFailedError(f"ended with status {finished.status}: {said or 'it said nothing'}")


def _end(process_id: int) -> None:
    try:
        os.killpg(process_id, signal.SIGKILL)
    except ProcessLookupError:
        return
