"""HTML that notebooks show for results: small tables, with every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MOST_ROWS = 20  # of a table in a notebook; the rest is counted


def html_table(headings: Sequence[str], rows: Iterable[Sequence[object]], total: int, caption: str = "") -> str:
    """A table of at most `MOST_ROWS` of `total` rows; a line below it counts those left out."""
    head = "".join(f"<th>{escape(each)}</th>" for each in headings)
    shown = [row for row, _ in zip(rows, range(MOST_ROWS), strict=False)]
    body = "".join(f"<tr>{''.join(f'<td>{escape(_cell(cell))}</td>' for cell in row)}</tr>" for row in shown)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    left = total - len(shown)
    more = f"<p>and {left:,} more</p>" if left > 0 else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def html_facts(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """A title, and facts about it as a table of two columns."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(_cell(value))}</td></tr>" for name, value in facts)
    return f"<p><strong>{escape(title)}</strong></p><table><tbody>{rows}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:,}"
