"""`simbench dialup run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import cloup

from simbench.base.extras import need
from simbench.base.json_files import indented
from simbench.base.outputs import claim
from simbench.cli.dialup.options import JSON
from simbench.cli.options import OUTPUT_FILE, OUTPUT_FOLDER
from simbench.cli.pages import JUDGED, command


@command(
    "run",
    exits=JUDGED,
    files="With -o: result.json, report.html. With --records the calls of the last month.",
    see=("simbench dialup replay", "docs/guides/dialup.md", "docs/reference/scenario.md"),
)
@cloup.argument("scenario", type=click.Path(path_type=Path))
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for result.json and report.html."),
    cloup.option("--records", type=OUTPUT_FILE, help="File to write the last month's calls to (.csv or .parquet)."),
    JSON,
)
def run(scenario: Path, output: Path | None, records: Path | None, *, as_json: bool) -> int:
    """Run a scenario: draw its calls, carry them through its pools, settle and report.

    The simulation is an exact finite loss system: a port is free at the instant a call ends.

    \b
    Examples:
      simbench dialup run scenarios/dialup/01_fifty_million.toml -o reports/fifty
      simbench dialup run scenarios/dialup/03_growing_year.toml --json
    """
    need("fast", "simbench dialup run")
    from simbench.base.bundled import find_scenario
    from simbench.cli.dialup.tables import print_findings, progress
    from simbench.dialup.carrying import with_ports
    from simbench.dialup.records import write_records
    from simbench.dialup.report.model import DialupReport
    from simbench.dialup.report.page import write_dialup
    from simbench.dialup.rules import Case, judge
    from simbench.dialup.run import run_dialup
    from simbench.dialup.scenario import read_dialup
    from simbench.finding import exit_status

    asked = read_dialup(find_scenario(scenario))
    if output is not None:
        claim(output)  # first, so that --records may name a file in it
    with progress() as show:
        done = run_dialup(asked, show)
        findings = judge(Case(done.offer, done.offer.reading("tariff-function")))
        if records is not None:
            show(f"writing {records}", 0, 1)
            write_records(records, with_ports(done.last), done.offer.calendar)
        if output is not None:
            show(f"writing {output}", 0, 1)
            write_dialup(output, DialupReport.of_run(done, findings))
    if as_json:
        click.echo(indented(done.totals))
    else:
        _totals(done.totals)
        print_findings(findings)
    return exit_status(findings)


def _totals(totals: Any) -> None:
    from simbench.cli.dialup.tables import print_table

    rows = [
        (month.month, f"{month.calls:,}", f"{month.minutes:,}", f"{owed.share_ff:,}", f"{owed.share_eur:,}",
         f"{owed.share_ttc_ff:,}", f"{owed.average_centimes}")
        for month, owed in zip(totals.months, totals.settled, strict=True)
    ]  # fmt: skip
    click.echo(
        f"{totals.offered:,} calls offered, {totals.attempts:,} attempts; {totals.carried:,} carried, "
        f"{totals.lost:,} lost ({totals.blocking:.2%}), {totals.cut:,} cut at the session limit, "
        f"{totals.dropped:,} dropped by failures"
    )
    click.echo(f"busy hour {totals.busy_hour_share:.1%} of a day; users paid {totals.retail_ff:,} FF (TTC)")
    heads = ("month", "calls", "minutes", "share FF", "EUR", "with VAT FF", "c/min")
    print_table("Settlement", heads, rows)
    pools = [
        (pool.name, f"{pool.ports:,}", f"{pool.offered:,}", f"{pool.lost / max(1, pool.offered):.2%}",
         f"{pool.minutes:,}", f"{pool.busiest_erlangs:,.1f}")
        for pool in totals.pools
    ]  # fmt: skip
    print_table("Pools", ("pool", "ports", "calls offered", "lost", "minutes", "busiest hour, erlangs"), pools)
