"""A comparison: who takes part, and how their turns become a record."""

import os
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.figures import Metrics, Record, Side, order_of
from benchmarks.place import CHECKOUT
from benchmarks.turn import CannotRunError, TurnFailedError

FAILURES_MAX = 2       # in a row; then a contender has had its chance


@dataclass(frozen=True, slots=True)
class Taken:
    """One turn's figures, and the command that was run for them."""

    metrics: Metrics
    command: str


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those compared."""

    name: str
    take_turn: Callable[[bool], Taken]      # quick or not; CannotRunError, TurnFailedError


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and what a reader must know to believe it."""

    name: str
    group: str
    title: str
    contenders: tuple[Contender, ...]
    round_s: float                          # about how long one round takes, for the estimate
    quick_s: float                          # and a quick one
    rounds_max: int = 5
    x: float | None = None                  # where it stands on its group's curve
    in_quick: bool = True

    def rounds(self, wanted: int | None, *, quick: bool) -> int:
        """Return how many rounds to run."""
        return wanted if wanted is not None else (1 if quick else self.rounds_max)

    def estimate_s(self, wanted: int | None, *, quick: bool) -> float:
        """Return about how long it takes."""
        return self.rounds(wanted, quick=quick) * (self.quick_s if quick else self.round_s)


Tell = Callable[[str], None]


def measure(comparison: Comparison, rounds: int, *, quick: bool, tell: Tell) -> Record:
    """Run a comparison, in turn, and return its record. Whoever is missing or fails is named in it."""
    load_average = os.getloadavg()[0]
    sides = {contender.name: Side(name=contender.name) for contender in comparison.contenders}
    by_name = {contender.name: contender for contender in comparison.contenders}
    failed_in_a_row = dict.fromkeys(by_name, 0)
    measured: list[dict[str, dict[str, float]]] = []
    failures: list[str] = []
    for index in range(rounds):
        measured.append({})
        for name in order_of(index, tuple(by_name)):
            if sides[name].not_run is not None:
                continue
            try:
                taken = by_name[name].take_turn(quick)
            except CannotRunError as reason:
                sides[name] = Side(name=name, not_run=str(reason))
                tell(f"  {name}: not run: {reason}")
            except TurnFailedError as reason:
                failures.append(f"round {index + 1}, {name}: {reason}")
                tell(f"  {failures[-1]}")
                failed_in_a_row[name] += 1
                if failed_in_a_row[name] == FAILURES_MAX or rounds == 1:
                    sides[name] = Side(name=name, not_run=f"failed: {reason}")
            else:
                failed_in_a_row[name] = 0
                sides[name] = Side(name=name, command=taken.command)
                measured[-1][name] = dict(taken.metrics)
                tell(f"  {name}: {told(taken.metrics)}")
    return Record(
        name=comparison.name,
        taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        revision=revision(),
        load_average=load_average,
        quick=quick,
        sides=tuple(sides.values()),
        rounds=tuple(measured),
        failures=tuple(failures),
    )


def told(metrics: Metrics) -> str:
    """Return figures as part of a line."""
    return ", ".join(f"{value:,.4g} {metric}" for metric, value in metrics.items())


def revision() -> str:
    """Return the commit measured, with a + if the checkout differs from it; "unknown" outside of git."""
    try:
        commit = _git("rev-parse", "--short", "HEAD").strip()
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "loadgen", "reports", "conformance")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return commit + ("+" if changed.strip() else "")


def _git(*arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=CHECKOUT, text=True, timeout=10, stderr=subprocess.DEVNULL)


def duration(comparisons: Iterable[Comparison], rounds: int | None, *, quick: bool) -> str:
    """Return about how long they take, in words."""
    seconds = sum(comparison.estimate_s(rounds, quick=quick) for comparison in comparisons)
    return f"about {seconds / 60:.0f} minutes" if seconds >= 120 else f"about {seconds:.0f} s"
