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

COMMAND = (sys.executable, "-m", "loadgen.engine.processes")


class ProcessDied(Exception):
    """A process ended without a result; the message says how, as the end of a sentence."""


class CallFailed(Exception):
    """The call raised; the message names what. The traceback is on the process's standard error."""


class ProcessForEach(Executor):
    """Run each call in a new process. The function, its arguments and its result are pickled."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a process for one call. OSError if the system has none to give."""
        work = pickle.dumps((fn, args, kwargs))
        process = subprocess.Popen(  # noqa: S603  ourselves
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
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
    try:
        failure, result = pickle.loads(octets)  # noqa: S301  our own process wrote it
    except (EOFError, pickle.UnpicklingError):
        future.set_exception(ProcessDied(_how_it_ended(process.returncode)))
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(CallFailed(failure))


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was killed by {name}"


def main() -> None:
    """Make the call that standard input holds, and write its result to standard output."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as results:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())      # whatever prints must not spoil the result
        function, args, kwargs = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  whoever started us wrote it
        done: tuple[str | None, object]
        try:
            done = (None, function(*args, **kwargs))
        except Exception as error:
            done = (f"it raised {type(error).__name__}: {error}", None)
            sys.excepthook(type(error), error, error.__traceback__)
        pickle.dump(done, results, protocol=pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main()
