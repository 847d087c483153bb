"""`python -m benchmarks`: run the comparisons or the soak, and write RESULTS.md from all that was ever kept."""

import resource
import sys
import time
from typing import Annotated

import typer

from benchmarks import ledger
from benchmarks.alarm import alarm
from benchmarks.capacity import capacity
from benchmarks.comparison import Comparison, duration, measure
from benchmarks.comparisons import all_comparisons
from benchmarks.figures import Record, Spread
from benchmarks.machine import this_machine
from benchmarks.place import FIGURES, RESULTS
from benchmarks.plots import write_curve, write_soak
from benchmarks.results import CURVE_METRICS, render
from benchmarks.soak import CSV, soak
from benchmarks.soak_record import read_samples
from benchmarks.store import Store

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.command("run")
def run_command(
    only: Annotated[
        list[str] | None, typer.Option(help="A comparison or a group; more than one may be given. See `list`.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of each; default: its own, 1 to 5.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few messages, one round: a sketch in four minutes.")] = False,
) -> None:
    """Run comparisons and write benchmarks/RESULTS.md. What was measured before and is not run again stays."""
    chosen = choose(all_comparisons(), only or [], quick=quick)
    if not chosen:
        tell(f"no comparison is called {', '.join(only or [])}; `python -m benchmarks list` names them")
        raise typer.Exit(2)
    raise_limit_of_descriptors()
    store = Store(FIGURES)
    store.keep_machine(this_machine())
    tell(f"{len(chosen)} comparisons, {duration(chosen, rounds, quick=quick)}")
    for number, comparison in enumerate(chosen, start=1):
        left = duration(chosen[number - 1 :], rounds, quick=quick)
        tell(f"[{number}/{len(chosen)}, {left} left] {comparison.name}: {comparison.title}")
        record = measure(comparison, comparison.rounds(rounds, quick=quick), quick=quick, tell=tell)
        store.keep(record)
        write_results(store)
    tell(f"written: {RESULTS}")


@app.command("soak")
def soak_command(
    minutes: Annotated[float, typer.Option(min=1, help="How long.")] = 10,
    sessions: Annotated[int, typer.Option(min=20, help="Sessions at once, a quarter of them in TLS.")] = 2_000,
) -> None:
    """Soak for some minutes, judge whether anything grows, and write benchmarks/RESULTS.md."""
    raise_limit_of_descriptors()
    store = Store(FIGURES)
    store.keep_machine(this_machine())
    tell(f"soaking for {minutes:g} minutes at {sessions:,} sessions")
    record = soak(minutes, sessions, tell)
    store.keep_soak(record)
    write_results(store)
    tell({True: "flat", False: "something grows", None: "undecided"}[record.flat] + f"; written: {RESULTS}")


@app.command("alarm")
def alarm_command(
    sets: Annotated[int, typer.Option(min=1, max=100, help="Comparisons of each kind.")] = 20,
    runs: Annotated[int, typer.Option(min=6, max=50, help="Runs a side in each.")] = 6,
) -> None:
    """Compare real runs of the reference server with themselves, and with some that are slower by a tenth."""
    store = Store(FIGURES)
    tell(f"{sets} sets of {3 * runs} runs, about {sets * runs * 5 / 60:.0f} minutes")
    record = alarm(sets, runs, tell)
    store.keep_alarm(record)
    write_results(store)
    for each in record.alarms:
        tell(f"{'slower by a tenth' if each.slower else 'the same'}, {each.gate}: {each.alarms} of {sets} alarmed")
    tell(f"{'as it should be' if record.holds else 'NOT as it should be'}; written: {RESULTS}")
    raise typer.Exit(0 if record.holds else 1)


@app.command("capacity")
def capacity_command(
    workers: Annotated[str, typer.Option(metavar="N,N…", help="Of the server, a search for each.")] = "1,2,4",
    stage: Annotated[float, typer.Option(min=30, help="Seconds of a stage.")] = 60,
    confirm: Annotated[float, typer.Option(min=30, help="Seconds of one that confirms.")] = 180,
) -> None:
    """Search for a capacity that is known: the reference server as M/M/c. A quarter of an hour."""
    store, record = Store(FIGURES), None
    before = store.capacity()
    for record in capacity([int(each) for each in workers.split(",")], stage, confirm, tell):
        store.keep_capacity(record.beside(before))
        write_results(store)
    tell(f"written: {RESULTS}")
    raise typer.Exit(0 if record is not None and record.holds else 1)


@app.command("ledger")
def ledger_command(
    messages: Annotated[int, typer.Option(min=1_000, help="Messages to each sink.")] = 200_000,
    rows: Annotated[int, typer.Option(min=100_000, help="Messages through the store.")] = 10_000_000,
) -> None:
    """Hold the ledger against sinks that do wrong, and against more messages than memory would hold."""
    found, counted = ledger.sinks(messages, tell), ledger.rows(rows, tell)
    raise typer.Exit(0 if found and counted else 1)


@app.command("list")
def list_command() -> None:
    """Name every comparison, its group, and about how long it takes."""
    for comparison in all_comparisons():
        seconds = comparison.estimate_s(None, quick=False)
        print(f"{comparison.name:28} {comparison.group:13} {seconds:5.0f} s  {comparison.title}")


@app.command("render")
def render_command() -> None:
    """Write benchmarks/RESULTS.md and its plots again, from what is kept."""
    write_results(Store(FIGURES))
    tell(f"written: {RESULTS}")


def choose(comparisons: tuple[Comparison, ...], only: list[str], *, quick: bool) -> list[Comparison]:
    """Return those asked for by name or group; with nothing asked for all, or all that a quick look has time for."""
    if only:
        return [each for each in comparisons if each.name in only or each.group in only]
    return [each for each in comparisons if each.in_quick or not quick]


def write_results(store: Store) -> None:
    """Write RESULTS.md and its plots from what is kept."""
    comparisons = all_comparisons()
    records = {each.name: record for each in comparisons if (record := store.record(each.name)) is not None}
    soaked = store.soak()
    write_curve(RESULTS.with_name("curve.svg"), curve_panels(comparisons, records))
    if soaked is not None and CSV.exists():
        write_soak(RESULTS.with_name("soak.svg"), read_samples(CSV), soaked.minutes * 60)
    page = render(comparisons, records, store.machine(), soaked, store.alarm(), store.capacity())
    RESULTS.write_text(page, encoding="utf-8")


def curve_panels(
    comparisons: tuple[Comparison, ...], records: dict[str, Record]
) -> dict[str, dict[str, list[tuple[float, Spread]]]]:
    """Return the cost curve: metric -> side -> (sessions, spread), in order of the sessions."""
    panels: dict[str, dict[str, list[tuple[float, Spread]]]] = {}
    on_curve = [each for each in comparisons if each.group == "curve" and each.x is not None]
    for comparison in sorted(on_curve, key=lambda each: each.x or 0):
        record = records.get(comparison.name)
        if record is None:
            continue
        for metric in record.metrics()[:CURVE_METRICS]:
            for side in record.sides:
                if (spread := record.spread(side.name, metric)) is not None:
                    panels.setdefault(metric, {}).setdefault(side.name, []).append((comparison.x or 0, spread))
    return panels


def raise_limit_of_descriptors() -> None:
    """Let what is started have as many descriptors as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def tell(line: str) -> None:
    """Say what goes on, on standard error, with the time."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    app()
