"""The run as a person sees it: one line that moves on a terminal, plain lines in a log."""

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from loadgen.engine.progress import STAGES, Progress
from loadgen.scenario.model import Scenario
from reports import progress as lines
from reports import units

PLAIN_EVERY_S = 5


class LiveView:
    """One line, redrawn every second."""

    def __init__(self, console: Console, scenario: Scenario) -> None:
        self._line = f"{scenario.about.name}: looking at the target …"
        self._note = ""
        self._stage = STAGES[0]
        self._live = Live(Text(self._line), console=console, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Redraw the line."""
        self._stage, self._line = progress.stage, line_of(progress)
        self._draw()

    def note(self, sentence: str) -> None:
        """Say something that stays above the line."""
        self._live.console.print(Text(sentence))

    def interrupted(self, drain_s: float) -> None:
        """Say what the first Ctrl-C has done."""
        self._note = f"\ninterrupted: {_giving_up(self._stage, drain_s)}; Ctrl-C again stops at once"
        self._draw()

    def _draw(self) -> None:
        self._live.update(Text(f"{self._line}{self._note}", no_wrap=True, overflow="ellipsis"), refresh=True)


class PlainView:
    """A line every few seconds, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage = STAGES[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.flush()

    def show(self, progress: Progress) -> None:
        """Write the line, if it is time for one."""
        self._stage = progress.stage
        if round(progress.elapsed_s) % PLAIN_EVERY_S == 0 or progress.stage == "audit":
            self._write(line_of(progress))

    def note(self, sentence: str) -> None:
        """Write something that stays."""
        self._write(sentence)

    def interrupted(self, drain_s: float) -> None:
        """Say what the first signal has done."""
        self._write(f"interrupted: {_giving_up(self._stage, drain_s)}; once more stops at once")

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


class JsonView(PlainView):
    """A line of JSON each second, for the program that started the run."""

    def show(self, progress: Progress) -> None:
        """Write the line."""
        self._stage = progress.stage
        names = lines.LoadProgress.__struct_fields__
        self._write(lines.line_of(lines.LoadProgress(**{name: getattr(progress, name) for name in names})).rstrip())

    def note(self, sentence: str) -> None:
        """Write a sentence as one."""
        self._write(lines.line_of(lines.LoadNote(sentence)).rstrip())

    def interrupted(self, drain_s: float) -> None:
        """Write what the first signal has done."""
        self.note(f"interrupted: {_giving_up(self._stage, drain_s)}; once more stops at once")


def _giving_up(stage: str, drain_s: float) -> str:
    if stage == "audit":
        return "the maildrops are read no further"
    return f"draining for up to {drain_s:g} s"


def line_of(progress: Progress) -> str:
    """Return the progress line; what never happened takes no room, so that it fits a narrow terminal."""
    if progress.stage == "audit":
        messages = "message" if progress.messages_accepted == 1 else "messages"
        return (
            f"{progress.elapsed_s:4.0f} s  audit    looking for {progress.messages_accepted:,} accepted {messages} "
            "in the maildrops"
        )
    parts = [
        f"{progress.elapsed_s:4.0f} s  {progress.stage:7}",
        f"{progress.in_flight:,} in flight",
        f"{progress.arrived:,} arrived",
        f"{progress.messages_accepted_per_s:,} accepted/s",
        f"{progress.errors:,} errors",
    ]
    if progress.refused:
        parts.append(f"{progress.refused:,} refused")
    if progress.waiting:
        parts.append(f"{progress.waiting:,} waiting")
    for workers, what in ((progress.workers_lost, "lost"), (progress.workers_silent, "silent")):
        if workers:
            parts.append(f"{workers} {'worker' if workers == 1 else 'workers'} {what}")
    if progress.p50_ns is not None and progress.p99_ns is not None:
        parts.append(f"p50 {units.duration(progress.p50_ns)} p99 {units.duration(progress.p99_ns)}")
    return "  ".join(parts)
