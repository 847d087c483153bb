"""A trend as text: a line for each run, and for each metric what it did."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.bound import shown
from reports.compare_text import value_in_words
from reports.compare_words import signed_percent
from reports.safe import inert
from reports.trend import Change, Series, Trend

_BARS: Final = "▁▂▃▄▅▆▇█"
_SPARK_MAX: Final = 40      # the latest runs


def summary_of_trends(trends: Sequence[Trend]) -> RenderableType:
    """Return the text for rich to print."""
    return Group(*(part for trend in trends for part in _of(trend)))


def change_in_words(series: Series, change: Change) -> str:
    """Return one sentence on a possible change of level."""
    unit = series.measure.metric.unit
    before, after = shown(change.before, unit), shown(change.after, unit)
    by = f" ({signed_percent(change.after / change.before - 1)})" if change.before > 0 else ""
    return (
        f"{series.measure.subject} seems to have another level from {change.run.document.started} on: median {before} "
        f"before, {after} after{by}"
    )


CAUTION: Final = (
    "Whether a level changed is asked by ranks (Pettitt): 1 % chance that any is called in a scenario in which none "
    "did, if its runs do not depend on each other. A slow drift is cut in steps as well; what changed, no number tells."
)


def _of(trend: Trend) -> Iterator[RenderableType]:
    yield Text.assemble((inert(trend.scenario), "bold"), f"  {len(trend.runs)} runs")
    for note in trend.notes:
        yield Text(f"note      {inert(note)}")
    for run, why in trend.left_out:
        yield Text(f"left out  {inert(run.result)}: {inert(why)}", style="yellow")
    if trend.runs:
        yield Text()
        yield _runs(trend)
        yield Text()
        yield _metrics(trend)
    for series in trend.series:
        for change in series.changes:
            yield Text(f"change    {inert(change_in_words(series, change))}", style="bold")
    if any(series.changes for series in trend.series):
        yield Text(CAUTION, style="dim")
    yield Text()


def _runs(trend: Trend) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("started", no_wrap=True)
    for series in trend.series:
        table.add_column(series.measure.subject.replace(" of ", " of\n").replace(".", ".\n"), justify="right")
    for number, run in enumerate(trend.runs):
        figures = [value_in_words(series.values[number], series.measure.metric.unit) for series in trend.series]
        table.add_row(inert(run.document.started[:16].replace("T", " ")), *figures)
    return table


def _metrics(trend: Trend) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for heading in ("metric", "least", "median", "most"):
        table.add_column(heading, justify="left" if heading == "metric" else "right", no_wrap=heading != "metric")
    table.add_column("over time", no_wrap=True)
    for series in trend.series:
        if known := series.known:
            unit = series.measure.metric.unit
            three = [shown(value, unit) for value in (min(known), statistics.median(known), max(known))]
            table.add_row(series.measure.subject, *three, _spark(known[-_SPARK_MAX:]))
    return table


def _spark(values: Sequence[float]) -> str:
    """Draw the values as a line of bars, from the least to the greatest."""
    low, high = min(values), max(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[round((value - low) / (high - low) * steps) if high > low else 0] for value in values)
