"""The backlog, drawn: what was accepted and not seen yet, second by second."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import units
from reports.canvas import MUTED, SERIES, SHADE, Picture, Size, dress, new_figure, picture
from reports.ledger_result import LedgerResult
from reports.load_result import LoadResult


def backlog(ledger: LedgerResult, load: LoadResult | None) -> Picture | None:
    """Draw the backlog against the seconds of the run; what comes after the load is shaded."""
    load_s = None if load is None else load.warm_up_s + load.steady_s
    if len(ledger.backlog) < 2:
        return None
    most = max(ledger.backlog)
    at = ledger.backlog.index(most)
    alt = (
        f"Backlog over {len(ledger.backlog)} seconds: at most {units.count(most)} deliveries, in second {at}; "
        f"{units.count(ledger.backlog[-1])} at the end."
    )
    caption = "Deliveries accepted and not seen yet, at the end of each second. Shaded: after the last arrival."
    return picture("backlog", lambda size: _draw(ledger, load_s, size), alt, caption)


def _draw(ledger: LedgerResult, load_s: float | None, size: Size) -> Figure:
    figure = new_figure(size, 220)
    axes = figure.subplots()
    dress(axes, "Backlog" if size.narrow else "Deliveries accepted and not seen yet")
    seconds = np.arange(1, len(ledger.backlog) + 1)
    axes.step(seconds, ledger.backlog, where="post", color=SERIES[0], linewidth=1.5)
    axes.set_xlim(0, len(ledger.backlog))
    axes.set_ylim(bottom=0)
    if load_s is not None and load_s < len(ledger.backlog):
        axes.axvspan(load_s, len(ledger.backlog), color=SHADE, linewidth=0)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: units.count(value)))
    axes.xaxis.set_major_locator(MaxNLocator(5 if size.narrow else 10, integer=True))
    axes.set_xlabel("seconds from the start of the run", color=MUTED)
    return figure
