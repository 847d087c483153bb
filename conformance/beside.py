"""A load run beside the judging: the command it is, `mailproof run`, in processes of its own.

Nothing is shared with it, so neither makes the other late, and conformance need not know the engine. It says each
second how it stands, ends when its standard input closes (also when we die), and what it measured is read from its
result.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from loadgen.endpoint import Endpoint
from loadgen.wire.printable import printable
from reports.document import Document, read
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.progress import LoadProgress, progress_in
from reports.write import RESULT

RUN: Final = (sys.executable, "-m", "mailproof", "run", "--annotations=none")     # we tell what it came to
SILENCE_LIMIT_S: Final = 120.0       # before the load is steady; a run that is well says something each second
LINE_OCTETS_MAX: Final = 1 << 16
OURS: Final = b"mailproof: "         # before the sentence that a command ends with


class LoadFailed(UserError):
    """There is no load to judge under; the exit status is the load's own."""

    def __init__(self, sentence: str, exit_code: ExitCode) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """Which load is wanted: a scenario, as `mailproof run` takes it, and where its results go."""

    scenario: str
    directory: Path
    settings: tuple[str, ...] = ()     # KEY=VALUE
    workers: str = "1"
    authorized: bool = False

    def arguments(self, endpoints: Sequence[Endpoint]) -> list[str]:
        """Return the arguments of `mailproof run` for a load on these servers."""
        return [
            self.scenario, *(f"--{endpoint.protocol}={endpoint}" for endpoint in endpoints),
            *(f"--set={setting}" for setting in self.settings), f"--workers={self.workers}",
            *(["--authorized"] if self.authorized else []),
            f"--out={self.directory}", "--json-progress", "--until-eof",
        ]   # fmt: skip


Told = Callable[[LoadProgress], None]


class LoadBeside:
    """A load run under way."""

    def __init__(self, process: trio.Process, directory: Path, told: Told) -> None:
        self._process = process
        self._directory = directory
        self._told = told
        self._last_words = b""
        self._stage = ""
        self._steady_until_s = 0.0           # trio's clock, as far as is known
        self._news = trio.Event()            # a new one for each word
        self.ended_by_us = False

    @property
    def is_over(self) -> bool:
        """Say whether its processes have ended."""
        return self._process.returncode is not None

    @property
    def steady_until_s(self) -> float:
        """Return until when it is known to have been steady, on trio's clock."""
        return self._steady_until_s

    async def until_steady(self) -> None:
        """Wait for its steady part. LoadFailed if there will be none."""
        while self._stage != "steady":
            if self.is_over:
                raise self._failure("was over before it was steady")
            news = self._news
            with trio.move_on_after(SILENCE_LIMIT_S) as patience:
                await news.wait()
            if patience.cancelled_caught:
                raise LoadFailed(f"the load said nothing for {SILENCE_LIMIT_S:g} s", ExitCode.INCONCLUSIVE)

    async def end(self) -> Document:
        """Have it end, if it has not, wait until it has drained and told what it measured, and return that."""
        assert self._process.stdin is not None
        if self._stage == "steady" and not self.is_over:
            self.ended_by_us = True
            self._steady_until_s = trio.current_time()
        await self._process.stdin.aclose()
        while not self.is_over:
            await self._news.wait()
        try:
            return read(self._directory / RESULT)
        except UserError:
            raise self._failure("left no result") from None

    async def listen(self) -> None:
        """Take what it says until it has ended."""
        assert self._process.stderr is not None
        pending = b""
        async for octets in self._process.stderr:
            *lines, pending = (pending + octets).split(b"\n")
            for line in lines:
                self._take(line)
            pending = pending[-LINE_OCTETS_MAX:]
        await self._process.wait()
        self._notify()

    def _take(self, line: bytes) -> None:
        progress = progress_in(line)
        if progress is None:
            self._last_words = line if line.startswith(OURS) or not self._last_words else self._last_words
            return
        self._stage = progress.stage
        if progress.stage == "steady" and not self.ended_by_us:
            self._steady_until_s = trio.current_time()
        self._told(progress)
        self._notify()

    def _notify(self) -> None:
        news, self._news = self._news, trio.Event()
        news.set()

    def _failure(self, what: str) -> LoadFailed:
        code = self._process.returncode or 0
        why = printable(self._last_words.removeprefix(OURS).strip(), 400)
        known = code in set(ExitCode)
        status = ExitCode(code) if known and code not in {ExitCode.HELD, ExitCode.FAILED} else ExitCode.INCONCLUSIVE
        if known and why and status is not ExitCode.OUR_BUG:
            return LoadFailed(f"the load: {why}", status)
        return LoadFailed(f"the load {what} (exit status {code}{f': {why}' if why else ''})", status)


async def load_beside(
    order: LoadOrder,
    endpoints: Sequence[Endpoint],
    told: Told = lambda _: None,
    *,
    command: Sequence[str] = RUN,
    task_status: trio.TaskStatus[LoadBeside] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a load until it ends by itself or is ended. Handed out through `nursery.start`; killed if cancelled."""
    try:
        process = await trio.lowlevel.open_process(
            [*command, *order.arguments(endpoints)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,          # Ctrl-C is for us: we say when it ends
        )
    except OSError as error:
        raise LoadFailed(f"the load cannot be started: {error.strerror}", ExitCode.OPERATOR_ERROR) from None
    load = LoadBeside(process, order.directory, told)
    try:
        task_status.started(load)
        await load.listen()
    finally:
        if process.returncode is None:
            process.kill()
            with trio.CancelScope(shield=True):      # bounded: a killed process is gone
                await process.wait()
