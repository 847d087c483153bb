"""The run as a person sees it: one line that moves on a terminal, plain lines in a log."""

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from loadgen.engine.progress import Progress
from loadgen.scenario.model import Scenario
from reports import units

PLAIN_EVERY_S = 5


class LiveView:
    """One line, redrawn every second."""

    def __init__(self, console: Console, scenario: Scenario) -> None:
        self._note = ""
        self._live = Live(Text(f"{scenario.about.name}: looking at the target …"), console=console, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Redraw the line."""
        line = f"{line_of(progress)}{self._note}"
        self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)

    def draining(self, drain_s: float) -> None:
        """Say what the first Ctrl-C has done."""
        self._note = f"\ninterrupted: draining for up to {drain_s:g} s; Ctrl-C again stops at once"


class PlainView:
    """A line every few seconds, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.flush()

    def show(self, progress: Progress) -> None:
        """Write the line, if it is time for one."""
        if round(progress.elapsed_s) % PLAIN_EVERY_S == 0:
            self._stream.write(f"{line_of(progress)}\n")
            self._stream.flush()

    def draining(self, drain_s: float) -> None:
        """Say what the first signal has done."""
        self._stream.write(f"interrupted: draining for up to {drain_s:g} s; once more stops at once\n")
        self._stream.flush()


def line_of(progress: Progress) -> str:
    """Return the progress line; what never happened takes no room, so that it fits a narrow terminal."""
    parts = [
        f"{progress.elapsed_s:4.0f} s  {progress.stage:7}",
        f"{progress.in_flight:,} in flight",
        f"{progress.arrived:,} arrived",
        f"{progress.messages_accepted_per_s:,} accepted/s",
        f"{progress.errors:,} errors",
    ]
    if progress.refused:
        parts.append(f"{progress.refused:,} refused")
    for workers, what in ((progress.workers_lost, "lost"), (progress.workers_silent, "silent")):
        if workers:
            parts.append(f"{workers} {'worker' if workers == 1 else 'workers'} {what}")
    if progress.p50_ns is not None and progress.p99_ns is not None:
        parts.append(f"p50 {units.duration(progress.p50_ns)} p99 {units.duration(progress.p99_ns)}")
    return "  ".join(parts)
