"""The SLA report as PDF, set by matplotlib: the same on every machine.

It uses the figures of the page and resizes them, so the page must be written first.
"""

from __future__ import annotations

import io
import textwrap
from typing import Final

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from simbench.report import style
from simbench.sla.report.builder import Report
from simbench.sla.report.picture import Picture
from simbench.sla.report.tables import Table

PAGE_IN: Final = (11.69, 8.27)  # A4, landscape
LEFT, RIGHT, TOP = 0.05, 0.95, 0.94
ROWS_A_PAGE: Final = 30
CHARACTERS: Final = 180  # a line of small print
SMALL, BODY, LARGE, TITLE = 8.0, 9.5, 13.0, 22.0
OURS: Final = frozenset("\u00a0\u202f–’…œ")  # of the tables of texts, beyond what `style.label` lets through
TONES: Final = {"pass": style.GREEN, "fail": style.RED, "weak": style.RED}


def pdf_octets(report: Report) -> bytes:
    """The whole report, without a date: the same run gives the same octets."""
    buffer = io.BytesIO()
    info = report.info.info
    colon = _colon(report.words.language)
    about = {"Title": f"{report.words('page.kicker')}{colon}{info.scenario or info.run}", "CreationDate": None}
    with PdfPages(buffer, metadata={**about, "Producer": None, "Creator": "simbench"}) as pages:
        pages.savefig(_cover(report))
        for picture in report.pictures:
            pages.savefig(_picture(picture, report))
        for table in report.tables:
            for first in range(0, len(table.rows), ROWS_A_PAGE):
                pages.savefig(_table(table, first, report))
    return buffer.getvalue()


def _blank(report: Report) -> Figure:
    figure = Figure(figsize=PAGE_IN, facecolor="white")
    figure.text(LEFT, 0.03, _foot(report), fontsize=SMALL, color=style.SOFT)
    return figure


def _foot(report: Report) -> str:
    info = report.info.info
    return (
        f"{report.words('page.kicker')} · {style.label(info.scenario or info.run, 60)} · {report.words('page.footer')}"
    )


def _cover(report: Report) -> Figure:
    """Title, facts, remarks and one verdict per clause."""
    figure, words = _blank(report), report.words
    colour = TONES.get(report.tone, style.INK)
    figure.text(LEFT, TOP, words("page.kicker"), fontsize=LARGE, color=style.SOFT, va="top")
    title = f"{style.label(report.info.info.scenario or report.info.info.run, 48)} – {words(f'verdict.{report.tone}')}"
    figure.text(LEFT, TOP - 0.035, title, fontsize=TITLE, color=colour, va="top", fontweight="bold")
    at = TOP - 0.105
    for place, (name, value) in enumerate(report.facts):
        x, y = LEFT + 0.45 * (place % 2), at - 0.026 * (place // 2)
        figure.text(x, y, f"{name}{_colon(words.language)}{value}", fontsize=BODY, va="top")
    at -= 0.026 * (len(report.facts) + 1) // 2 + 0.03 + 0.026 * ((len(report.facts) + 1) // 2)
    for remark in (*report.remarks, *report.absent):
        at = _paragraph(figure, at, remark, (BODY, style.SOFT)) - 0.008
    at -= 0.012
    for verdict in report.verdicts:
        tone = TONES.get(verdict.finding.outcome, style.SOFT)
        head = f"{verdict.finding.clause} · {verdict.outcome}"
        at = _paragraph(figure, at, head, (LARGE - 2, tone), bold=True)
        at = _paragraph(figure, at, verdict.promise, (BODY, style.SOFT))
        at = _paragraph(figure, at, verdict.sentence, (BODY, style.INK)) - 0.016
    return figure


def _paragraph(figure: Figure, at: float, text: str, look: tuple[float, str], *, bold: bool = False) -> float:
    """Set a text from a height down; return the height below it (both as shares of the page)."""
    size, colour = look
    lines = textwrap.wrap(text, int(CHARACTERS * SMALL / size)) or [""]
    figure.text(
        LEFT, at, "\n".join(lines), fontsize=size, color=colour, va="top", fontweight="bold" if bold else "normal",
        linespacing=1.3,
    )  # fmt: skip
    return at - len(lines) * size * 1.42 / 72 / PAGE_IN[1] - 0.004


def _picture(picture: Picture, report: Report) -> Figure:
    """A figure of the page on its own sheet, with its heading, note and formula."""
    figure = picture.figure
    height = min(0.68, figure.get_figheight() / PAGE_IN[1])
    figure.set_size_inches(PAGE_IN)
    figure.set_facecolor("white")
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(rect=(0.03, 0.87 - height, 0.94, height - 0.01))  # type: ignore[call-arg]  # constrained: has rect
    figure.text(LEFT, TOP, picture.title, fontsize=LARGE, color=style.SOFT, va="top")
    figure.text(
        LEFT,
        TOP - 0.03,
        "\n".join(textwrap.wrap(picture.heading, 108)),
        fontsize=LARGE - 1,
        va="top",
        fontweight="bold",
    )
    below = 0.855 - height
    below = _paragraph(figure, below, picture.note, (SMALL, style.SOFT)) if picture.note else below
    _paragraph(
        figure,
        below,
        f"{report.words('page.formula')}{_colon(report.words.language)}{picture.formula}",
        (SMALL, style.SOFT),
    )
    figure.text(LEFT, 0.03, _foot(report), fontsize=SMALL, color=style.SOFT)
    return figure


def _colon(language: str) -> str:
    return "\u00a0: " if language == "fr" else ": "


def _cell(text: str, longest: int = 34) -> str:
    """A text cut to length, in characters that the font has."""
    seen = "".join(char if char in OURS else style.label(char) for char in text)
    return seen if len(seen) <= longest else f"{seen[: longest - 1]}…"


def _table(table: Table, first: int, report: Report) -> Figure:
    """One page of a table; each column is as wide as its longest text."""
    figure = _blank(report)
    rows = table.rows[first : first + ROWS_A_PAGE]
    figure.text(LEFT, TOP, table.title, fontsize=LARGE, va="top", fontweight="bold")
    at = _paragraph(figure, TOP - 0.035, table.note, (SMALL, style.SOFT)) - 0.02
    cells = [[_cell(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(len(row[place]) for row in cells) + 2 for place in range(len(table.headings))]
    edges = [LEFT + (RIGHT - LEFT) * sum(widths[:place]) / sum(widths) for place in range(len(widths) + 1)]
    size = min(SMALL + 0.5, SMALL * CHARACTERS / sum(widths) * 0.8)
    for number, row in enumerate((table.headings, *rows)):
        for place, cell in enumerate(row):
            left = place in table.texts
            figure.text(
                edges[place] if left else edges[place + 1] - 0.012, at - 0.0265 * number, _cell(cell),
                ha="left" if left else "right", va="top", fontsize=size,
                color=style.SOFT if number == 0 else style.INK, fontweight="bold" if number == 0 else "normal",
            )  # fmt: skip
    return figure
