"""A set of runs: the same scenario again and again, or two scenarios in turn.

Each run is a `mailproof run` of its own, in a fresh process: what one leaves behind (memory, caches, a tired collector)
is no part of the next, so that the runs are independent observations.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from reports.compare_runs import Run
from reports.document import read
from reports.exit_codes import ExitCode
from reports.write import RESULT

RUN: Final = (sys.executable, "-m", "mailproof", "run")
_GOES_ON: Final = frozenset({ExitCode.HELD, ExitCode.FAILED, ExitCode.INCONCLUSIVE})

Side = Literal["", "base", "new"]
Start = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a set."""

    side: Side
    number: int       # from 1, within its side

    def directory(self, of_set: Path) -> Path:
        """Return where its result goes."""
        return of_set / self.side / f"run-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Order:
    """What a set is made of: a scenario or two, arguments for every run, and those of `new` alone."""

    scenario: str
    against: str | None
    arguments: tuple[str, ...]
    arguments_against: tuple[str, ...]
    first_seed: int

    def command(self, turn: Turn, of_set: Path) -> list[str]:
        """Return the command of one run. Both sides have the same seeds, each number another."""
        new = turn.side == "new"
        return [
            self.against if new and self.against is not None else self.scenario, *self.arguments,
            *(self.arguments_against if new else ()), f"--seed={self.first_seed + turn.number - 1}",
            f"--out={turn.directory(of_set)}", "--until-eof",
        ]   # fmt: skip


@dataclass(frozen=True, slots=True)
class RunSet:
    """The runs that were made, and how the set ended: None when all of it was run."""

    runs: tuple[tuple[Side, Run], ...]
    ended: int | None

    def of(self, side: Side) -> list[Run]:
        """Return the runs of one side."""
        return [run for each, run in self.runs if each == side]


def turns(repeat: int, *, two: bool) -> Iterator[Turn]:
    """Yield the runs in order; of two sides A B, B A, A B, so that neither is always first.

    >>> [turn.side for turn in turns(2, two=True)]
    ['base', 'new', 'new', 'base']
    """
    sides: tuple[Side, ...] = ("base", "new") if two else ("",)
    for number in range(1, repeat + 1):
        yield from (Turn(side, number) for side in (sides if number % 2 else reversed(sides)))


def run_set(
    order: Order, repeat: int, of_set: Path, *, two: bool, start: Start, tell: Callable[[str], None]
) -> RunSet:
    """Make the runs one after the other, and return their results.

    A run that is interrupted, or that leaves no result, ends the set: what was made until then is returned.
    """
    made: list[tuple[Side, Run]] = []
    whole = list(turns(repeat, two=two))
    for position, turn in enumerate(whole, start=1):
        tell(f"run {position} of {len(whole)}{f', {turn.side}' if turn.side else ''}: {turn.directory(of_set)}")
        code = start(order.command(turn, of_set))
        result = turn.directory(of_set) / RESULT
        if result.is_file():
            made.append((turn.side, Run(str(result), read(result))))
        if code not in _GOES_ON or not result.is_file():
            return RunSet(tuple(made), code)
    return RunSet(tuple(made), None)
