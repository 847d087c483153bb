"""An executor whose every call has a process of its own.

`ProcessPoolExecutor` would do but for three things: the death of one of its processes ends all the others and takes
their results along; it does not say how the process died; and Ctrl-C on the terminal reaches its processes. Here a
process is a fresh interpreter in a session of its own, that imports what the call needs and nothing else.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

COMMAND = (sys.executable, "-c", "from loadgen.engine import processes; processes.main()")


class ProcessDied(Exception):
    """A process ended without a result; the message says how, as the end of a sentence."""


class CallFailed(Exception):
    """The call raised; the message names what, and where the traceback is."""


class Unheard(Exception):
    """A call raises it when nobody waits for its result any more: its process ends without a word.

    A traceback would land on the terminal of whoever stopped a run on purpose.
    """


class ProcessFuture(Future[T]):
    """What a call in a process of its own comes to. It can be cancelled until that is known: the process is killed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self._process = process

    def cancel(self) -> bool:
        """Kill the process, and say whether it was in time."""
        cancelled = super().cancel()
        if cancelled:
            self._process.kill()
        return cancelled


class ProcessForEach(Executor):
    """Run each call in a new process. The function, its arguments and its result are pickled."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the id of each call's process, in the order in which they were submitted."""
        return tuple(process.pid for process in self._processes)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a process for one call. OSError if the system has none to give."""
        work = pickle.dumps((fn, args, kwargs))
        process = subprocess.Popen(  # noqa: S603  ourselves
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        future: ProcessFuture[T] = ProcessFuture(process)
        thread = threading.Thread(target=_attend, args=(process, work, future), daemon=True)
        self._processes.append(process)
        self._threads.append(thread)
        thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for every call, or with `cancel_futures` kill what still runs."""
        if cancel_futures:
            for process in self._processes:
                process.kill()
        if wait:
            for thread in self._threads:
                thread.join()


def _attend(process: subprocess.Popen[bytes], work: bytes, future: Future[T]) -> None:
    """Hand the work to a process, and what becomes of it to the future."""
    octets, _ = process.communicate(work)      # a broken pipe is passed over: the process ended
    if not future.set_running_or_notify_cancel():
        return
    if process.returncode != 0 or not octets:
        future.set_exception(ProcessDied(_how_it_ended(process.returncode)))
        return
    failure, result = pickle.loads(octets)  # noqa: S301  our own process wrote it, to its end
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(CallFailed(failure))


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit status {code}; if it said why, that is on standard error"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", as a system does that runs out of memory" if -code == signal.SIGKILL else ""
    return f"its process was killed by {name}{hint}"


def main() -> None:
    """Make the call that standard input holds, and write its result to standard output."""
    results = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())      # whatever prints must not spoil the result
    try:
        function, args, kwargs = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  whoever started us wrote it
    except (EOFError, pickle.UnpicklingError):
        return               # it was gone before it had written all
    raised: Exception | None = None
    done: tuple[str | None, object]
    try:
        done = (None, function(*args, **kwargs))
    except Unheard:
        return
    except Exception as error:
        raised = error
        done = (f"it raised {type(error).__name__}: {error}; the traceback is on standard error", None)
    try:
        with os.fdopen(results, "wb") as pipe:
            pickle.dump(done, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    except BrokenPipeError:
        return               # whoever asked is gone: there is nobody to tell, of the error neither
    if raised is not None:
        sys.excepthook(type(raised), raised, raised.__traceback__)
