"""`simbench matrix`."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from simbench.base.json_files import indented
from simbench.cli.options import OUTPUT_FILE
from simbench.cli.pages import command


@command(files="With --html the page.", see=("simbench conform", "docs/guides/test-your-client.md"))
@cloup.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@cloup.option_group(
    "Output",
    cloup.option("--html", type=OUTPUT_FILE, help="Also write the table as a page."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."),
)
def matrix(runs: tuple[Path, ...], html: Path | None, *, as_json: bool) -> int:
    """Compare clients: the output folders of several conform sessions, purpose by purpose.

    Each line is one purpose, with the outcome of each client.

    \b
    Example:
      simbench matrix reports/kannel reports/mine --html reports/matrix.html
    """
    from simbench.bench.report.comparison import compared, write_comparison
    from simbench.bench.runner.output import read_output
    from simbench.cli.console import console
    from simbench.cli.findings import columns
    from simbench.reporting.format import SYMBOLS

    comparison = compared([(str(run), read_output(run)) for run in runs])
    if html is not None:
        write_comparison(html, comparison)
        click.echo(f"written: {html}", err=True)
    if as_json:
        click.echo(indented(comparison))
        return 0
    table = columns("purpose", *comparison.clients)
    for line in comparison.lines:
        shown = [f"{SYMBOLS[word]} {word}" if word in SYMBOLS else "not judged" for word in line.outcomes]
        table.add_row(line.purpose, *shown, style="bold" if line.differs else "")
    console(160).print(table)
    if len(set(comparison.contracts)) > 1:
        click.echo("The contracts differ.", err=True)
    return 0
