"""A capacity search on a terminal, and in a log of 80 columns."""

from collections.abc import Callable, Iterator
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports import units
from reports.capacity_result import Capacity, CapacityStage
from reports.capacity_words import coefficient, level_in_words
from reports.safe import inert

MARKS: Final = {"sustained": ("held", "green"), "broke": ("broke", "red"), "inconclusive": ("unclear", "yellow"),
                "void": ("void", "yellow")}   # fmt: skip
_NOTHING: Final = "–"


def summary_of_capacity(capacity: Capacity) -> Iterator[RenderableType]:
    """Yield the stages, what broke first, the law of the curve, and the answer."""
    if capacity.stages:
        yield _stages(capacity)
    if any(stage.broke for stage in capacity.stages):
        yield _why(capacity)
    facts = Table.grid(padding=(0, 2))
    facts.add_row("gates", Text("\n".join(map(inert, capacity.gates)) or "none"))
    for broke in capacity.broke_first:
        facts.add_row("broke", Text(f"{broke.what}: {inert(broke.sentence)}"))
    if capacity.retrograde is not None:
        facts.add_row("overload", Text(capacity.retrograde))
    if capacity.of != "sessions":
        facts.add_row("curve", Text(law_of(capacity)))
    for note in capacity.notes:
        facts.add_row("note", Text(inert(note)))
    yield facts
    yield Text(f"capacity  {capacity.sentence}", style="bold")


def law_of(capacity: Capacity) -> str:
    """Return what the Universal Scalability Law says, or why there is none."""
    law = capacity.law
    if law is None:
        return f"no Universal Scalability Law: {capacity.no_law}"
    return (
        f"Universal Scalability Law of {len(law.points)} stages: sigma {coefficient(law.sigma.estimate)}, kappa "
        f"{coefficient(law.kappa.estimate)}, {100 * law.residual:.1f} % off; {law.sentence}"
    )


def figures_of(stage: CapacityStage) -> list[str]:
    """Return a stage's numbers as its row shows them, from throughput on."""
    backlog = stage.backlog
    return [
        _or_nothing(stage.throughput_per_s, units.rate), _or_nothing(stage.in_flight, units.mean),
        _or_nothing(stage.response_ns_p50, units.duration), _or_nothing(stage.response_ns_p99, units.duration),
        _NOTHING if backlog is None else f"{backlog.per_s:+.2f}/s",
        _or_nothing(stage.errors_share, units.share),
        f"{stage.warm_up_configured_s:.0f}",
        _NOTHING if stage.warm_up_detected_s is None else f"{stage.warm_up_detected_s:.0f}",
    ]   # fmt: skip


def held_figures_of(stage: CapacityStage) -> list[str]:
    """Return the numbers of a stage that only held sessions."""
    return [
        units.count(stage.in_flight_peak), _or_nothing(stage.refused_share, units.share),
        _or_nothing(stage.errors_share, units.share),
    ]   # fmt: skip


def _stages(capacity: Capacity) -> Table:
    """Show each stage in a line of 80 columns: of sessions that are only held there is little to show."""
    held = capacity.of == "sessions"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("why", no_wrap=True)
    for heading in ("level", "at most\nat once") if held else (
        "level", "done", "in\nflight", "p50", "p99", "backlog", "warm-up, s\nset, found",
    ):   # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for stage in capacity.stages:
        word, style = MARKS[stage.outcome]
        level = level_in_words(stage.level, capacity.of).partition(" ")[0]
        *figures, _, guessed, detected = figures_of(stage)
        row = held_figures_of(stage)[:1] if held else [*figures, f"{guessed}, {detected}"]
        table.add_row(str(stage.number), stage.purpose, level, *row, Text(word, style=style))
    return table


def _why(capacity: Capacity) -> Table:
    """Say of each stage that did not hold why, in its own row."""
    reasons = Table.grid(padding=(0, 2))
    reasons.add_column(justify="right")
    for stage in capacity.stages:
        if stage.broke:
            reasons.add_row(str(stage.number), Text(inert(stage.broke[0].sentence)), style="dim")
    return reasons


def _or_nothing(value: float | None, say: Callable[[float], str]) -> str:
    return _NOTHING if value is None else say(value)
