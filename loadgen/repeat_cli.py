"""`mailproof run --repeat N`, and `--against`: sets of runs, and what they come to."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from loadgen.repeat import RUN, Order, RunSet, Start, run_set
from reports.child import Child
from reports.compare_files import compared, write_comparison
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.run_set import exit_code_of_set, summary_of_set
from reports.text import plain
from reports.write import check_writable, write_text

SUMMARY = "summary.txt"
REPEAT_MAX = 1_000


def repeat_command(
    order: Order, repeat: int, of_set: Path, *, two: bool, start: Start | None = None
) -> ExitCode:
    """Make a set of runs, say what it comes to, and return the exit status. UserError."""
    check_writable(of_set)
    if any(path.is_dir() for path in of_set.glob("*/")):
        raise UserError(f"{of_set} has runs in it already: a set needs a directory of its own")
    child = Child(RUN, quiet=True)
    with child.signals_passed_on():
        made = run_set(order, repeat, of_set, two=two, start=start or child.start, tell=_tell)
    summary = summary_of_set([run for _, run in made.runs])
    write_text(of_set / SUMMARY, summary)
    typer.echo(summary, nl=False)
    if two and made.of("base") and made.of("new"):
        _compare(made, of_set)
    if made.ended is not None:
        _tell(f"the set was ended by a run with exit status {made.ended}; {len(made.runs)} results are kept")
        return ExitCode(made.ended) if made.ended in set(ExitCode) else ExitCode.OUR_BUG
    return exit_code_of_set([run for _, run in made.runs])


def _compare(made: RunSet, of_set: Path) -> None:
    """Show the comparison without gates: it is told, and judged by `mailproof compare`."""
    document = compared(made.of("base"), made.of("new"), [], [], 0.95, strict=False)
    report = write_comparison(of_set, document)
    typer.echo(f"\n{plain(document, report=str(report))}")
    typer.echo(f"with a gate: mailproof compare {of_set}/base -- {of_set}/new --worse-than 5%")


def settings_of(pairs: Sequence[str]) -> tuple[str, ...]:
    """Return `--set` arguments again."""
    return tuple(f"--set={pair}" for pair in pairs)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
