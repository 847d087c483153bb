"""`mailproof run` and `mailproof schema`: where the engine meets a person."""

import json
import os
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Protocol

import trio
import typer
from rich.console import Console

from loadgen import endpoint
from loadgen.engine.crash import check_command
from loadgen.engine.health.process import usable_cpus
from loadgen.engine.pool import Choice, Pool, choose_workers
from loadgen.engine.run import RunResult, run
from loadgen.interrupts import SIGNALS, Interrupts
from loadgen.live import JsonView, LiveView, PlainView
from loadgen.repeat import Order
from loadgen.repeat_cli import REPEAT_MAX, repeat_command, settings_of
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.asked import Asked
from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import Scenario
from loadgen.scenario.schema import scenario_json_schema
from reports.annotate_cli import Annotations, AnnotationsOption, annotate
from reports.document import Document
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.junit import junit
from reports.schema import calibration_json_schema, result_json_schema
from reports.text import plain, summary
from reports.write import REPORT, RESULT, check_writable, write_reports, write_result, write_text

OUT = Path("out")


ScenarioArgument = Annotated[
    str, typer.Argument(help="A scenario file, or the name of a shipped one (quickstart; any other word lists them).")
]
GatesOption = Annotated[
    list[str] | None,
    typer.Option("--gate", metavar="GATE", help='One more gate: "smtp.body.response:p99 < 500ms"; repeatable.'),
]
CrashOption = Annotated[
    str | None,
    typer.Option(metavar="COMMAND", help="Run this in a shell amid the load; it kills the server and restarts it."),
]
CrashAtOption = Annotated[
    str | None, typer.Option(metavar="50%|30s", help="When; default the scenario's, or amid the load.")
]
CrashEveryOption = Annotated[
    str | None, typer.Option(metavar="DURATION", help="And again so long after each time, until the load ends.")
]


class Begin(Protocol):
    """Runs a scenario until it ends, is stopped, or was enough."""

    async def __call__(self, *, stop: trio.Event, enough: trio.Event) -> RunResult:
        """Return the result. UserError."""


class Format(StrEnum):
    """What `mailproof schema` can print."""

    SCENARIO = "scenario"
    RESULT = "result"
    CALIBRATION = "calibration"


def register(app: typer.Typer) -> None:
    """Add this package's sub-commands."""
    app.command("run", help="Run a scenario against its target and write the report.")(run_command)
    app.command("schema", help="Print the JSON Schema of scenario files or result documents.")(schema_command)


def run_command(  # noqa: PLR0913, PLR0917  each is an option
    context: typer.Context,
    scenario: ScenarioArgument,
    smtp: Annotated[str | None, typer.Option(metavar="URL", help="SMTP server, instead of the scenario's.")] = None,
    lmtp: Annotated[str | None, typer.Option(metavar="URL", help="LMTP server, instead of the scenario's.")] = None,
    pop3: Annotated[str | None, typer.Option(metavar="URL", help="POP3 server, instead of the scenario's.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the results go; default out/<run id>.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed, instead of the scenario's.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the scenario: load.rate=500; repeatable."),
    ] = None,
    workers: Annotated[
        str, typer.Option(metavar="N|auto", help="Processes to generate the load with; auto: as many as fit.")
    ] = "1",
    authorized: Annotated[
        bool, typer.Option("--authorized", help="I may load the public addresses that permitted_hosts names.")
    ] = False,
    monitors: Annotated[
        bool, typer.Option("--monitors/--no-monitors", help="Hold replies against the RFCs, as many as time allows.")
    ] = True,
    json_progress: Annotated[
        bool,
        typer.Option("--json-progress", help="Say each second how it stands, in a line of JSON on standard error."),
    ] = False,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End the load, as one that was long enough, when standard input closes.")
    ] = False,
    crash: CrashOption = None,
    crash_at: CrashAtOption = None,
    crash_every: CrashEveryOption = None,
    repeat: Annotated[
        int | None, typer.Option(min=1, max=REPEAT_MAX, help="Make a set of N runs, each with the next seed.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="SCENARIO", help="Make two sets, in turn: of the scenario, and of this one.")
    ] = None,
    against_set: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Override one key in the second set only.")
    ] = None,
    gates: GatesOption = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Gates known by a name: specmail2001.")] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML to this file as well.")
    ] = None,
    annotations: AnnotationsOption = Annotations.AUTO,
) -> None:
    """Run a scenario against its target and write the report."""
    given: dict[endpoint.Protocol, str | None] = {"smtp": smtp, "lmtp": lmtp, "pop3": pop3}
    urls = {protocol: url for protocol, url in given.items() if url is not None}
    asked = Asked(gates or (), preset)
    loaded = load_scenario(
        scenario, overrides=[*(overrides or []), *_when(crash_at, crash_every)], urls=urls, seed=seed,
        authorized=authorized, asked=asked, crashed=crash is not None,
    )   # fmt: skip
    check_command(loaded, crash)
    chosen = choose_workers(workers, loaded, usable_cpus())
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{_file_name(loaded.about.name)}"
    directory = out if out is not None else OUT / run_id
    if repeat is not None or against is not None or against_set:
        raise typer.Exit(_run_set(context, asked, loaded.about.seed, urls, directory))
    for kept_in in (directory, *([junit_file.parent] if junit_file is not None else [])):
        check_writable(kept_in)
    document = _run_one(context, loaded, chosen, directory, run_id)
    if junit_file is not None:
        write_text(junit_file, junit(document))
    annotate(document, wanted=annotations)
    raise typer.Exit(document.exit_code)


def _when(crash_at: str | None, crash_every: str | None) -> list[str]:
    """Return when the server is to be crashed, as a scenario says it."""
    return [f"crash.{key}={value}" for key, value in (("at", crash_at), ("every", crash_every)) if value is not None]


def _run_one(context: typer.Context, loaded: Scenario, chosen: Choice, directory: Path, run_id: str) -> Document:
    """Make one run from the options of `run`, write its report and tell what it came to. UserError."""
    given = context.params
    for note in chosen.notes:
        sys.stderr.write(f"{note}\n")
    accounts = open_accounts(loaded.accounts, environ=os.environ)
    with Interrupts() as interrupts:
        with _view(loaded, json_progress=given["json_progress"]) as view:
            interrupts.note = view.note
            begin = partial(
                run, loaded, accounts, run_id=run_id, version=version("mailproof"), observe=view.show,
                authorized=given["authorized"], pool=Pool(chosen.workers),
                make_judge=context.obj if given["monitors"] else None, crash_command=given["crash"],
                directory=directory, note=view.note,
            )   # fmt: skip
            result = trio.run(
                _run_until_interrupted, begin, interrupts.stop, loaded.load.drain.s, view, given["until_eof"]
            )
        if result is None:
            sys.stderr.write("mailproof: stopped at once; there is no report\n")
            raise typer.Exit(ExitCode.INTERRUPTED)
        report = _written(directory, result, interrupts)
    _tell(result, report)
    if report is None:
        made_by = f"mailproof report {directory / RESULT} --format html --out {directory / REPORT}"
        sys.stderr.write(f"mailproof: stopped at once; the result is whole, and {made_by} makes its report\n")
        raise typer.Exit(ExitCode.INTERRUPTED)
    return result.document


def _written(directory: Path, result: RunResult, interrupts: Interrupts) -> Path | None:
    """Write all that a run leaves; return where the report is, None if somebody would not wait for it. UserError."""
    try:
        write_result(directory, result.document)
        with interrupts.ending_it():
            return write_reports(directory, result.document, result.intervals, started=result.started)
    except KeyboardInterrupt:
        (directory / REPORT).unlink(missing_ok=True)      # half of one, or of an earlier run
        return None
    except UserError:
        _tell(result, None)       # what was measured is known here, and perhaps nowhere else
        raise


def _run_set(
    context: typer.Context, asked: Asked, first_seed: int, urls: dict[endpoint.Protocol, str], directory: Path
) -> ExitCode:
    """Make a set of runs, or two in turn, from the options of `run`; both scenarios are looked at first. UserError."""
    given = context.params
    against: str | None = given["against"]
    settings, settings_against = given["overrides"] or [], given["against_set"] or []
    two = against is not None or bool(settings_against)
    if given["repeat"] is None:
        raise UserError("--against takes --repeat N too: one run of each side tells nothing, six are the least")
    if given["json_progress"] or given["until_eof"]:
        raise UserError("--json-progress and --until-eof are of one run, and not of a set: leave out --repeat")
    if given["junit_file"] is not None:
        raise UserError("--junit is of one run, and not of a set: mailproof gate makes one of all results of a set")
    load_scenario(
        against or given["scenario"], overrides=[*settings, *settings_against], urls=urls, seed=first_seed,
        authorized=given["authorized"], asked=asked,
    )   # fmt: skip
    arguments = (
        *(f"--{protocol}={url}" for protocol, url in urls.items()), *settings_of(settings),
        *(f"--gate={gate}" for gate in asked.gates), *([f"--preset={asked.preset}"] if asked.preset else []),
        f"--workers={given['workers']}", *(["--authorized"] if given["authorized"] else []),
        "--monitors" if given["monitors"] else "--no-monitors",
        *(f"--{name.replace('_', '-')}={given[name]}" for name in ("crash", "crash_at", "crash_every") if given[name]),
    )   # fmt: skip
    order = Order(given["scenario"], against, arguments, settings_of(settings_against), first_seed)
    return repeat_command(order, given["repeat"], directory, two=two)


def schema_command(of: Annotated[Format, typer.Argument(help="scenario, result or calibration")]) -> None:
    """Print a JSON Schema."""
    match of:
        case Format.SCENARIO:
            schema = scenario_json_schema()
        case Format.RESULT:
            schema = result_json_schema()
        case Format.CALIBRATION:
            schema = calibration_json_schema()
    typer.echo(json.dumps(schema, indent=2))


def _tell(result: RunResult, report: Path | None) -> None:
    """Print the summary: in colour and at its width on a terminal, as plain lines anywhere else."""
    console, lies = Console(), None if report is None else str(report)
    if console.is_terminal:
        console.print(summary(result.document, report=lies))
    else:
        typer.echo(plain(result.document, report=lies), nl=False)


def _view(scenario: Scenario, *, json_progress: bool) -> LiveView | PlainView:
    """Return what shows the run: to a program, on a terminal, or in a log."""
    if json_progress:
        return JsonView(sys.stderr)
    console = Console(stderr=True)
    return LiveView(console, scenario) if console.is_terminal else PlainView(sys.stderr)


async def _run_until_interrupted(
    begin: Begin, stop: trio.Event, drain_s: float, view: LiveView | PlainView, until_eof: bool
) -> RunResult | None:
    """Run; the first Ctrl-C (or SIGTERM) ends the arrivals and drains, the second stops at once: None."""
    enough = trio.Event()
    result: RunResult | None = None
    complaint: UserError | None = None

    async def listen(run_scope: trio.CancelScope) -> None:
        with trio.open_signal_receiver(*SIGNALS) as signals:
            async for _ in signals:
                if stop.is_set():
                    run_scope.cancel()
                    return
                stop.set()
                view.interrupted(drain_s)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, nursery.cancel_scope)
        if until_eof:
            nursery.start_soon(_wait_for_eof, enough)
        try:
            result = await begin(stop=stop, enough=enough)
        except UserError as error:      # not through the nursery: it would come out as a group
            complaint = error
        nursery.cancel_scope.cancel()
    if complaint is not None:
        raise complaint
    return result


async def _wait_for_eof(enough: trio.Event) -> None:
    # A thread, not the event loop: standard input may be a file, which epoll does not take.
    while await trio.to_thread.run_sync(_read_standard_input, abandon_on_cancel=True):
        pass
    enough.set()


def _read_standard_input() -> bytes:
    try:
        return os.read(0, 4096)
    except OSError:      # it was never open
        return b""


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "run"
