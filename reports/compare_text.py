"""A comparison on a terminal, and in a log of 80 columns."""

import statistics
from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.bound import shown
from reports.compare_result import ComparedSide, Comparison, MetricComparison
from reports.compare_words import bounds, signed, signed_percent
from reports.safe import inert

_STYLES: Final = {"worse": "bold red", "better": "green"}


def summary_of_comparison(comparison: Comparison) -> Iterator[RenderableType]:
    """Yield what is compared, in what the sides differ beside it, and every metric in both."""
    yield Group(*_head(comparison))
    if any(each.shift is not None for each in comparison.metrics):
        yield Group(_effects(comparison), Text(), *(Text(line, style="dim") for line in explanations(comparison)))
    if few := [each for each in comparison.metrics if each.shift is None]:
        yield _raw_figures(few)


def explanations(comparison: Comparison) -> Iterator[str]:
    """Yield how the table is to be read."""
    confidence = f"{comparison.confidence * 100:g} %"
    yield (
        "Medians of the runs; the change is Hodges-Lehmann's, its interval the one that belongs to the rank test, "
        f"with at least {confidence} confidence for each row by itself."
    )
    doubt = f"{(1 - comparison.confidence) * 100:.3g} %"
    yield (
        f"Rows are called worse or better where at most {doubt} of those so called are expected to be so by chance "
        "(Benjamini-Hochberg)."
    )
    if comparison.gates:
        gates = "gate" if comparison.gates == 1 else f"{comparison.gates} gates"
        yield f"Of the {gates} none fails without cause, with {confidence} confidence for all together (Holm)."
        yield "A gate asks one way only: it may fail though its interval, which looks both ways, just reaches it."


def side_in_words(side: ComparedSide) -> str:
    """Return a side in one line."""
    of = f" of {side.scenario}" if side.scenario else ""
    return f"{side.used} of {len(side.runs)} runs{of} on {', '.join(side.targets)}; from {', '.join(side.machines)}"


def middle(values: tuple[float | None, ...], unit: str) -> str:
    """Return the median of the runs as people read it."""
    known = [value for value in values if value is not None]
    return value_in_words(statistics.median(known), unit) if known else "no data"


def value_in_words(value: float | None, unit: str) -> str:
    """Return one run's value as people read it."""
    match unit:
        case _ if value is None:
            return "no data"
        case "ns" | "count" | "share" | "per_s":
            return shown(value, unit)
        case _:
            return f"{value:g}"


def change_in_words(compared: MetricComparison) -> tuple[str, str]:
    """Return the change, and its interval: in per cent where there is one, else in the metric's unit."""
    effect = compared.change or compared.shift
    if effect is None:
        return "", ""
    say = signed_percent if compared.change is not None else lambda value: signed(value, compared.unit)
    if effect.low is None or effect.high is None:
        return say(effect.estimate), "none"
    return say(effect.estimate), bounds(say(effect.low), say(effect.high))


def _head(comparison: Comparison) -> Iterator[Text]:
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        yield Text(f"{name:<9} {inert(side_in_words(side))}")
    for side in (comparison.base, comparison.new):
        for run in side.runs:
            if run.left_out is not None:
                yield Text(f"left out  {inert(run.result)}: {inert(run.left_out)}", style="yellow")
    for note in comparison.notes:
        yield Text(f"note      {inert(note)}")


def _effects(comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("metric", overflow="fold")
    for heading in ("base", "new", "change", f"{comparison.confidence * 100:g} % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for each in comparison.metrics:
        if each.shift is None:
            continue
        finding = "" if each.finding == "nothing shown" else each.finding
        table.add_row(
            Text(inert(each.metric)), middle(each.base, each.unit), middle(each.new, each.unit), *change_in_words(each),
            Text(finding, style=_STYLES.get(finding, "")),
        )   # fmt: skip
    return table


def _raw_figures(few: list[MetricComparison]) -> Table:
    """Show every run's figure where nothing more can be said."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("metric", overflow="fold", max_width=30)
    table.add_column("")
    table.add_column("each run (too few to compare)", overflow="fold")
    for each in few:
        for name, values in (("base", each.base), ("new", each.new)):
            figures = " · ".join(value_in_words(value, each.unit) for value in values)
            table.add_row(Text(inert(each.metric) if name == "base" else ""), name, figures or "no run is counted")
    return table
