"""`mailproof capacity`: the most a target can take, found by measuring."""

import sys
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from loadgen.capacity.plan import plan_of
from loadgen.capacity.search import Bounds, Search
from loadgen.capacity.stages import Stages, gates_of, held_session
from loadgen.endpoint import Protocol
from loadgen.repeat import RUN
from loadgen.repeat_cli import settings_of
from loadgen.scenario.load import load_scenario
from loadgen.scenario.model import OpenLoad, Scenario
from reports import units
from reports.child import Child
from reports.document import encode
from reports.errors import UserError
from reports.gate import Gate
from reports.gate_spelt import text_of
from reports.junit import junit
from reports.metric import metric_named
from reports.named_metric import ANYTHING_NAMED
from reports.text import plain, summary
from reports.write import REPORT, RESULT, check_writable, write_text

OUT: Final = Path("out")
STEADY_MIN_S: Final = 30.0          # in which a steady state can be told, and a p99 means something
STAGES_MAX: Final = 100
START_HELD: Final = 100.0
HOLD_SETTINGS: Final = ("ledger.verify=false", "gate=[]")      # sessions that are only held bring no mail
_START_SHARE: Final = 8             # of the scenario's own rate or users: low stages tell of the curve's foot


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long stages are, s."""

    stage_s: float
    confirm_s: float


def register(app: typer.Typer) -> None:
    """Add this package's sub-command."""
    app.command("capacity", short_help="Find the highest load that a target sustains.")(capacity_command)


def capacity_command(  # noqa: PLR0913, PLR0917  each is an option
    scenario: Annotated[str, typer.Argument(help="A scenario file, or the name of a shipped one (capacity-smtp).")],
    slo: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help='What must hold: "p99(response)<2s", "errors.share<1%". Repeatable.'),
    ] = None,
    start: Annotated[
        float | None, typer.Option(metavar="LEVEL", help="Where to begin; default: an eighth of the scenario's load.")
    ] = None,
    most: Annotated[float | None, typer.Option(metavar="LEVEL", help="Go no higher.")] = None,
    at_least: Annotated[
        float | None, typer.Option(metavar="LEVEL", help="Fail (exit 1) if the capacity is lower.")
    ] = None,
    stage: Annotated[str, typer.Option(metavar="DURATION", help="Steady phase of a stage.")] = "60s",
    confirm: Annotated[str, typer.Option(metavar="DURATION", help="Steady phase of the last one.")] = "3m",
    resolution: Annotated[str, typer.Option(metavar="SHARE", help="How close good and bad come.")] = "5%",
    max_stages: Annotated[int, typer.Option(min=1, max=STAGES_MAX, help="Stages at most.")] = 20,
    tries: Annotated[
        int, typer.Option(min=1, max=20, help="Of a stage that cannot be believed; then the generator was the limit.")
    ] = 2,
    hold: Annotated[
        bool, typer.Option("--hold", help="Find the most sessions held open at once instead.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done, and for how long.")] = False,
    smtp: Annotated[str | None, typer.Option(metavar="URL", help="SMTP server, instead of the scenario's.")] = None,
    lmtp: Annotated[str | None, typer.Option(metavar="URL", help="LMTP server, instead of the scenario's.")] = None,
    pop3: Annotated[str | None, typer.Option(metavar="URL", help="POP3 server, instead of the scenario's.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the scenario.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed, instead of the scenario's.")] = None,
    workers: Annotated[str, typer.Option(metavar="N|auto", help="Processes to generate the load with.")] = "1",
    authorized: Annotated[
        bool, typer.Option("--authorized", help="I may load the public addresses that permitted_hosts names.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where it goes; default out/<run id>.")] = None,
    junit_xml: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write it as JUnit, too.")] = None,
) -> None:
    """Find the highest level that a target sustains: double, bisect, confirm with a long stage.

    A level is sustained if every gate holds, the backlog does not grow, and the generator kept up. An open load is
    scaled by its rate, a closed one by its users. Every stage is an ordinary run, kept beside the result.
    """
    given: dict[Protocol, str | None] = {"smtp": smtp, "lmtp": lmtp, "pop3": pop3}
    urls = {protocol: url for protocol, url in given.items() if url is not None}
    settings = [*(overrides or []), *(HOLD_SETTINGS if hold else ())]
    loaded = load_scenario(scenario, overrides=settings, urls=urls, seed=seed, authorized=authorized)
    if loaded.crash is not None:
        raise UserError("a search crashes nothing: take [crash] out of the scenario, and crash it with mailproof run")
    gates = _gates(loaded, slo or [], hold=hold)
    bounds = _bounds(
        loaded, start, most, Lengths(_seconds(stage, "--stage", hold=hold), _seconds(confirm, "--confirm", hold=hold)),
        _share(resolution), max_stages, hold=hold,
    )   # fmt: skip
    bounds = replace(bounds, tries=tries)
    started = datetime.now(UTC)
    run_id = f"{started:%Y%m%dT%H%M%SZ}-capacity"
    arguments = (
        *(f"--{protocol}={url}" for protocol, url in urls.items()), *settings_of(settings),
        f"--workers={workers}", *(["--authorized"] if authorized else []), "--no-monitors", "--annotations=none",
        *(f"--gate={text_of(gate)}" for gate in gates if gate not in loaded.gates),
    )   # fmt: skip
    stages = Stages(loaded, scenario, arguments, out if out is not None else OUT / run_id, hold=hold)
    if plan:
        typer.echo("\n".join(plan_of(bounds, stages, gates)))
        return
    check_writable(stages.directory)
    if (stages.directory / RESULT).exists() or any(stages.directory.glob("stages/*")):
        raise UserError(f"{stages.directory} has a result in it already: a search needs a directory of its own")
    raise typer.Exit(_searched(bounds, stages, gates, run_id, started, at_least, junit_xml))


def _searched(
    bounds: Bounds, stages: Stages, gates: tuple[Gate, ...], run_id: str, started: datetime, at_least: float | None,
    junit_xml: Path | None,
) -> int:
    """Carry the search out, write and show what was found, and return the exit status. UserError."""
    from loadgen.capacity.driver import Driver  # noqa: PLC0415 - scipy takes a second no other command should pay
    from reports.html import html  # noqa: PLC0415 - as does matplotlib

    last_words: deque[str] = deque(maxlen=1)
    child = Child(RUN, quiet=True, hear=last_words.append)
    driver = Driver(Search(bounds), stages, gates, child.start, _tell, last_words)
    with child.signals_passed_on():
        driver.run()
    document = driver.document(run_id=run_id, version=version("mailproof"), started=started, at_least=at_least)
    write_text(stages.directory / RESULT, encode(document))
    write_text(stages.directory / REPORT, html(document))
    if junit_xml is not None:
        write_text(junit_xml, junit(document))
    console, report = Console(), str(stages.directory / REPORT)
    if console.is_terminal:
        console.print(summary(document, report=report))
    else:
        typer.echo(plain(document, report=report), nl=False)
    return document.exit_code


def _gates(scenario: Scenario, slo: list[str], *, hold: bool) -> tuple[Gate, ...]:
    """Return what every level has to hold to. UserError where nothing would ever limit it."""
    if hold:
        if slo:
            raise UserError("--hold asks whether sessions are held, and nothing else: leave out --slo")
        held_session(scenario)
        return ()
    from reports.capacity_stage import with_always  # noqa: PLC0415 - scipy, as above

    gates = gates_of(scenario, slo)
    if not isinstance(scenario.load, OpenLoad) and not any(_is_of_time(gate) for gate in gates):
        raise UserError(
            "a closed load waits for the target, so that no backlog can grow: say how long it may take, as in "
            '--slo "p99(response)<2s"'
        )
    return with_always(gates)


def _is_of_time(gate: Gate) -> bool:
    metric = metric_named(gate.metric, ANYTHING_NAMED)
    return metric is not None and metric.unit == "ns"


def _bounds(
    scenario: Scenario, start: float | None, most: float | None, lengths: Lengths, resolution: float, max_stages: int,
    *, hold: bool,
) -> Bounds:   # fmt: skip
    whole = hold or not isinstance(scenario.load, OpenLoad)
    top = float("inf") if most is None else most
    first = start if start is not None else min(top, START_HELD if hold else _own_level(scenario) / _START_SHARE)
    if not 0 < first <= top:
        raise UserError(f"--start must be above 0 and not above --most; got {first:g}")
    if lengths.confirm_s < lengths.stage_s:
        raise UserError("--confirm is a longer look: it must not be shorter than --stage")
    if whole:
        first = max(1.0, float(round(first)))
    return Bounds(first, lengths.stage_s, lengths.confirm_s, resolution, max_stages, top, whole)


def _own_level(scenario: Scenario) -> float:
    load = scenario.load
    if not isinstance(load, OpenLoad):
        return float(load.virtual_users)
    rates = [float(rate) for shape in load.arrivals for rate in getattr(shape, "rates", ())]
    return max(rates, default=0.0) or 8.0


def _seconds(text: str, option: str, *, hold: bool) -> float:
    try:
        seconds = units.parse_duration_ns(text) / units.NS_PER_S
    except ValueError as error:
        raise UserError(f"{option}: {error}") from None
    least = 1.0 if hold else STEADY_MIN_S
    if seconds < least:
        raise UserError(f"{option} must be at least {least:g} s, or no steady state could be told; got {text}")
    return seconds


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0.005 <= share <= 1:
        raise UserError(f'--resolution is a share from 0.5% to 100%, as in "5%"; got "{text}"')
    return share


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
