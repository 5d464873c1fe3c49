"""The style of figures: colours by role, one style for all axes, figures to inline SVG.

Figures are made without pyplot, so there is no global state and no display. Colours become CSS variables, so one
picture serves light and dark pages and paper; identifiers are hashes of the content, so the same data give the same
bytes.
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

PANEL_IN: Final = (5.6, 2.7)  # one of several beside each other
WIDE_IN: Final = (11.6, 5.2)  # the whole width of the page

_LOOK: Final[Any] = {  # Any: matplotlib types the keys from 3.11 on only
    "svg.fonttype": "none",  # text stays text: to be read aloud, searched, and set in the page's font
    "svg.hashsalt": "simbench",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
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
    """Draw inside this: the house style, whatever the user's matplotlib is set to."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def canvas(size_in: tuple[float, float], heights: Sequence[float] = (1,)) -> tuple[Figure, list[Axes]]:
    """A figure of stacked axes that share their x axis, with relative heights."""
    figure = Figure(figsize=size_in, layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    return figure, [row[0] for row in axes]


def beside(size_in: tuple[float, float], panels: int) -> tuple[Figure, list[Axes]]:
    """A figure of axes beside each other that share their y axis."""
    figure = Figure(figsize=size_in, layout="constrained")
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)
    return figure, list(axes[0])


def unequal(size_in: tuple[float, float], widths: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """A figure of axes beside each other with relative widths, each with its own y axis."""
    figure = Figure(figsize=size_in, layout="constrained")
    axes = figure.subplots(1, len(widths), squeeze=False, width_ratios=list(widths))
    return figure, list(axes[0])


def colours_of(codes: Sequence[str]) -> dict[str, str]:
    """One colour a short code, the same in every picture of a page."""
    return {code: SERIES[place % len(SERIES)] for place, code in enumerate(sorted(codes))}


def label(text: str, longest: int = 28) -> str:
    """A text from outside that may stand in a picture: characters the font has, not too many."""
    seen = "".join(char if " " <= char <= "ÿ" and not "\x7f" <= char <= "\xa0" else "?" for char in text)
    return seen if len(seen) <= longest else seen[: longest - 3] + "..."


def legend_above(axes: Axes, columns: int = 3) -> None:
    """Put the legend over the plot, where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=columns)


def whole_numbers(axes: Axes, most: int = 5) -> None:
    """Whole numbers on the y axis, from zero."""
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def to_svg(figure: Figure, said: str, name: str = "figure") -> str:
    """The figure as an inline SVG element without any name that could meet another's; `said` is read aloud for it.

    `name` is what whoever keeps the figures of a page finds it by.
    """
    keep(name, figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # A style element within the page would hold for all of it; the page's own sheet says the same.
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| version="1.1"', "", text).replace("xlink:href", "href")
    text = _unique_ids(text)
    for role, light in LIGHT.items():
        text = text.replace(light, f"var(--{role})")
    text = re.sub(r'(<svg) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg", f'<svg role="img" aria-label="{escape(said)}"', 1)
    return re.sub(r">\s+<", "><", text).strip()


def _unique_ids(text: str) -> str:
    """Keep only identifiers that something refers to, numbered as they come, and make them this picture's own.

    The drawing library makes some of them of addresses in memory, which would differ from one run to the next.
    """
    text = re.sub(r' id="class:([^"]+)"', r' class="\1"', text)  # drawn with gid "class:…": to be addressed by the page
    numbers: dict[str, int] = {}
    for name in re.findall(r'(?:href="#|url\(#)([^")]+)', text):
        numbers.setdefault(name, len(numbers))
    text = re.sub(r' id="([^"]+)"', lambda id_: f' id="#{numbers[id_[1]]}"' if id_[1] in numbers else "", text)
    text = re.sub(r'(href="#|url\(#)([^")]+)', lambda use: f"{use[1]}#{numbers[use[2]]}", text)
    prefix = sha256(text.encode()).hexdigest()[:8]
    return re.sub(r'( id="|href="#|url\(#)#(\d+)', rf"\g<1>{prefix}-\2", text)
