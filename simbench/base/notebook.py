"""HTML tables that notebooks show for results; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape

LEFT = ' style="text-align:left"'
LONG = 24  # characters; cells with at least as many may break into several lines
MOST_ROWS = 20  # shown of a table; further rows are counted


def html_table(headings: Sequence[str], rows: Iterable[Sequence[object]], total: int, caption: str = "") -> str:
    """A table of at most `MOST_ROWS` of `total` rows; a line below it counts those left out."""
    head = "".join(f"<th{LEFT}>{escape(each)}</th>" for each in headings)
    shown = [row for row, _ in zip(rows, range(MOST_ROWS), strict=False)]
    body = "".join(f"<tr>{''.join(map(_td, row))}</tr>" for row in shown)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    left = total - len(shown)
    more = f"<p>and {left:,} more</p>" if left > 0 else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def html_facts(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """A title, and below it a table of names and values."""
    rows = "".join(f"<tr><th{LEFT}>{escape(name)}</th>{_td(value)}</tr>" for name, value in facts)
    return f"<p><strong>{escape(title)}</strong></p><table><tbody>{rows}</tbody></table>"


def _td(value: object) -> str:
    """A cell: numbers align right, everything else left; the page's own style does not apply."""
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    text = _cell(value)
    width = "white-space:nowrap" if len(text) < LONG else "min-width:14em"
    style = f"text-align:{'right' if number else 'left'};{width}"
    return f'<td style="{style}">{escape(text)}</td>'


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} {value.tzname() or ''}".rstrip()
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)
