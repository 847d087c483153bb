"""The figures beside RESULTS.md, as SVG."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.figures import Spread
from benchmarks.soak_record import WARM_UP_SHARE, Sample

Points = Sequence[tuple[float, Spread]]


def _settings() -> AbstractContextManager[None]:
    """Return what makes the same figures the same octets."""
    return mpl.rc_context({"svg.hashsalt": "mailproof", "svg.fonttype": "path", "font.size": 9})


def write_curve(path: Path, panels: Mapping[str, Mapping[str, Points]]) -> None:
    """Draw one panel for each metric: a line for each side over the number of sessions, its range beside it.

    Where nothing has been measured yet a figure of before stays.
    """
    if not panels:
        return
    with _settings():
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for where, (metric, sides) in zip(axes, panels.items(), strict=True):
            for side, points in sides.items():
                _line(where, side, points)
            where.set_xscale("log")
            where.set_ylim(bottom=0)
            where.set_xlabel("sessions at once")
            where.set_title(metric, fontsize=10)
            where.grid(alpha=0.3)
            where.legend(frameon=False)
        _save(figure, path)


def _line(where: Axes, side: str, points: Points) -> None:
    x = [sessions for sessions, _ in points]
    middle = [spread.median for _, spread in points]
    below = [spread.median - spread.least for _, spread in points]
    above = [spread.greatest - spread.median for _, spread in points]
    where.errorbar(x, middle, yerr=[below, above], marker="o", markersize=4, capsize=3, label=side)


def write_soak(path: Path, rows: Sequence[Sample], duration_s: float) -> None:
    """Draw memory and descriptors of every process over time; what is left of the line is warm-up."""
    with _settings():
        figure = Figure(figsize=(9, 5.4), layout="constrained")
        axes = figure.subplots(2, 1, sharex=True)
        looked_at = ((axes[0], "rss_kib", 1024, "MiB resident"), (axes[1], "descriptors", 1, "descriptors"))
        for where, quantity, divisor, title in looked_at:
            for process in dict.fromkeys(row.process for row in rows):
                mine = [row for row in rows if row.process == process]
                values = [getattr(row, quantity) / divisor for row in mine]
                where.plot([row.second for row in mine], values, label=process, linewidth=1)
            where.axvline(WARM_UP_SHARE * duration_s, color="grey", linewidth=0.8)
            where.set_ylim(bottom=0)
            where.set_title(title, fontsize=10)
            where.grid(alpha=0.3)
        axes[0].legend(frameon=False, ncols=2)
        axes[1].set_xlabel("seconds")
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasSVG(figure)
    figure.savefig(path, format="svg", metadata={"Date": None})
