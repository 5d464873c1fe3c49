"""Bills, forecasts, plans and sweeps: options and help. Computes nothing itself.

Each command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simbench.base.extras import need
from simbench.cli.output_options import OUTPUT_FOLDER


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--acts", "acts_file", required=True, type=click.Path(path_type=Path), help="The contract's acts (TOML).")
@click.option("--month", metavar="YYYY-MM", help="Calendar month to bill (default: every month with messages).")
@click.option(
    "--against", type=click.Path(path_type=Path), help="An invoice received (CSV, Parquet, XLSX), to be judged."
)
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for pages to print, JSON and CSV.")
@click.option("--json", "form", flag_value="json", help="JSON instead of tables.")
@click.option("--csv", "form", flag_value="csv", help="CSV in the columns of an invoice received.")
def bill(**options: object) -> None:
    """Bill the messages of a run (or a table of counts), and judge an invoice received line by line.

    \b
    Examples:
      simbench bill reports/first --acts acts.toml
      simbench bill counts.csv --acts acts.toml --month 2016-10 -o reports/bill
      simbench bill counts.csv --acts acts.toml --month 2016-10 --against received.csv --json
    """
    from simbench.cli.bill import bill_command  # noqa: PLC0415 - quick --help

    options["form"] = options["form"] or "table"
    sys.exit(bill_command(**options))  # type: ignore[arg-type]  # click gives what the options say


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--traffic", required=True, type=click.Path(path_type=Path, exists=True), help="A run, or a table of counts."
)
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def forecast(files: tuple[Path, ...], traffic: Path, contract_name: str | None, *, as_json: bool) -> None:
    """Hold traffic against the forecasts handed in to Orange (OPS-ENG-03, OPS-ACH-05).

    \b
    Example:
      simbench forecast 2016-12.toml 2017-06.toml --traffic counts.csv
    """
    from simbench.cli.bill import forecast_command  # noqa: PLC0415 - quick --help

    sys.exit(forecast_command(files, traffic, contract_name, as_json_=as_json))


@click.command("plan")
@click.argument("campaign", required=False, metavar="[CAMPAIGN.toml]", type=click.Path(path_type=Path))
@click.option("--from", "ledger", metavar="LEDGER", type=click.Path(path_type=Path), help="Price the past instead.")
@click.option("--late-min", type=click.FloatRange(0), default=10.0, show_default=True, help="With --from: late after.")
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for report, invoices and JSON.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def plan(
    campaign: Path | None, ledger: Path | None, output: Path | None, contract_name: str | None, late_min: float, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Say which short codes and tiers to buy for a campaign, what they cost and how sure they are.

    \b
    Examples:
      simbench plan scenarios/plan/01_thursdays.toml -o reports/thursdays
      simbench plan --from reports/first --late-min 5
    """
    if campaign is not None:
        need("plan", "simbench plan")
    from simbench.cli.plan import plan_command  # noqa: PLC0415 - quick --help

    sys.exit(plan_command(campaign, ledger, contract_name, output, late_min, as_json=as_json))


@click.command()
@click.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder of the result (default: under reports/).")
@click.option("--workers", type=click.IntRange(1, 256), help="Local processes (default: one a core).")
@click.option("--dask", metavar="ADDRESS", help="Run on this Dask cluster instead (tcp://host:8786).")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def sweep(study: Path, output: Path | None, workers: int | None, dask: str | None, *, as_json: bool) -> None:
    """Run a world over a grid or sample of parameters, with replications, until the intervals are narrow enough.

    Run it again with the same output folder to go on after an interruption.

    \b
    Examples:
      simbench sweep scenarios/plan/study_tiers.toml -o reports/tiers
      simbench sweep scenarios/plan/study_tiers.toml -o reports/tiers --dask tcp://127.0.0.1:8786
    """
    need("plan", "simbench sweep")
    from simbench.cli.sweep import sweep_command  # noqa: PLC0415 - quick --help

    sys.exit(sweep_command(study, output, workers, dask, as_json=as_json))
