"""`mailproof calibrate`: what this tool can do on this machine, before a server is blamed."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import trio
import typer
from rich.console import Console

from loadgen.calibrate.level import MESSAGES, Sessions, level_of, scenario_for
from loadgen.calibrate.sink import Sink, null_sink
from loadgen.engine.health.process import raise_open_files_limit
from loadgen.engine.pool import Pool
from loadgen.engine.progress import Progress
from loadgen.engine.result import host_facts
from loadgen.engine.run import run
from loadgen.scenario.accounts import open_accounts
from reports.calibration import Calibration, Level, encode
from reports.calibration_text import calibration_summary, plain_calibration
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.write import check_writable

IN_FLIGHT_MAX: Final = 20_000
WORKERS_MAX: Final = 256
FILE: Final = "calibration.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured."""

    workers: int
    seconds: float
    in_flight: Sequence[int]
    message_octets: int


def register(app: typer.Typer) -> None:
    """Add this package's sub-command."""
    app.command("calibrate")(calibrate_command)


def calibrate_command(
    workers: Annotated[int, typer.Option(min=1, max=WORKERS_MAX, help="Processes to generate the load with.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="How long each level is measured.")] = 1.5,
    in_flight: Annotated[
        str | None,
        typer.Option(metavar="N,N…", help="Sessions in flight by level; default: one for each worker, 100, 1000."),
    ] = None,
    message_octets: Annotated[int, typer.Option(min=600, max=10_000_000, help="Octets of a message.")] = 1024,
    out: Annotated[Path, typer.Option(metavar="DIR", help=f"Where {FILE} goes.")] = Path("out"),
) -> None:
    """Measure this tool's own ceiling on this machine.

    Our client runs against a null sink over loopback, and the table says how much either could do. Fresh sessions
    carry one message each, reused ones a hundred. It takes about 25 seconds on a quiet machine.
    """
    asked = Asked(workers, seconds, levels_of(in_flight, workers), message_octets)
    check_writable(out)
    calibration = trio.run(_until_interrupted, asked)
    if calibration is None:
        sys.stderr.write("mailproof: stopped; nothing was written\n")
        raise typer.Exit(ExitCode.INTERRUPTED)
    path = out / FILE
    try:
        path.write_bytes(encode(calibration))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    console = Console()
    if console.is_terminal:
        console.print(calibration_summary(calibration))
    else:
        typer.echo(plain_calibration(calibration), nl=False)
    typer.echo(f"\ncalibration  {path}")


def levels_of(written: str | None, workers: int) -> list[int]:
    """Return the numbers of sessions in flight; UserError for what is none, or leaves a worker without a session."""
    if written is None:
        return sorted({workers, max(workers, 100), 1000})
    levels = [part.strip() for part in written.split(",")]
    if not all(part.isascii() and part.isdigit() and workers <= int(part) <= IN_FLIGHT_MAX for part in levels):
        raise UserError(
            f'--in-flight: got "{written}", expected numbers from {workers} to {IN_FLIGHT_MAX:,} with commas between'
        )
    return [int(part) for part in levels]


async def _until_interrupted(asked: Asked) -> Calibration | None:
    """Calibrate; None if Ctrl-C or SIGTERM came first."""
    calibration: Calibration | None = None
    complaint: UserError | None = None

    async def listen(scope: trio.CancelScope) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, nursery.cancel_scope)
        try:
            calibration = await _calibrate(asked)
        except UserError as error:      # not through the nursery: it would come out as a group
            complaint = error
        nursery.cancel_scope.cancel()
    if complaint is not None:
        raise complaint
    return calibration


async def _calibrate(asked: Asked) -> Calibration:
    started = datetime.now(UTC)
    levels: list[Level] = []
    async with null_sink() as sink:
        for sessions in MESSAGES:
            for in_flight in asked.in_flight:
                sys.stderr.write(f"{sessions} sessions, {in_flight:,} in flight …\n")
                sys.stderr.flush()
                levels.append(await _measure(sink, sessions, in_flight, asked))
    return Calibration(
        mailproof=version("mailproof"),
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        workers=asked.workers,
        message_octets=asked.message_octets,
        host=host_facts(raise_open_files_limit()),
        levels=tuple(levels),
    )


async def _measure(sink: Sink, sessions: Sessions, in_flight: int, asked: Asked) -> Level:
    scenario = scenario_for(sink.url, sessions, in_flight, asked.seconds, asked.message_octets)
    before = await sink.used()
    result = await run(
        scenario,
        open_accounts(scenario.accounts, environ={}),
        run_id=scenario.about.name,
        version=version("mailproof"),
        stop=trio.Event(),
        observe=_nobody_looks,
        pool=Pool(asked.workers),
    )
    return level_of(sessions, in_flight, result.document, before, await sink.used())


def _nobody_looks(progress: Progress) -> None:
    """Show nothing: a level is over soon."""
