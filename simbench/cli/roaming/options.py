"""`simbench roaming …`: options and help. Each command imports what it needs when it runs; computes nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from simbench.base.extras import need
from simbench.cli.manual import Pages
from simbench.cli.output_options import OUTPUT_FILE, OUTPUT_FOLDER

F = TypeVar("F", bound=Callable[..., Any])

CONTRACT = click.option(
    "--contract",
    type=click.Path(path_type=Path),
    help="A roaming contract file instead of the built-in one.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


def plan_options(command: F) -> F:
    """The options that say which plan is meant."""
    for option in (
        CONTRACT,
        click.option("--gb", type=click.Choice(["decimal", "binary"]), default="decimal", help="10^9 or 2^30 octets."),
        click.option("--prepaid", is_flag=True, help="The price is the credit left of a tariff per unit."),
        click.option("--domestic-gb", metavar="GB", help="Volume included at home; unlimited when left out."),
        click.option("--net", is_flag=True, help="The price is before VAT."),
        click.option("--vat", default="FR", show_default=True, help="VAT in the price: a country, or a share (0.2)."),
        click.option(
            "--mode",
            type=click.Choice(["regulation", "article"]),
            default="regulation",
            show_default=True,
            help="Exact and before VAT, or the arithmetic of the 2017 article.",
        ),
        click.option("--price", required=True, metavar="EUROS", help="Price of a billing period, VAT included."),
    ):
        command = option(command)
    return command


@click.group(cls=Pages)
def roaming() -> None:
    """EU roaming: envelopes, fair use, what travellers pay and cost, and the judgement of a billing system.

    \b
    Examples:
      simbench roaming envelope --price 20 --date 2017-06-15 --mode article
      simbench roaming run scenarios/roaming/01_a_year_abroad.toml -o reports/year
      simbench roaming judge reports/year/billing
    """


@roaming.command()
@plan_options
@click.option("--date", "day", required=True, metavar="YYYY-MM-DD", help="First day of the billing period.")
@JSON
def envelope(day: str, *, as_json: bool, **plan: Any) -> None:
    """Say how much roaming data a plan must include.

    \b
    Examples:
      simbench roaming envelope --price 20 --date 2017-06-15
      simbench roaming envelope --price 20 --date 2019-01-01 --mode article --json
      simbench roaming envelope --price 15.99 --vat DE --domestic-gb 10 --date 2026-08-01
    """
    from simbench.cli.roaming.commands import PlanOptions, envelope_command  # noqa: PLC0415 - quick --help

    envelope_command(PlanOptions(**plan), day, as_json=as_json)


@roaming.command()
@plan_options
@click.option("--plot", type=OUTPUT_FILE, help="Draw it too, into this SVG file.")
@JSON
def table(plot: Path | None, *, as_json: bool, **plan: Any) -> None:
    """Print the envelope of a plan under every cap, 2017 to 2032.

    \b
    Examples:
      simbench roaming table --price 20
      simbench roaming table --price 20 --net --plot envelope.svg
    """
    from simbench.cli.roaming.commands import PlanOptions, table_command  # noqa: PLC0415 - quick --help

    table_command(PlanOptions(**plan), plot, as_json=as_json)


@roaming.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OUTPUT_FOLDER, required=True, help="Folder for everything it leaves.")
@click.option("--subscribers", type=click.IntRange(1, 100_000_000), help="Another number of subscribers.")
@click.option("--seed", type=click.IntRange(0), help="Another seed of every draw.")
@click.option(
    "--billed",
    type=click.IntRange(0, 100_000),
    default=200,
    show_default=True,
    help="Subscribers whose bills are written out and judged.",
)
@CONTRACT
@JSON
def run(**options: Any) -> None:
    """Follow a population of travellers through a scenario; leaves run.json, tables, Parquet, bills and report.html.

    Exit status 1 when the operator of the scenario breaks a rule on the bills that are written out.

    \b
    Examples:
      simbench roaming run scenarios/roaming/01_a_year_abroad.toml -o reports/year
      simbench roaming run scenarios/roaming/03_a_greedy_operator.toml -o reports/greedy --subscribers 5000 --json
    """
    need("fast", "simbench roaming run")
    from simbench.cli.roaming.run_commands import run_command  # noqa: PLC0415 - quick --help

    sys.exit(run_command(**options))


@roaming.command()
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--subscribers", type=click.IntRange(1, 100_000_000), help="Another number of subscribers, for all.")
@CONTRACT
@JSON
def compare(scenarios: tuple[Path, ...], **options: Any) -> None:
    """Run several scenarios and say what each changes against the first: another cap, plan or rule.

    \b
    Example:
      simbench roaming compare scenarios/roaming/01_a_year_abroad.toml scenarios/roaming/02_a_lower_cap.toml
    """
    need("fast", "simbench roaming compare")
    from simbench.cli.roaming.run_commands import compare_command  # noqa: PLC0415 - quick --help

    compare_command(scenarios, **options)


@roaming.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--window-days", type=click.IntRange(1, 1000), help="The window the operator says it observes.")
@click.option("-o", "--output", type=OUTPUT_FILE, help="Write the findings there too, as JSON.")
@CONTRACT
@JSON
def judge(**options: Any) -> None:
    """Judge a billing system's output: subscribers.csv, records.csv and notices.csv in FOLDER.

    Exit status 1 when a rule is broken; 3 when nothing could be judged.

    \b
    Examples:
      simbench roaming judge reports/year/billing
      simbench roaming judge bills/ --window-days 130 --json
    """
    from simbench.cli.roaming.run_commands import judge_command  # noqa: PLC0415 - quick --help

    sys.exit(judge_command(**options))
