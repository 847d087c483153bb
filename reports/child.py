"""A mailproof command run as a process of its own, one after another, and how Ctrl-C reaches it."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from reports.exit_codes import ExitCode


class Child:
    """Starts a command and waits for it; Ctrl-C goes to the command, once each time, and no other is started then."""

    def __init__(
        self, command: Sequence[str], *, quiet: bool, hear: Callable[[str], None] | None = None
    ) -> None:
        """`hear` takes each line of standard error, which else goes where ours goes."""
        self._command = tuple(command)
        self._hear = hear
        self._output = subprocess.DEVNULL if quiet else None
        self._process: subprocess.Popen[bytes] | None = None
        self._interrupted = False
        self._unheard = False        # a signal came while the command was being started

    def start(self, arguments: Sequence[str]) -> int:
        """Run the command with these arguments to its end, and return its exit status."""
        if self._interrupted:
            return ExitCode.INTERRUPTED
        # A group of its own: the terminal's Ctrl-C would reach it beside ours, and two of them stop a run at once. Its
        # standard input closes with us, whatever ends us, and that ends the load of a run that was told --until-eof.
        with subprocess.Popen(  # noqa: S603  ourselves, with arguments that were checked
            [*self._command, *arguments], stdin=subprocess.PIPE, stdout=self._output, process_group=0,
            stderr=None if self._hear is None else subprocess.PIPE,
        ) as process:
            self._process = process
            if self._unheard:
                process.send_signal(signal.SIGINT)
            if self._hear is not None and process.stderr is not None:
                for line in process.stderr:
                    self._hear(line.decode(errors="replace").rstrip())
            code = process.wait()
        self._process = None
        return self._status(code)

    def _status(self, code: int) -> int:
        """Return the exit status: a signal that came too late for the command still ends what it is part of."""
        return ExitCode.INTERRUPTED if self._interrupted else code

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Pass a signal on."""
        self._interrupted = True
        if self._process is None:
            self._unheard = True
        elif self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    @contextlib.contextmanager
    def signals_passed_on(self) -> Iterator[None]:
        """Have SIGINT and SIGTERM reach the command meanwhile, instead of us."""
        before = {number: signal.signal(number, self.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
