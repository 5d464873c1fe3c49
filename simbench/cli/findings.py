"""Findings as commands print them. Judges nothing and prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from simbench.finding import Finding, Outcome

STYLES: dict[Outcome, str] = {
    "pass": "green", "fail": "bold red", "weak": "yellow", "inconclusive": "magenta", "error": "bold red",
    "unsupported": "dim",
}  # fmt: skip
WHOLE = frozenset({"outcome", "purpose", "ticket", "by"})  # columns that are never folded


def findings_table(findings: Iterable[Finding]) -> Table:
    """Findings in the order given, a line each."""
    table = columns("outcome", "purpose", "measured", "limit", "what was seen")
    for one in findings:
        measured = "" if one.measured is None else f"{one.measured:.6g} {one.unit}"
        limit = "" if one.limit is None else f"{one.limit:.6g}"
        table.add_row(f"[{STYLES[one.outcome]}]{one.outcome}[/]", one.purpose, measured, limit, escape(one.summary))
    return table


def columns(*headings: str) -> Table:
    """An empty table without lines, whose texts are folded where the terminal ends."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in WHOLE)
    return table
