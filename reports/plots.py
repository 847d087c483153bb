"""What the report draws: the run over time, each phase's range of times, the slowest phases' percentile curves."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from reports import units
from reports.canvas import (
    DASHES,
    FAIL,
    INK,
    MARKERS,
    MUTED,
    SERIES,
    SHADE,
    Picture,
    Size,
    dress,
    log_ms,
    new_figure,
    picture,
)
from reports.document import LoadResult
from reports.histogram import Histogram
from reports.phases import in_order

_ROW_PX: Final = 21
_SAMPLES_BEYOND: Final = 10  # a percentile with fewer samples beyond it is the story of a few sessions


def over_time(load: LoadResult) -> Picture | None:
    """Draw sessions, messages, in-flight and response time against the seconds of the run."""
    t = load.timeline
    if t.seconds < 2:
        return None
    not_accepted = sum(map(sum, (t.refused, t.failed, t.timed_out, t.dropped)))
    alt = (
        f"Charts over {t.seconds} seconds. Sessions: at most {max(t.arrived)} arrived in a second, and "
        f"{not_accepted} in all were not accepted. Messages: at most {max(t.messages_accepted)} accepted in a "
        f"second. At most {max(t.in_flight)} sessions were in flight."
    )
    caption = "Shaded: warm-up and drain, not timed. Response time is of whole sessions, idle-hold apart."
    if load.crash is not None and load.crash.moments:
        alt += f" The server was crashed at {', '.join(units.duration(each.at_ns) for each in load.crash.moments)}."
        caption += " Upright lines: the server was crashed."
    return picture("over-time", lambda size: _draw_over_time(load, size), alt, caption)


def ranges(load: LoadResult) -> Picture | None:
    """Draw every phase's response time from its median to its greatest, one line each."""
    phases = [name for name in in_order(load.phases) if load.phases[name].count]
    if not phases:
        return None
    slowest = max(phases, key=lambda name: load.phases[name].response_ns.p99)
    slowest_p99 = units.duration(load.phases[slowest].response_ns.p99)
    alt = f"Response time of {len(phases)} phases on a logarithmic scale. Slowest at p99: {slowest}, {slowest_p99}."
    caption = "Response time by phase, logarithmic: dot p50, bar to p99, hairline to the greatest."
    return picture("ranges", lambda size: _draw_ranges(load, phases, size), alt, caption)


def percentiles(load: LoadResult) -> Picture | None:
    """Draw the percentile curves of the five phases slowest at p99."""
    counted = [name for name in load.phases if load.phases[name].count and load.phases[name].response_hdr]
    slowest = sorted(counted, key=lambda name: -load.phases[name].response_ns.p99)[: len(SERIES)]
    curves = {name: Histogram.decode(load.phases[name].response_hdr) for name in slowest}
    if max((histogram.count for histogram in curves.values()), default=0) < 2 * _SAMPLES_BEYOND:
        return None
    alt = "Percentile curves of response time: " + ", ".join(
        f"{name} (p50 {units.duration(load.phases[name].response_ns.p50)}, "
        f"p99 {units.duration(load.phases[name].response_ns.p99)})"
        for name in slowest
    )
    caption = "The slowest phases: how many percent of responses took no longer than this. Both axes logarithmic."
    return picture("percentiles", lambda size: _draw_percentiles(curves, size), alt, caption)


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    column: Sequence[float]
    colour: str
    dash: object


def _draw_over_time(load: LoadResult, size: Size) -> Figure:
    t = load.timeline
    figure = new_figure(size, 720 if size.narrow else 660)
    sessions, messages, in_flight, response = figure.subplots(4, 1, sharex=True, height_ratios=(3, 2, 2, 3))
    crashes_s = [] if load.crash is None else [moment.at_ns / units.NS_PER_S for moment in load.crash.moments]
    lost = [sum(row) for row in zip(t.refused, t.failed, t.timed_out, t.dropped, strict=True)]
    _lines(
        sessions,
        "Sessions/s" if size.narrow else "Sessions per second",
        size,
        _Line("arrived", t.arrived, MUTED, DASHES[2]),
        _Line("accepted", t.accepted, SERIES[0], DASHES[0]),
        _Line("not accepted", lost, FAIL, DASHES[1]),
    )
    _lines(
        messages,
        "Messages/s" if size.narrow else "Messages per second",
        size,
        _Line("accepted", t.messages_accepted, SERIES[0], DASHES[0]),
        _Line("retrieved", t.messages_retrieved, SERIES[1], DASHES[1]),
    )
    _lines(in_flight, "Sessions in flight", size, _Line("", t.in_flight, SERIES[2], DASHES[0]))
    _lines(
        response,
        "Response time",
        size,
        _Line("p99", _ms(t.response_p99_ns), SERIES[3], DASHES[1]),
        _Line("p50", _ms(t.response_p50_ns), SERIES[0], DASHES[0]),
    )
    if any(t.response_p50_ns):
        response.set_ylim(auto=True)
        log_ms(response, "y")
    for axes in (sessions, messages, in_flight, response):
        axes.set_xlim(0, t.seconds)
        axes.axvspan(0, load.warm_up_s, color=SHADE, linewidth=0)
        axes.axvspan(min(load.warm_up_s + load.steady_s, t.seconds), t.seconds, color=SHADE, linewidth=0)
        for at_s in crashes_s:
            axes.axvline(at_s, color=FAIL, linestyle=DASHES[3], linewidth=1)
    response.xaxis.set_major_locator(MaxNLocator(5 if size.narrow else 10, integer=True))
    response.set_xlabel("seconds from the start of the run", color=MUTED)
    return figure


def _lines(axes: Axes, title: str, size: Size, *lines: _Line) -> None:
    """Draw per-second columns, each at the middle of its second, named in a legend beside the title."""
    dress(axes, title)
    for line in lines:
        seconds = np.arange(len(line.column)) + 0.5
        axes.plot(seconds, line.column, color=line.colour, linestyle=line.dash, linewidth=1.5, label=line.name)
        alone = _alone(line.column)       # no line leads to it
        axes.plot(seconds[alone], np.asarray(line.column)[alone], ".", color=line.colour)
    if any(value > 0 for line in lines for value in line.column):
        axes.set_ylim(bottom=0)
    else:
        axes.set_ylim(0, 1)         # left to itself the axis of nothing has three ticks, and 0 at each
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: units.count(value)))
    if len(lines) > 1:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 0.97),
            ncols=len(lines),
            frameon=False,
            labelcolor=INK,
            handlelength=1.3 if size.narrow else 2.5,
            borderaxespad=0,
            columnspacing=0.7 if size.narrow else 2.0,
            fontsize=size.font_px - 1,
        )


def _alone(column: Sequence[float]) -> NDArray[np.bool_]:
    """Say of each number whether there is none before and none behind it."""
    there = np.isfinite(np.concatenate(([np.nan], column, [np.nan])))
    return there[1:-1] & ~there[:-2] & ~there[2:]


def _ms(column: Sequence[int | None]) -> list[float]:
    return [float("nan") if ns is None else ns / 1e6 for ns in column]


def _draw_ranges(load: LoadResult, phases: Sequence[str], size: Size) -> Figure:
    rows = _rows(phases)
    figure = new_figure(size, 50 + _ROW_PX * (rows[-1] + 1))
    axes = figure.subplots()
    dress(axes, grid="x")
    for row, name in zip(rows, phases, strict=True):
        q = load.phases[name].response_ns
        p50, p99, greatest = (max(ns, 1_000) / 1e6 for ns in (q.p50, q.p99, q.max))
        axes.plot([p50, greatest], [row, row], color=MUTED, linewidth=0.8)
        axes.plot([p50, p99], [row, row], color=SERIES[0], linewidth=5, solid_capstyle="butt")
        axes.plot([greatest], [row], color=MUTED, marker="|", markersize=8, linestyle="")
        axes.plot([p50], [row], color=SERIES[0], marker="o", markersize=8, linestyle="")
    axes.set_yticks(rows, labels=list(phases))
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(rows[-1] + 0.6, -0.6)
    log_ms(axes, "x", coarse=size.narrow)
    return figure


def _rows(phases: Sequence[str]) -> list[float]:
    """Place the phases on lines, half a line between one protocol and the next."""
    rows = [0.0]
    for before, name in itertools.pairwise(phases):
        same = before.partition(".")[0] == name.partition(".")[0]
        rows.append(rows[-1] + (1.0 if same else 1.5))
    return rows


def _draw_percentiles(curves: dict[str, Histogram], size: Size) -> Figure:
    figure = new_figure(size, 380 if size.narrow else 360)
    axes = figure.subplots()
    dress(axes, grid="xy")
    most = max(histogram.count for histogram in curves.values())
    rarest = _SAMPLES_BEYOND / most
    beyond = np.geomspace(0.5, rarest, 150)  # the share of responses that took longer
    for (name, histogram), colour, dash, marker in zip(curves.items(), SERIES, DASHES, MARKERS, strict=False):
        times = [ns / 1e6 for ns in histogram.curve([round(100 * (1 - share), 6) for share in beyond])]
        axes.plot(
            1 / beyond,
            times,
            color=colour,
            linestyle=dash,
            marker=marker,
            markevery=(10, 30),
            markersize=5.5,
            linewidth=1.5,
            label=name,
        )
    axes.set_xscale("log")
    ticks = [tick for tick in (2, 10, 100, 1_000, 10_000, 100_000, 1_000_000) if tick <= 1 / rarest]
    axes.set_xticks(ticks, labels=[f"{100 * (1 - 1 / tick):.6g} %" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(2, 1 / rarest * 1.05)
    axes.set_xlabel("of responses took no longer", color=MUTED)
    log_ms(axes, "y")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2 if size.narrow else 5,
        frameon=False,
        labelcolor=INK,
        handlelength=3,
        borderaxespad=0.2,
        fontsize=size.font_px - 1,
    )
    return figure
