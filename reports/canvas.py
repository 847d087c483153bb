"""The canvas the report's pictures are drawn on: matplotlib, its SVG, and the house's look.

Colours are placeholders that become CSS variables, so that one picture serves light, dark and paper.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from reports import units

# placeholder -> the style sheet's variable
_COLOURS: Final = {
    "#010101": "--ink",
    "#020202": "--muted",
    "#030303": "--rule",
    "#040404": "--shade",
    "#0a0a0a": "--fail",
    "#050505": "--series-1",
    "#060606": "--series-2",
    "#070707": "--series-3",
    "#080808": "--series-4",
    "#090909": "--series-5",
}
INK, MUTED, RULE, SHADE, FAIL, *SERIES = _COLOURS
# Colour is never alone: series differ in dash and marker too.
DASHES: Final = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)))
MARKERS: Final = ("o", "s", "^", "D", "v")

_PX: Final = 1 / 72  # one SVG point is one CSS pixel


@dataclass(frozen=True, slots=True)
class Size:
    """How large a picture is drawn: a wide one made small cannot be read, so a phone gets its own."""

    width_px: int
    font_px: float

    @property
    def narrow(self) -> bool:
        """Say whether the picture is for a phone."""
        return self.width_px < 600


WIDE: Final = Size(width_px=920, font_px=12)
NARROW: Final = Size(width_px=350, font_px=11)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in both widths, with the words for whoever cannot see it."""

    wide: str
    narrow: str
    alt: str
    caption: str


def picture(name: str, draw: Callable[[Size], Figure], alt: str, caption: str) -> Picture:
    """Draw a picture in both widths; the same document gives the same octets."""
    made = []
    for size in (WIDE, NARROW):
        style = mpl.rc_context(
            {
                "font.size": size.font_px,
                "font.family": "sans-serif",
                "font.sans-serif": ["DejaVu Sans"],  # matplotlib's own: metrics do not depend on the machine
                "svg.fonttype": "none",  # text stays text: selectable, searchable, in the reader's font
                "svg.hashsalt": "mailproof",  # ids do not change from run to run
                "text.parse_math": False,  # names come from documents; "$" is a dollar sign
                "axes.unicode_minus": False,
            }
        )
        with style:
            made.append(_svg(draw(size), prefix=f"{name}-{size.width_px}"))
    return Picture(wide=made[0], narrow=made[1], alt=alt, caption=caption)


def _svg(figure: Figure, *, prefix: str) -> str:
    """Return the figure as an SVG element to be put into a page: ids of its own, colours as CSS variables."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    for placeholder, variable in _COLOURS.items():
        svg = svg.replace(placeholder, f"var({variable})")
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'aria-hidden="true" focusable="false"', svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    used = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", svg)
    return re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", svg).strip()


def new_figure(size: Size, height_px: float) -> Figure:
    """Return an empty, transparent figure."""
    figure = Figure(figsize=(size.width_px * _PX, height_px * _PX), dpi=72, layout="constrained")
    figure.patch.set_alpha(0)
    return figure


def dress(axes: Axes, title: str = "", *, grid: str = "y") -> None:
    """Give an axes the house's look: a title where the eye starts, a faint grid, no box."""
    axes.patch.set_alpha(0)
    axes.set_title(title, loc="left", color=INK, fontsize="medium", fontweight="bold")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(colors=MUTED, length=0, which="both")
    if "x" in grid:
        axes.grid(visible=True, axis="x", color=RULE, linewidth=0.6)
    if "y" in grid:
        axes.grid(visible=True, axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def log_ms(axes: Axes, which: str, *, coarse: bool = False) -> None:
    """Make an axis of milliseconds logarithmic, labelled as durations; `coarse`: decades only."""
    if which == "y":
        axes.set_yscale("log")
    else:
        axes.set_xscale("log")
    axis = axes.yaxis if which == "y" else axes.xaxis
    low, high = axis.get_view_interval()
    wide = high / max(low, 1e-6) > 300
    axis.set_major_locator(LogLocator(subs=(1.0,) if wide or coarse else (1.0, 2.0, 5.0), numticks=6 if coarse else 12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: units.duration(value * 1e6)))
    axis.set_minor_formatter(NullFormatter())
