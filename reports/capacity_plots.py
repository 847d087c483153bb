"""What a capacity search draws: throughput and response time against what was in flight, and the fitted law."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from reports import units
from reports.canvas import DASHES, FAIL, INK, MUTED, SERIES, SHADE, Picture, Size, dress, log_ms, new_figure, picture
from reports.capacity_result import Capacity, CapacityStage, ScalingLaw
from reports.capacity_words import level_in_words

_POINTS: Final = 200           # of a drawn law
_LOG_FROM: Final = 20          # times the least in flight: from there on an even axis would crowd the foot
_BEYOND: Final = 1.15          # times the most in flight: so far a law is drawn
# outcome -> its marker, colour, and whether it is filled: told apart without colour too
_MARKERS: Final = {
    "sustained": ("o", SERIES[0], True), "broke": ("X", FAIL, True), "inconclusive": ("D", MUTED, False),
    "void": ("s", MUTED, False),
}   # fmt: skip
_NAMES: Final = {"sustained": "held", "broke": "broke", "inconclusive": "unclear", "void": "void"}


def curve(capacity: Capacity) -> Picture | None:
    """Draw throughput and response time of every stage with a steady state against its sessions in flight."""
    stages = [each for each in capacity.stages if each.outcome != "void" and each.in_flight and each.throughput_per_s]
    if len(stages) < 2:
        return None
    law = capacity.law
    alt = (
        f"Charts of {len(stages)} stages, from {units.mean(min(each.in_flight or 0 for each in stages))} to "
        f"{units.mean(max(each.in_flight or 0 for each in stages))} sessions in flight on the average. At most "
        f"{units.rate(max(each.throughput_per_s or 0 for each in stages))} were done. {law.sentence if law else ''}"
    )
    drawn = "Line: the Universal Scalability Law, dashed where nothing was measured. " if law is not None else ""
    caption = f"{drawn}Each mark is a stage; left out are those without a steady state, and void ones."
    return picture("capacity-curve", lambda size: _draw_curve(stages, law, size), alt, caption)


def search(capacity: Capacity) -> Picture | None:
    """Draw the levels in the order in which they were measured, and where the answer lies."""
    if len(capacity.stages) < 2:
        return None
    alt = f"The levels of {len(capacity.stages)} stages in their order, each marked as held or not."
    if capacity.good is not None:
        alt += f" The last that was sustained: {level_in_words(capacity.good, capacity.of)}."
    caption = "The search, stage by stage. The shaded band lies between the last good and the first bad level."
    return picture("capacity-search", lambda size: _draw_search(capacity, size), alt, caption)


def _draw_curve(stages: Sequence[CapacityStage], law: ScalingLaw | None, size: Size) -> Figure:
    figure = new_figure(size, 560 if size.narrow else 520)
    done, response = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    dress(done, "Done per second" if size.narrow else "Sessions done per second")
    dress(response, "Response time")
    least, most = (end(each.in_flight or 0.0 for each in stages) for end in (min, max))
    if most > _LOG_FROM * least:
        done.set_xscale("log")
    if law is not None:
        _draw_law(done, law, least)
    _marks(done, stages, lambda stage: (stage.in_flight or 0.0, stage.throughput_per_s or 0.0))
    ordered = sorted(stages, key=lambda stage: stage.in_flight or 0.0)
    for name, colour, dash, times in (
        ("p99", SERIES[3], DASHES[1], [stage.response_ns_p99 for stage in ordered]),
        ("p50", SERIES[0], DASHES[0], [stage.response_ns_p50 for stage in ordered]),
    ):
        response.plot(
            [stage.in_flight or 0.0 for stage in ordered], [float("nan") if ns is None else ns / 1e6 for ns in times],
            color=colour, linestyle=dash, marker=".", linewidth=1.2, label=name,
        )   # fmt: skip
    log_ms(response, "y")
    done.set_ylim(bottom=0)
    done.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    if most <= _LOG_FROM * least:
        response.xaxis.set_major_locator(MaxNLocator(5 if size.narrow else 10))
    response.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    response.xaxis.set_minor_formatter(NullFormatter())
    response.set_xlabel("sessions in flight, on the average", color=MUTED)
    for axes in (done, response):
        _legend(axes, size)
    return figure


def _draw_law(axes: Axes, law: ScalingLaw, least: float) -> None:
    sigma, kappa = law.sigma.estimate or 0.0, law.kappa.estimate or 0.0
    for start, end, dash in ((least, law.measured_to, "-"), (law.measured_to, _BEYOND * law.measured_to, DASHES[2])):
        n = np.geomspace(start, end, _POINTS)
        x = law.alone_per_s * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))
        axes.plot(n, x, color=INK, linestyle=dash, linewidth=1.2, label="law" if dash == "-" else None)
    peak = law.peak
    if peak.estimate is None or peak.high is None or peak.estimate > _BEYOND * law.measured_to:
        return
    axes.axvspan(peak.low or 0.0, min(peak.high, _BEYOND * law.measured_to), color=SHADE, linewidth=0)
    axes.axvline(peak.estimate, color=MUTED, linewidth=1, linestyle=DASHES[1], label="N*")


def _marks(
    axes: Axes, stages: Sequence[CapacityStage], place: Callable[[CapacityStage], tuple[float, float]]
) -> None:
    for outcome, (marker, colour, filled) in _MARKERS.items():
        places = [place(each) for each in stages if each.outcome == outcome]
        if places:
            axes.plot(
                [x for x, _ in places], [y for _, y in places], marker=marker, color=colour, linestyle="", markersize=7,
                markerfacecolor=colour if filled else "none", label=_NAMES[outcome],
            )   # fmt: skip


def _draw_search(capacity: Capacity, size: Size) -> Figure:
    figure = new_figure(size, 260)
    axes = figure.subplots()
    words = {"rate": "Rate of a stage", "users": "Virtual users of a stage", "sessions": "Sessions held at once"}
    dress(axes, words[capacity.of])
    if capacity.good is not None and capacity.bad is not None:
        axes.axhspan(capacity.good, capacity.bad, color=SHADE, linewidth=0)
    axes.plot(
        [each.number for each in capacity.stages], [each.level for each in capacity.stages], color=MUTED, linewidth=0.8
    )
    _marks(axes, capacity.stages, lambda stage: (stage.number, stage.level))
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
    axes.xaxis.set_major_locator(MaxNLocator(5 if size.narrow else 12, integer=True))
    axes.set_xlabel("stage", color=MUTED)
    _legend(axes, size)
    return figure


def _legend(axes: Axes, size: Size) -> None:
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=5, frameon=False, labelcolor=INK,
        handlelength=1.3 if size.narrow else 2.0, borderaxespad=0, columnspacing=0.7 if size.narrow else 1.6,
        fontsize=size.font_px - 1,
    )   # fmt: skip
