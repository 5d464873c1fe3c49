"""The SLA report as PDF, typeset by matplotlib: the same on every machine.

It uses and resizes the figures of the page, so the page must be written first.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable
from typing import Final

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from simbench.reporting import style
from simbench.sla.report.builder import Report
from simbench.sla.report.picture import Picture
from simbench.sla.report.tables import MOST_ROWS, Table

PAGE_IN: Final = (11.69, 8.27)  # A4, landscape
LEFT, RIGHT, TOP = 0.05, 0.95, 0.94
BOTTOM = 0.07
ACROSS: Final = 150  # characters of a table in small print
BOLDER: Final = 1.25  # width of bold type relative to plain type
WIDEST: Final = 30  # characters of a cell before it is broken
LINE: Final = 1.42  # height of a line relative to its type size
CHARACTERS: Final = 180  # a line of small print
SMALL, BODY, LARGE, TITLE = 8.0, 9.5, 13.0, 22.0
OURS: Final = frozenset(
    "\u00a0\u202f–’…œ✓✗→−±≥"
)  # characters of the tables of texts, besides those that `style.label` accepts
TONES: Final = {"pass": style.GREEN, "fail": style.RED, "weak": style.RED}


def pdf_octets(report: Report) -> bytes:
    """Return the complete report, without a date: the same record gives the same octets."""
    title = f"{report.words('page.kicker')}{report.words.colon} {report.sla_run.title}"
    paper = Paper()
    _cover(paper, report)
    for picture in report.pictures:
        paper.figures.append(_picture(picture, report))
    paper.begin()
    for table in report.tables:
        _table(paper, table)
    return paper.octets(lambda figure, number: _foot(figure, report, number), Title=title)


class Paper:
    """Pages written from top to bottom; content that does not fit begins the next page.

    Heights are shares of a page.
    """

    def __init__(self, page_in: tuple[float, float] = PAGE_IN, characters: int = CHARACTERS) -> None:
        self.figures: list[Figure] = []
        self.at = 0.0
        self._page_in, self._characters = page_in, characters

    def begin(self) -> None:
        """Begin a page."""
        self.figures.append(Figure(figsize=self._page_in, facecolor="white"))
        self.at = TOP

    def room(self, height: float) -> None:
        """Begin a page unless this one has so much room left."""
        if not self.figures or self.at - height < BOTTOM:
            self.begin()

    def paragraph(self, text: str, look: tuple[float, str], *, bold: bool = False, gap: float = 0.004) -> None:
        """Write a text across the page."""
        size, colour = look
        lines = textwrap.wrap(text, int(self._characters * SMALL / size * (0.9 if bold else 1))) or [""]
        height = len(lines) * size * LINE / 72 / self._page_in[1]
        self.room(height)
        self.figures[-1].text(
            LEFT, self.at, "\n".join(lines), fontsize=size, color=colour, va="top",
            fontweight="bold" if bold else "normal", linespacing=1.3,
        )  # fmt: skip
        self.at -= height + gap

    def octets(self, foot: Callable[[Figure, str], object], **about: str) -> bytes:
        """Return the pages as PDF, each with its number at the foot, without a date."""
        buffer, fixed = io.BytesIO(), {"CreationDate": None, "Producer": None, "Creator": "simbench"}
        with warnings.catch_warnings(), PdfPages(buffer, metadata={**about, **fixed}) as pages:
            warnings.filterwarnings("ignore", "Glyph")  # of names in writings that the font has not
            for number, figure in enumerate(self.figures, 1):
                foot(figure, f"{number} / {len(self.figures)}")
                pages.savefig(figure)
        return buffer.getvalue()


def _foot(figure: Figure, report: Report, number: str) -> None:
    name = style.label(report.sla_run.title, 60)
    text = f"{report.words('page.kicker')} · {name} · {report.words('page.footer', zone=report.words.calendar.zone)}"
    figure.text(LEFT, 0.03, text, fontsize=SMALL - 0.5, color=style.SOFT)
    figure.text(RIGHT, 0.03, number, fontsize=SMALL, color=style.SOFT, ha="right")


def _cover(paper: Paper, report: Report) -> None:
    """Write title, key figures, facts, remarks and one verdict per clause with its assumptions."""
    paper.begin()
    words, colour = report.words, TONES.get(report.tone, style.INK)
    paper.paragraph(words("page.kicker"), (LARGE, style.SOFT))
    title = f"{style.label(report.sla_run.title, 44)} – {words(f'verdict.{report.tone}')}"
    paper.paragraph(title, (TITLE, colour), bold=True, gap=0.012)
    _keys(paper, report)
    figure, top = paper.figures[-1], paper.at
    for place, (name, value) in enumerate(report.facts):
        x, y = LEFT + 0.45 * (place % 2), top - 0.021 * (place // 2)
        figure.text(x, y, f"{name}{words.colon} {_cell(value)[:62]}", fontsize=BODY - 0.5, va="top")
    paper.at = top - 0.021 * -(-len(report.facts) // 2) - 0.01
    for remark in (*report.remarks, " ".join(report.absent)):
        if remark:
            paper.paragraph(remark, (BODY - 0.5, style.SOFT))
    paper.at -= 0.006
    for verdict in report.verdicts:
        tone = TONES.get(verdict.finding.outcome, style.SOFT)
        paper.room(0.062)
        paper.paragraph(f"{verdict.finding.clause} · {verdict.outcome}", (LARGE - 2, tone), bold=True, gap=0.001)
        paper.paragraph(verdict.promise, (BODY - 0.5, style.SOFT), gap=0.001)
        paper.paragraph(verdict.sentence, (BODY, style.INK), gap=0.002)
        if verdict.assumed:
            assumed = f"{words('page.assumed')} {', '.join(verdict.assumed)}"
            paper.paragraph(assumed, (SMALL, style.SOFT), gap=0.002)
        paper.at -= 0.005


def _keys(paper: Paper, report: Report) -> None:
    """Write the key figures, four in a row."""
    for first in range(0, len(report.keys), 4):
        for place, key in enumerate(report.keys[first : first + 4]):
            x, figure = LEFT + 0.227 * place, paper.figures[-1]
            figure.text(x, paper.at, "\n".join(textwrap.wrap(key.name, 42)[:2]), fontsize=SMALL - 0.5, color=style.SOFT,
                        va="top")  # fmt: skip
            figure.text(
                x, paper.at - 0.036, key.value, fontsize=LARGE if len(key.value) < 18 else BODY, va="top",
                fontweight="bold", color=TONES.get(key.tone, style.INK),
            )  # fmt: skip
            figure.text(x, paper.at - 0.066, "\n".join(textwrap.wrap(key.note, 40)[:3]), fontsize=SMALL - 0.5,
                        color=style.SOFT, va="top", linespacing=1.25)  # fmt: skip
        paper.at -= 0.105
    paper.at -= 0.004


def _picture(picture: Picture, report: Report) -> Figure:
    """Write a figure of the page on its own sheet, with its heading, note and formula."""
    figure = picture.figure
    for axes in figure.axes:
        for line in axes.lines:
            if str(line.get_gid() or "").startswith("class:variant"):
                line.set_visible(False)  # curves shown on demand are hidden on paper
    lines = textwrap.wrap(picture.heading, 104)
    top = TOP - 0.035 - len(lines) * (LARGE - 1) * LINE / 72 / PAGE_IN[1]
    height = min(top - 0.2, figure.get_figheight() / PAGE_IN[1])
    figure.set_size_inches(PAGE_IN)
    figure.set_facecolor("white")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(rect=(0.03, top - height, 0.94, height - 0.01))  # type: ignore[call-arg]  # constrained: has rect
    figure.text(LEFT, TOP, picture.title, fontsize=LARGE, color=style.SOFT, va="top")
    figure.text(LEFT, TOP - 0.03, "\n".join(lines), fontsize=LARGE - 1, va="top", fontweight="bold", linespacing=1.2)
    paper = Paper()
    paper.figures, paper.at = [figure], top - height - 0.02
    for text in (picture.note, f"{report.words('page.formula')}{report.words.colon} {picture.formula}"):
        if text:
            paper.paragraph(text, (SMALL, style.SOFT))
    return figure


def _cell(text: str) -> str:
    """Return a text in characters that the font has."""
    return "".join(char if char in OURS else style.label(char) for char in text)


def _table(paper: Paper, table: Table) -> None:
    """Write a table below the previous content: columns as wide as their texts, long texts in several lines."""
    cells = [[_cell(cell) for cell in row] for row in (table.headings, *table.rows[:MOST_ROWS])]
    widths = _widths(cells)
    scale = ACROSS / max(sum(widths), ACROSS * 0.6)
    edges = [LEFT + (RIGHT - LEFT) * sum(widths[:place]) * scale / ACROSS for place in range(len(widths) + 1)]
    size = min(SMALL, SMALL * scale * 1.15)
    paper.room(0.16)
    paper.paragraph(table.title, (LARGE, style.INK), bold=True)
    paper.paragraph(table.note, (SMALL, style.SOFT), gap=0.012)
    for number, row in enumerate(cells):
        wrapped = [textwrap.wrap(cell, max(6, width - 1)) or [""] for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, wrapped)) * size * LINE / 72 / PAGE_IN[1] + 0.006
        if paper.at - height < BOTTOM:
            paper.begin()
            if number:
                headings = [
                    textwrap.wrap(cell, max(6, w - 1)) or [""] for cell, w in zip(cells[0], widths, strict=True)
                ]
                _row(paper, headings, edges, table, size, heading=True)
                paper.at -= max(map(len, headings)) * size * LINE / 72 / PAGE_IN[1] + 0.006
        _row(paper, wrapped, edges, table, size, heading=number == 0)
        paper.at -= height
    if table.cut or len(table.rows) > MOST_ROWS:
        paper.paragraph(table.cut, (SMALL, style.SOFT))
    paper.at -= 0.03


def _widths(cells: list[list[str]]) -> list[int]:
    """Return the characters per column: those of its longest text, limited to `WIDEST` unless there is spare room."""
    longest = [
        max(round(len(row[place]) * (BOLDER if number == 0 else 1)) for number, row in enumerate(cells))
        for place in range(len(cells[0]))
    ]
    widths = [min(most, WIDEST) + 2 for most in longest]
    spare = max(0, ACROSS - sum(widths))
    return [
        width + min(spare, most - WIDEST) if most > WIDEST else width
        for width, most in zip(widths, longest, strict=True)
    ]


def _row(paper: Paper, lines: list[list[str]], edges: list[float], table: Table, size: float, *, heading: bool) -> None:
    for place, text in enumerate(lines):
        left = place in table.texts
        paper.figures[-1].text(
            edges[place] if left else edges[place + 1] - 0.012, paper.at, "\n".join(text),
            ha="left" if left else "right", va="top", fontsize=size, linespacing=1.25,
            color=style.SOFT if heading else style.INK, fontweight="bold" if heading else "normal",
        )  # fmt: skip
