"""`simbench dialup replay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import indented
from simbench.base.outputs import claim
from simbench.cli.dialup.options import CLOCK, JSON, OFFER, PORTS, READINGS, TARIFF
from simbench.cli.options import OUTPUT_FILE, OUTPUT_FOLDER
from simbench.cli.pages import JUDGED, command

if TYPE_CHECKING:
    from simbench.dialup.radius.pairing import Clock


@command(
    exits=JUDGED,
    files="With -o: result.json, report.html. With --write the statement.",
    see=("simbench dialup run", "simbench dialup reconcile", "docs/guides/dialup.md"),
)
@cloup.argument("records", type=click.Path(path_type=Path))
@cloup.option_group(
    "Connection",
    cloup.option(
        "--secret-file", type=click.Path(path_type=Path), help="Secret that verifies the requests of a capture."
    ),
)
@cloup.option_group(
    "Input",
    cloup.option(
        "--month",
        default="",
        help="Months to settle: 2000-09, 2000, or 2000-09/2000-11 (default: the month with most calls).",
    ),
    cloup.option("--statement", type=click.Path(path_type=Path), help="The provider's statement, to compare."),
    CLOCK,
    PORTS,
)
@cloup.option_group("Contract and rules", TARIFF, OFFER, READINGS)
@cloup.option_group(
    "Output",
    cloup.option("--write", type=OUTPUT_FILE, help="File to write the statement that these records support to."),
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for result.json and report.html."),
    JSON,
)
@cloup.option_group(
    "Access servers",
    cloup.option(
        "--ports",
        "sizes",
        multiple=True,
        metavar="[NAS=]NUMBER",
        help="Number of modems of an access server; may be repeated.",
    ),
)
def replay(  # noqa: PLR0913 - one argument an option
    records: Path,
    month: str,
    statement: Path | None,
    write: Path | None,
    sizes: tuple[str, ...],
    output: Path | None,
    tariff: str,
    contract: str,
    readings: tuple[str, ...],
    clock: Clock,
    ports: tuple[int, ...],
    secret_file: Path | None,
    *,
    as_json: bool,
) -> int:
    """Settle real calls, set invalid rows aside, and judge records and statement.

    Calls are records (CSV, Parquet, XLSX), a detail file of FreeRADIUS, or a capture of RADIUS accounting.

    The judge recounts the calls with separate code and shares only data with the settlement.

    \b
    Examples:
      simbench dialup replay calls.csv --write mine.csv
      simbench dialup replay calls.parquet --month 2000-09 --statement mine.csv --ports paris=2800 -o reports/replay
      simbench dialup replay detail-20000930 --clock event --month 2000-09
    """
    need("fast", "simbench dialup replay")

    from simbench.cli.dialup.tables import print_findings, progress, read_offer
    from simbench.dialup.replay import replay
    from simbench.dialup.report.model import DialupReport
    from simbench.dialup.report.page import write_dialup
    from simbench.dialup.rules import Case, judge
    from simbench.dialup.sources import Reading, read_calls, secret_in
    from simbench.dialup.statement import read_statement, write_statement
    from simbench.finding import exit_status

    offer = read_offer(contract, readings)
    offer.function(tariff)
    stated = read_statement(statement) if statement else None
    if output is not None:
        claim(output)  # first, so that --write may name a file in it
    how = Reading(month, clock, secret_in(secret_file), ports)
    with progress() as show:
        read = read_calls(records, offer, how, lambda done, whole: show(f"reading {records}", done, whole))
        show("settling and judging", 0, 1)
        done = replay(read, offer, tariff)
        case = Case(offer, tariff or offer.reading("tariff-function"), read, stated, _ports_of(sizes))
        findings = judge(case)
        if write is not None:
            write_statement(write, done.months, done.settled)
        if output is not None:
            show(f"writing {output}", 0, 1)
            write_dialup(output, DialupReport.of_replay(done, offer, findings))
    if as_json:
        click.echo(indented({**msgspec.to_builtins(done), "findings": findings}))
    else:
        _replayed(done)
        print_findings(findings)
    return exit_status(findings)


def _ports_of(texts: tuple[str, ...]) -> dict[str, int]:
    ports = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if not number.isascii() or not number.isdigit() or not 0 < int(number) <= 1_000_000:
            raise BadInput(f"--ports {text}", "is not a number of ports", "such as --ports paris=2800, or --ports 2800")
        ports[name] = int(number)
    return ports


def _replayed(done: Any) -> None:
    from simbench.cli.dialup.tables import print_table

    click.echo(f"{done.rows:,} rows read, {done.calls:,} calls, {done.aside_total:,} rows set aside")
    if done.passed_over:
        types = ", ".join(f"{count:,} {name}" for name, count in sorted(done.passed_over.items()))
        click.echo(f"records that are not about a call, skipped: {types}")
    rows = [
        (month.month, f"{month.calls:,}", f"{month.minutes:,}", f"{owed.share_ff:,}", f"{owed.share_eur:,}",
         f"{owed.share_ttc_ff:,}")
        for month, owed in zip(done.months, done.settled, strict=True)
    ]  # fmt: skip
    print_table("Settlement", ("month", "calls", "minutes", "share FF", "EUR", "with VAT FF"), rows)
    if done.aside_total:
        aside = [(str(row.line), row.reason, row.text) for row in done.aside[:20]]
        print_table(
            f"Set aside, {min(20, done.aside_total)} of {done.aside_total:,}", ("line", "reason", "what"), aside
        )
