"""Who generates a load: how many workers, and by which executor."""

from concurrent.futures import Executor
from dataclasses import dataclass

from loadgen.scenario.model import OpenLoad, Scenario
from reports import units
from reports.errors import UserError


@dataclass(frozen=True, slots=True)
class Pool:
    """This process alone, or so many calls that an executor makes.

    An executor of the caller's own stays open. It is given all the calls at once and must make them side by side: one
    that waits for another's end is given up as never ready. A call is `work(Work)` of `worker.py`; function, argument
    and result are pickled where they cross processes, and `loadgen` must be there to be imported. The worker then
    connects to its parent by the address in its work, a loopback one (`parent.HOST`), and begins at an instant of the
    monotonic clock: a cluster's executor would need an address that its machines can reach, and another way to
    agree on an instant. All that is done about a worker of no use is `Future.cancel`.
    """

    workers: int = 1
    executor: Executor | None = None       # None: a process on this machine for each


ALONE = Pool()


@dataclass(frozen=True, slots=True)
class Choice:
    """How many workers a run gets, and what there is to say about that."""

    workers: int
    notes: tuple[str, ...] = ()


def choose_workers(asked: str, scenario: Scenario, cpus: int) -> Choice:
    """Return how many workers `--workers` means: a number, or "auto", one for each processor that is free for it.

    Never more than can have a session each. UserError if it is neither.
    """
    free = max(1, cpus - bool(scenario.target.embedded))      # the embedded server needs one too
    notes = []
    if asked == "auto":
        wanted = free
        left = ", one of them left to the embedded server" if scenario.target.embedded and cpus > 1 else ""
        notes.append(f"--workers auto: {wanted} for {units.processors(cpus)}{left}")
    elif asked.isascii() and asked.isdigit() and int(asked):
        wanted = int(asked)
    else:
        raise UserError(f'--workers: expected a number from 1, or auto; got "{asked}"')
    workers = workers_of_use(scenario, wanted)
    if workers < wanted:
        notes.append(f"--workers: {workers} of the {wanted}, because {_too_few(scenario)}")
    if workers > cpus:
        notes.append(
            f"--workers: {workers} are more than {units.processors(cpus)} can run at once, so they will be late; "
            f"auto would be {workers_of_use(scenario, free)}"
        )
    return Choice(workers, tuple(notes))


def workers_of_use(scenario: Scenario, wanted: int) -> int:
    """Return how many of the wanted workers a load can be shared out among: none may be without a session."""
    load = scenario.load
    return min(wanted, load.in_flight_max if isinstance(load, OpenLoad) else load.virtual_users)


def _too_few(scenario: Scenario) -> str:
    load = scenario.load
    if isinstance(load, OpenLoad):
        return f"load.in_flight_max lets only {load.in_flight_max} sessions be open"
    return f"there are only {load.virtual_users} virtual users"
