"""`simbench roaming run`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import indented
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.base.version import __version__
from simbench.cli.options import OUTPUT_FOLDER
from simbench.cli.pages import JUDGED, command
from simbench.cli.roaming.options import CONTRACT, JSON

if TYPE_CHECKING:
    from simbench.ledger.info import RunInfo
    from simbench.roaming.contract import RoamingContract
    from simbench.roaming.results import Summary
    from simbench.roaming.scenario import RoamingScenario


@command(
    exits=JUDGED,
    files=(
        "OUTPUT: report.html, outcome.json, subscribers.parquet, days.parquet, run.json, findings.json, and "
        "billing/ with the three tables of simbench roaming judge."
    ),
    see=("simbench roaming judge", "simbench roaming compare", "docs/guides/roaming.md"),
)
@cloup.argument("scenario", type=click.Path(path_type=Path))
@cloup.option_group(
    "Input",
    cloup.option(
        "--subscribers", type=click.IntRange(1, 100_000_000), help="Number of subscribers instead of the scenario's."
    ),
)
@cloup.option_group("Contract and rules", CONTRACT)
@cloup.option_group(
    "Execution",
    cloup.option("--seed", type=click.IntRange(0), help="Seed instead of the scenario's."),
    cloup.option(
        "--billed",
        type=click.IntRange(0, 100_000),
        default=200,
        show_default=True,
        help="Number of subscribers whose bills are written and judged.",
    ),
)
@cloup.option_group(
    "Output",
    cloup.option(
        "-o", "--output", type=OUTPUT_FOLDER, required=True, help="Folder for the report, the tables and the bills."
    ),
    JSON,
)
def run(  # noqa: PLR0913 - one argument an option
    scenario: Path,
    output: Path,
    subscribers: int | None,
    seed: int | None,
    billed: int,
    contract: Path | None,
    *,
    as_json: bool,
) -> int:
    """Simulate a population of travellers in a scenario, and write tables, bills and a report.

    Exit status 1 if the written bills of the scenario's operator break a rule.

    \b
    Examples:
      simbench roaming run scenarios/roaming/01_a_year_abroad.toml -o reports/year
      simbench roaming run scenarios/roaming/03_a_greedy_operator.toml -o reports/greedy --subscribers 5000 --json
    """
    need("fast", "simbench roaming run")
    from simbench.cli.roaming.outcomes import followed_with_progress, print_findings, read_chosen
    from simbench.finding import exit_status
    from simbench.ledger.info import NAME, write_info
    from simbench.roaming.contract import load_roaming
    from simbench.roaming.public import REPORT, write_run

    terms = load_roaming(contract)
    chosen = read_chosen(scenario, terms, subscribers)
    chosen = chosen if seed is None else replace(chosen, seed=seed)
    if (output / NAME).exists():
        raise BadInput(f"-o {output}", "contains an earlier run", "a new folder")
    began = time.time()
    followed = followed_with_progress(chosen, terms)
    summary, findings, billing = write_run(output, chosen, terms, followed, billed)
    write_info(output, _info(output, chosen, terms, began))
    if as_json:
        result = {"folder": str(output), "summary": summary, "findings": findings, "set_aside": billing.reasons()}
        click.echo(indented(result))
    else:
        _print_rows(summary)
        print_findings(findings, billing)
        click.echo(f"report: {output / REPORT}")
    return exit_status(findings)


def _info(output: Path, scenario: RoamingScenario, contract: RoamingContract, began: float) -> RunInfo:
    from simbench.ledger.info import RunInfo, Times

    return RunInfo(
        run=output.name,
        times=Times(
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
            int(began * SECOND_US),
            int(time.time() * SECOND_US),
        ),
        scenario=scenario.name,
        seed=scenario.seed,
        contract=contract.name,
        contract_digest=contract.digest,
        versions={"simbench": __version__},
        note="roaming population",
        closed=True,
        rows={"subscribers": scenario.population.subscribers, "days": scenario.population.days},
    )


def _print_rows(summary: Summary) -> None:
    who, days = count(summary.subscribers, "subscriber"), count(summary.days, "day")
    click.echo(f"{summary.title}: {who}, {days} from {summary.starts}")
    click.echo("profile      subscribers  GB each  exceeded  alerted  surcharged  charged €  wholesale €   margin €")
    for row in summary.rows:
        size = row.subscribers
        click.echo(
            f"{row.profile[:12]:<12} {size:>11,} {row.roam_gb / size:>8.2f} {row.exceeded / size:>9.1%}"
            f" {row.alerted / size:>8.1%} {row.surcharged / size:>11.1%}"
            f" {(row.overage_eur + row.surcharge_eur) / size:>10.2f} {row.wholesale_eur / size:>12.2f}"
            f" {row.margin_eur / size:>10.2f}"
        )
