"""mailproof's own turns: the real program is run, and its figures are read from its result."""

from pathlib import Path

import msgspec

from benchmarks.figures import Metrics
from benchmarks.place import mailproof, shown
from benchmarks.servers import scratch
from benchmarks.turn import CLIENT_CORE, Finished, TurnFailedError, expect_success, pinned, run
from reports.document import Document, read
from reports.errors import UserError
from reports.load_result import LoadResult

# As fast as it can go is a saturated generator: 3, and rightly so. smtp-sink answers QUIT without the enhanced status
# code it offered, and the monitors say so: 1. What decides here is that every session was accepted (`checked`).
MEASURED = (0, 1, 3)


def run_mailproof(scenario: str) -> tuple[LoadResult, Finished, str]:
    """Run one scenario, and return what it measured, what the system says of the process, and the command.

    Raises TurnFailedError unless every session was accepted.
    """
    path, out = scratch("scenario.toml"), scratch("run")
    path.write_text(scenario, encoding="utf-8")
    command = pinned([*mailproof(), "run", str(path), "--out", str(out)], CLIENT_CORE)
    finished = expect_success(run(command), allowed=MEASURED)
    return checked(read_result(out)), finished, shown(command)


def read_result(out: Path) -> Document:
    """Return the result of a run. TurnFailedError if there is none."""
    try:
        return read(out / "result.json")
    except UserError as error:
        raise TurnFailedError(f"no result to read: {error}") from None


def checked(document: Document) -> LoadResult:
    """Return the load of a document, if every session was accepted."""
    load = document.load
    if load is None or load.throughput is None:
        raise TurnFailedError("there was no load")
    books = load.sessions
    if books.accepted != books.arrived or not books.arrived:
        raise TurnFailedError(f"not every session was accepted: {msgspec.to_builtins(books)}")
    return load


def load_metrics(load: LoadResult, finished: Finished, *, rate: float, count: int, unit: str = "message") -> Metrics:
    """Return the rate in the steady phase and the processor time for each message (or another unit).

    CPU is what the generator used in the steady phase, as its health reports it; "whole process" is all of the
    command, start-up and imports before and reports after, spread over all that it did.
    """
    if not rate or not count:
        raise TurnFailedError(f"no {unit} was done in the steady phase")
    healths = [worker.health for worker in load.workers] or [load.health]
    return {
        f"{unit}s/s": rate,
        f"CPU µs/{unit}": sum(health.cpu_share for health in healths) / rate * 1e6,
        f"whole process, CPU µs/{unit}": finished.cpu_s / count * 1e6,
    }
