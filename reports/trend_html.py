"""A trend as one page: no script, nothing fetched, fit to be attached to a ticket."""

from functools import partial

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from reports.canvas import FAIL, INK, MUTED, SERIES, Picture, Size, dress, new_figure, picture
from reports.compare_plots import tick
from reports.compare_text import value_in_words
from reports.page import environment, style_of
from reports.trend import Series, Trend
from reports.trend_text import CAUTION, change_in_words


def trend_html(trends: list[Trend], title: str, version: str) -> str:
    """Return the page."""
    pages = environment()
    return pages.get_template("trend.html.j2").render(
        title=title,
        trends=[(trend, _drawn(number, trend)) for number, trend in enumerate(trends)],
        caution=CAUTION,
        said=change_in_words,
        figure_of=value_in_words,
        style=Markup(style_of(pages)),  # noqa: S704 - our own file
        made_by=version,
    )


def _drawn(number: int, trend: Trend) -> Picture | None:
    series = [each for each in trend.series if len(each.known) > 1]
    if not series:
        return None
    alt = f"Charts of {len(trend.runs)} runs: " + ", ".join(each.measure.subject for each in series) + "."
    caption = "Every counted run, by the instant of its start. Dashed: where a level may have changed."
    return picture(f"trend-{number}", partial(_draw, series), alt, caption)


def _draw(series: list[Series], size: Size) -> Figure:
    figure = new_figure(size, 130 * len(series) + 20)
    for axes, each in zip(figure.subplots(len(series), 1, squeeze=False, sharex=True)[:, 0], series, strict=True):
        dress(axes, each.measure.subject)
        places = [number + 1 for number, value in enumerate(each.values) if value is not None]
        axes.plot(places, each.known, color=SERIES[0], marker="o", markersize=4, linewidth=0.8)
        edges = [1, *(change.position + 1 for change in each.changes), len(each.values) + 1]
        levels = [each.changes[0].before, *(change.after for change in each.changes)] if each.changes else []
        for start, end, level in zip(edges, edges[1:], levels, strict=False):
            axes.plot([start - 0.5, end - 0.5], [level, level], color=INK, linewidth=1.5)
        for change in each.changes:
            axes.axvline(change.position + 0.5, color=FAIL, linewidth=1, linestyle="--")
        most = max(each.known, default=0)
        axes.set_ylim(bottom=0, top=most * 1.1 or 1)
        axes.yaxis.set_major_locator(MaxNLocator(3) if most else FixedLocator([0]))  # of nothing one tick is enough
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _, unit=each.measure.metric.unit: tick(value, unit)))
        axes.xaxis.set_major_locator(MaxNLocator(5 if size.narrow else 12, integer=True))
    axes.set_xlabel("run", color=MUTED)
    return figure
