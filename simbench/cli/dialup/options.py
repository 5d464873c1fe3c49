"""`simbench dialup ...`: options and help. Computes nothing itself.

Each command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simbench.base.extras import need
from simbench.cli.dialup.radius_command import CLOCK, PORTS, account, reconcile
from simbench.cli.manual import Pages
from simbench.cli.output_options import OUTPUT_FILE, OUTPUT_FOLDER


@click.group(cls=Pages)
def dialup() -> None:
    """Dial-up minute loads of 2000: carried, accounted and settled under France Télécom's NetRevenu.

    \b
    Examples:
      simbench dialup settle --minutes 50000000
      simbench dialup run scenarios/dialup/01_fifty_million.toml -o reports/fifty
      simbench dialup replay calls.csv --month 2000-09 --statement mine.csv
      simbench dialup ports --minutes 50000000
    """


dialup.add_command(account)
dialup.add_command(reconcile)
_OFFER = click.option("--contract", default="netrevenu_2000", show_default=True, help="Offer by name, or a file.")
_TARIFF = click.option("--tariff", default="", metavar="NAME", help="Tariff function, F1 to F4 (default: as read).")
_READINGS = click.option("--reading", "readings", multiple=True, metavar="NAME=KEY", help="Choose a reading.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")


@dialup.command()
@click.option("--minutes", type=int, required=True, help="Whole minutes of one month.")
@_TARIFF
@click.option("--month", default="", help="Month whose VAT holds, such as 2000-09 (default: June 2000).")
@_OFFER
@_READINGS
@_JSON
def settle(**options: object) -> None:
    """Say what a month of minutes brings: gross share before and with VAT, in francs and euros.

    \b
    Examples:
      simbench dialup settle --minutes 50000000
      simbench dialup settle --minutes 150000000 --tariff F4 --json
    """
    from simbench.cli.dialup.commands import settle_command  # noqa: PLC0415 - quick --help

    settle_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@dialup.command()
@click.option("--minutes", type=click.IntRange(1, 800_000_000), required=True, help="Minutes offered in a month.")
@click.option("--busy-share", type=float, default=0.0, help="Share of a day in its busiest hour (default: profile).")
@click.option("--grade", "grades", type=float, multiple=True, help="Share of calls blocked; may be repeated.")
@_TARIFF
@click.option("--month", default="2000-09", show_default=True, help="Month whose days and hours are offered.")
@_OFFER
@_JSON
def ports(**options: object) -> None:
    """Say how many ports a load needs for a grade of service, and what one more port brings.

    \b
    Examples:
      simbench dialup ports --minutes 50000000
      simbench dialup ports --minutes 150000000 --busy-share 0.1 --grade 0.01 --json
    """
    from simbench.cli.dialup.commands import ports_command  # noqa: PLC0415 - quick --help

    ports_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@dialup.command("run")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for result.json and report.html.")
@click.option("--records", type=OUTPUT_FILE, help="Write the last month's calls: .csv or .parquet.")
@_JSON
def dialup_run(**options: object) -> None:
    """Run a scenario: draw its calls, carry them through its pools, split, settle and report.

    \b
    Examples:
      simbench dialup run scenarios/dialup/01_fifty_million.toml -o reports/fifty
      simbench dialup run scenarios/dialup/03_growing_year.toml --json
    """
    need("fast", "simbench dialup run")
    from simbench.cli.dialup.commands import run_command  # noqa: PLC0415 - quick --help

    sys.exit(run_command(**options))  # type: ignore[arg-type]  # click gives what the options say


@dialup.command()
@click.argument("records", type=click.Path(path_type=Path))
@click.option("--month", default="", help="2000-09, 2000, or 2000-09/2000-11 (default: the month of most calls).")
@click.option("--statement", type=click.Path(path_type=Path), help="The provider's statement, to compare.")
@click.option("--write", type=OUTPUT_FILE, help="Write the statement these records support.")
@click.option(
    "--ports", "sizes", multiple=True, metavar="[NAS=]NUMBER", help="Modems of an access server; may be repeated."
)
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for result.json and report.html.")
@CLOCK
@PORTS
@click.option("--secret-file", type=click.Path(path_type=Path), help="Secret that verifies the requests of a capture.")
@_TARIFF
@_OFFER
@_READINGS
@_JSON
def replay(**options: object) -> None:
    """Settle real calls, set bad rows aside, and judge records and statement.

    Calls are records (CSV, Parquet, XLSX), a detail file of FreeRADIUS, or a capture of RADIUS accounting.

    \b
    Examples:
      simbench dialup replay calls.csv --write mine.csv
      simbench dialup replay calls.parquet --month 2000-09 --statement mine.csv --ports paris=2800 -o reports/replay
      simbench dialup replay detail-20000930 --clock event --month 2000-09
    """
    need("fast", "simbench dialup replay")
    from simbench.cli.dialup.commands import replay_command  # noqa: PLC0415 - quick --help

    sys.exit(replay_command(**options))  # type: ignore[arg-type]  # click gives what the options say
