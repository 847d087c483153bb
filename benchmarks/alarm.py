"""Does `mailproof compare` alarm when it should, on real runs of the reference server, and only then?

Two servers stand beside each other: in one each message takes a fixed time, in the other a tenth longer. Sets of runs
are made in turn against the first, against it again, and against the second; each of the latter two is compared with
the first. Every run is a process of its own, forked from one that has imported everything, and leaves nothing behind.
"""

import contextlib
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import trio

from benchmarks.alarm_record import Alarm, AlarmRecord
from benchmarks.comparison import Tell, revision
from benchmarks.figures import order_of
from benchmarks.place import CHECKOUT
from benchmarks.servers import reference_server
from loadgen.engine.run import run
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.load import load_scenario
from reports.compare_files import compared
from reports.compare_runs import Run, why_left_out
from reports.document import Document, encode, read
from reports.errors import UserError

DIRECTORY: Final = CHECKOUT / ".bench" / "alarm"
SERVICE_MS, SLOWER_MS = 100.0, 110.0       # long beside what a busy machine adds
# Any slow-down at all is judged. Past an allowance less of it is left to see, so how often that alarms is only told.
GATES: Final = {"smtp.session.response:p50=0%": True, "smtp.session.response:p50=2%": False}
TRIES_MAX: Final = 4             # of one run: on a busy machine some cannot be believed, and a person would run again
RUN_LIMIT_S: Final = 60.0
Side = Literal["base", "same", "slower"]
SIDES: Final[tuple[Side, ...]] = ("base", "same", "slower")
SCENARIO: Final = """
target = {{smtp = "smtp://127.0.0.1:{port}"}}
[scenario]
name = "alarm"
seed = {seed}
[accounts]
count = 50
[load]
model = "closed"
virtual_users = 10
sessions = 100
pause_max = "10s"
[[session]]
kind = "smtp-deliver"
size = 1024
"""


def alarm(sets: int, runs: int, tell: Tell) -> AlarmRecord:
    """Make so many sets of so many runs a side, and return how often each comparison alarmed."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    load_average, commit = os.getloadavg()[0], revision()
    found: dict[tuple[Side, str], list[int]] = {(side, gate): [] for side in SIDES[1:] for gate in GATES}
    again = 0
    with _servers() as ports:
        for number in range(1, sets + 1):
            began_s = time.monotonic()
            made, more = _set(DIRECTORY / f"set-{number:02}", runs, number, ports)
            again += more
            for (side, gate), codes in found.items():
                codes.append(compared(made["base"], made[side], [gate], [], 0.95, strict=False).exit_code)
            told = ", ".join(
                f"{side} {gate.rpartition('=')[2]}: exit {codes[-1]}" for (side, gate), codes in found.items()
            )
            tell(f"set {number} of {sets}, {time.monotonic() - began_s:.0f} s, {more} runs again: {told}")
    return AlarmRecord(
        taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", revision=commit, load_average=load_average, sets=sets,
        runs=runs, again=again, service_ms=SERVICE_MS, slower_ms=SLOWER_MS,
        alarms=tuple(
            Alarm(slower=side == "slower", gate=gate, codes=tuple(codes), judged=GATES[gate])
            for (side, gate), codes in found.items()
        ),
    )  # fmt: skip


@contextlib.contextmanager
def _servers() -> Iterator[dict[Side, int]]:
    """Run both servers; return the port that each side's runs go to."""
    with _server(SERVICE_MS) as base, _server(SLOWER_MS) as slower:
        yield {"base": base, "same": base, "slower": slower}


@contextlib.contextmanager
def _server(service_ms: float) -> Iterator[int]:
    variants = [f"--variant=service-time={service_ms:g}ms,constant", "--variant=workers=unlimited"]
    with reference_server("smtp", ["--account-count", "50", *variants]) as port:
        yield port


def _set(directory: Path, runs: int, number: int, ports: dict[Side, int]) -> tuple[dict[Side, list[Run]], int]:
    """Make one set of runs for each side, in turn; return it, and how many runs had to be made again."""
    made: dict[Side, list[Run]] = {side: [] for side in SIDES}
    again = 0
    for index in range(runs):
        for name in order_of(index, SIDES):
            for attempt in range(TRIES_MAX):
                out = directory / name / f"run-{index + 1:02}-{attempt}"
                document = _made(out, ports[_side(name)], seed=1000 * number + index)
                if why_left_out(document) is None:
                    break
                again += 1
            made[_side(name)].append(Run(str(out), document))
    return made, again


def _side(name: str) -> Side:
    return next(side for side in SIDES if side == name)


def _made(out: Path, port: int, seed: int) -> Document:
    """Make one run in a process of its own, and return its result. UserError when it left none."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_run, args=(out, port, seed))
    process.start()
    process.join(RUN_LIMIT_S)
    if process.is_alive():
        process.kill()
        raise UserError(f"a run against port {port} took longer than {RUN_LIMIT_S:.0f} s")
    return read(out / "result.json")


def _run(out: Path, port: int, seed: int) -> None:
    """Make a run, and leave its result: the body of the process."""
    out.mkdir(parents=True)
    path = out / "scenario.toml"
    path.write_text(SCENARIO.format(port=port, seed=seed), encoding="utf-8")
    scenario = load_scenario(str(path), overrides=[], urls={}, seed=None, authorized=False)
    book = open_accounts(scenario.accounts, environ=os.environ)

    async def driven() -> bytes:
        result = await run(
            scenario, book, run_id=out.name, version="0", stop=trio.Event(), observe=lambda _progress: None
        )
        return encode(result.document)

    (out / "result.json").write_bytes(trio.run(driven))
