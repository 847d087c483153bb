"""What a comparison draws: every change with its interval, and the runs themselves where a gate looks."""

import statistics
from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import units
from reports.canvas import FAIL, INK, MUTED, SERIES, Picture, Size, dress, new_figure, picture
from reports.compare_result import Comparison, Effect, MetricComparison
from reports.compare_words import signed_percent

_ROW_PX: Final = 22
_ROW_PX_NARROW: Final = 34     # names take two lines
_FURTHEST: Final = 1.0       # per cent beyond which an interval is cut: one wild tail would flatten all others
_STRIPS_MAX: Final = 6


def effects(comparison: Comparison) -> Picture | None:
    """Draw the change of every metric that has one, in per cent."""
    rows = [each for each in comparison.metrics if each.change is not None and each.change.low is not None]
    if not rows:
        return None
    called = [each for each in rows if each.finding in ("worse", "better")]
    said = [f"{each.metric} {signed_percent(each.change.estimate)}" for each in called if each.change is not None]
    alt = (
        f"Changes of {len(rows)} metrics in per cent of base, with intervals. Called worse or better: "
        f"{', '.join(said) or 'none'}."
    )
    caption = "Change against base: dot the estimate, bar its interval. Filled: called worse or better. Cut at ±100 %."
    return picture("effects", lambda size: _draw_effects(rows, size), alt, caption)


def strips(comparison: Comparison, gated: Sequence[str]) -> Picture | None:
    """Draw every run's value of the metrics that gates look at."""
    rows = [each for each in comparison.metrics if each.metric in gated and _spread(each)][:_STRIPS_MAX]
    if not rows:
        return None
    alt = f"Each run's value of {', '.join(each.metric for each in rows)}, base above new."
    caption = "Every run is a dot, in the order they were given from top to bottom; the line is the median of its set."
    return picture("runs", lambda size: _draw_strips(rows, size), alt, caption)


def _draw_effects(rows: Sequence[MetricComparison], size: Size) -> Figure:
    figure = new_figure(size, 56 + (_ROW_PX_NARROW if size.narrow else _ROW_PX) * len(rows))
    axes = figure.subplots()
    dress(axes, grid="x")
    for row, each in enumerate(rows):
        low, estimate, high = _within(each.change)
        called = each.finding in ("worse", "better")
        colour = {"worse": FAIL, "better": SERIES[2]}.get(each.finding, MUTED)
        axes.plot([low, high], [row, row], color=colour, linewidth=3 if called else 1.5, solid_capstyle="butt")
        axes.plot(
            [estimate], [row], color=colour, marker="s" if each.finding == "worse" else "o", markersize=7,
            markerfacecolor=colour if called else "none", linestyle="",
        )   # fmt: skip
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(rows)), labels=[_label(each.metric, size) for each in rows])
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(4 if size.narrow else 8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: signed_percent(value).replace(".0 %", " %")))
    return figure


def _draw_strips(rows: Sequence[MetricComparison], size: Size) -> Figure:
    figure = new_figure(size, 110 * len(rows))
    for axes, each in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        dress(axes, each.metric, grid="x")
        for height, values, colour, marker in ((1, each.base, MUTED, "o"), (0, each.new, SERIES[0], "s")):
            known = [value for value in values if value is not None]
            heights = [height + 0.22 - 0.44 * number / max(1, len(known) - 1) for number in range(len(known))]
            axes.plot(known, heights, color=colour, marker=marker, markersize=5, linestyle="")
            axes.plot([statistics.median(known)] * 2, [height - 0.36, height + 0.36], color=colour, linewidth=2)
        axes.set_yticks([1, 0], labels=["base", "new"])
        axes.set_ylim(-0.5, 1.5)
        axes.xaxis.set_major_locator(MaxNLocator(3 if size.narrow else 6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _, unit=each.unit: tick(max(value, 0), unit)))
    return figure


def tick(value: float, unit: str) -> str:
    """Return what stands at an axis: enough digits to tell one tick from the next."""
    match unit:
        case "ns":
            return units.duration(value)
        case "share":
            return units.share(value)
        case _:
            return f"{value:,.5g}"          # a rate that hardly moves has all its ticks within one rounding


def _spread(each: MetricComparison) -> bool:
    """Say whether there is anything to see: runs on both sides, not all the same."""
    sides = [[value for value in side if value is not None] for side in (each.base, each.new)]
    return all(sides) and len({value for side in sides for value in side}) > 1


def _within(change: Effect | None) -> tuple[float, float, float]:
    assert change is not None
    assert change.low is not None
    assert change.high is not None
    low, estimate, high = (max(-_FURTHEST, min(_FURTHEST, each)) for each in (change.low, change.estimate, change.high))
    return low, estimate, high


def _label(metric: str, size: Size) -> str:
    """Break a long name where a phone has no room for it."""
    return metric.replace(" of ", " of\n") if size.narrow else metric
