"""The style of figures: colours by role, one style for all axes, and conversion to inline SVG.

Figures are made without pyplot, so there is no global state and no display. Colours become CSS variables, so one
picture works on light and dark pages and on paper; identifiers are hashes of the content, so the same data give the
same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from simbench.reporting.format import number
from simbench.reporting.kept import keep

# Role: (light, dark). The series are those of Okabe and Ito, which colour-blind people can distinguish.
COLOURS: Final = {
    "ink": ("#1c2128", "#e6e9ee"),
    "soft": ("#59636f", "#a3adba"),
    "grid": ("#dde1e6", "#343b45"),
    "paper": ("#fefefe", "#171a20"),
    "blue": ("#0072b2", "#5aa9e6"),
    "amber": ("#e69f00", "#f0b429"),
    "green": ("#009e73", "#34c79b"),
    "pink": ("#cc79a7", "#e29cc3"),
    "red": ("#d55e00", "#f4803a"),
    "sky": ("#56b4e9", "#9bdcff"),
}
LIGHT: Final = {role: light for role, (light, _) in COLOURS.items()}
INK, SOFT, GRID, PAPER = (LIGHT[role] for role in ("ink", "soft", "grid", "paper"))
BLUE, AMBER, GREEN, PINK, RED, SKY = (LIGHT[r] for r in ("blue", "amber", "green", "pink", "red", "sky"))
SERIES: Final = (BLUE, AMBER, GREEN, PINK, RED, SKY)

PANEL_IN: Final = (5.6, 2.7)  # one of several side by side
WIDE_IN: Final = (11.6, 5.2)  # the whole width of the page

_LOOK: Final[Any] = {  # Any, because matplotlib before 3.11 does not type the keys
    "svg.fonttype": "none",  # text stays text: for screen readers, search and the page's font
    "svg.hashsalt": "simbench",
    "text.parse_math": False,  # names may contain dollar signs
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout on every machine
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.borderaxespad": 0.2,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
    "hatch.linewidth": 0.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


@contextmanager
def look() -> Iterator[None]:
    """Use the project's style for drawing inside the block, independent of the user's matplotlib settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def canvas(size_in: tuple[float, float], heights: Sequence[float] = (1,)) -> tuple[Figure, list[Axes]]:
    """Return a figure with stacked axes that share the x axis, with relative heights."""
    figure = Figure(figsize=size_in, layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    return figure, [row[0] for row in axes]


def beside(size_in: tuple[float, float], panels: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes side by side that share the y axis."""
    figure = Figure(figsize=size_in, layout="constrained")
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)
    return figure, list(axes[0])


def unequal(size_in: tuple[float, float], widths: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes side by side, with relative widths and separate y axes."""
    figure = Figure(figsize=size_in, layout="constrained")
    axes = figure.subplots(1, len(widths), squeeze=False, width_ratios=list(widths))
    return figure, list(axes[0])


def colours_of(codes: Sequence[str]) -> dict[str, str]:
    """Return a colour for each short code, the same in every picture of a page."""
    return {code: SERIES[place % len(SERIES)] for place, code in enumerate(sorted(codes))}


def label(text: str, longest: int = 28) -> str:
    """Return an external text for a picture: shortened, with "?" for characters that the font lacks."""
    seen = "".join(char if " " <= char <= "ÿ" and not "\x7f" <= char <= "\xa0" else "?" for char in text)
    return seen if len(seen) <= longest else seen[: longest - 3] + "..."


def legend_above(axes: Axes, columns: int = 3) -> None:
    """Put the legend above the plot, where it covers no data."""
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=columns)


def whole_numbers(axes: Axes, most: int = 5) -> None:
    """Use whole numbers from zero on the y axis."""
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def to_svg(figure: Figure, alt: str, name: str = "figure") -> str:
    """Return the figure as an inline SVG element with unique identifiers; `alt` is its text for screen readers.

    `name` is its name in a collection of figures (`simbench.reporting.kept`).
    """
    keep(name, figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # A style element would apply to the whole page, whose own style sheet has the same rules.
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| version="1.1"', "", text).replace("xlink:href", "href")
    text = _unique_ids(text)
    for role, light in LIGHT.items():
        text = text.replace(light, f"var(--{role})")
    text = re.sub(r'(<svg) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    return re.sub(r">\s+<", "><", text).strip()


def _unique_ids(text: str) -> str:
    """Keep only identifiers that are referred to, numbered in order, with a prefix unique to this picture.

    The drawing library makes some of them from memory addresses, which differ between runs.
    """
    text = re.sub(
        r' id="class:([^"]+)"', r' class="\1"', text
    )  # drawn with gid "class:…", for the page's scripts and styles
    numbers: dict[str, int] = {}
    for name in re.findall(r'(?:href="#|url\(#)([^")]+)', text):
        numbers.setdefault(name, len(numbers))
    text = re.sub(r' id="([^"]+)"', lambda id_: f' id="#{numbers[id_[1]]}"' if id_[1] in numbers else "", text)
    text = re.sub(r'(href="#|url\(#)([^")]+)', lambda use: f"{use[1]}#{numbers[use[2]]}", text)
    prefix = sha256(text.encode()).hexdigest()[:8]
    return re.sub(r'( id="|href="#|url\(#)#(\d+)', rf"\g<1>{prefix}-\2", text)
