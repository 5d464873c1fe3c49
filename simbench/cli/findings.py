"""Findings as tables for the commands that print them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from simbench.cli.console import console, styled
from simbench.finding import Finding, Outcome, counted
from simbench.reporting.format import quantity

STYLES: dict[Outcome, str] = {
    "pass": "green", "fail": "bold red", "weak": "yellow", "inconclusive": "magenta", "error": "bold red",
    "unsupported": "dim",
}  # fmt: skip
WHOLE = frozenset({"outcome", "clause", "purpose", "ticket", "by"})  # columns without line breaks


def findings_table(findings: Iterable[Finding]) -> Table:
    """Return findings in the given order, one line each."""
    table = columns("outcome", "clause", "purpose", "measured", "limit", "what was seen")
    for one in findings:
        table.add_row(styled(one.outcome, STYLES[one.outcome]), one.clause, one.purpose, *figures(one), one.lines)
    return table


def figures(finding: Finding) -> tuple[str, str]:
    """Return the measured value with its unit, and the limit; empty if there is none."""
    share = "share" if finding.unit.startswith("share") else ""
    measured = "" if finding.measured is None else quantity(finding.measured, finding.unit, finding.limit)
    return measured, "" if finding.limit is None else quantity(finding.limit, share)


def columns(*headings: str, figures: Iterable[str] = ()) -> Table:
    """Return an empty table without lines, wrapped to the width of the terminal: columns of text, then of figures."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in WHOLE)
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings as a table, failures first, and their number by outcome."""
    out = console(180)
    table = columns("outcome", "clause", "purpose", "what was seen", "evidence")
    for finding in sorted(findings, key=lambda one: one.outcome == "pass"):
        evidence = "\n".join(one.note for one in finding.evidence)
        table.add_row(finding.outcome, finding.clause, finding.purpose, finding.lines, evidence)
    out.print(table)
    out.print(f"\n{counted(findings)}")
