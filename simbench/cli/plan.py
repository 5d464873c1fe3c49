"""`simbench plan`: which codes at which rate, what they cost and how sure they are; and what the past would have cost.

Plans nothing itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import indented, write_json, write_octets
from simbench.cli.output_options import OUTPUT_FOLDER
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.planning.advise import Advice


@command(
    "plan",
    files=(
        "With -o: report.html, plan.json, and the invoices of every month (invoices.html, invoices.json, "
        "CSV); with --from otherwise.json."
    ),
    see=("simbench bill", "simbench sweep", "docs/guides/planning.md", "docs/reference/campaign.md"),
)
@cloup.argument("campaign", required=False, metavar="[CAMPAIGN.toml]", type=click.Path(path_type=Path))
@cloup.option_group(
    "Input",
    cloup.option(
        "--from",
        "ledger",
        metavar="LEDGER",
        type=click.Path(path_type=Path),
        help="Price the traffic of this run instead, under other codes and tiers.",
    ),
)
@cloup.option_group(
    "Contract and rules",
    cloup.option(
        "--late-min",
        type=click.FloatRange(0),
        default=10.0,
        show_default=True,
        help="Minutes after which a message counts as late (with --from).",
    ),
    cloup.option("--contract", "contract_name", help="Contract by name, or an overlay file."),
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for report, invoices and JSON."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of tables."),
)
def plan(
    campaign: Path | None, ledger: Path | None, output: Path | None, contract_name: str | None, late_min: float, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Say which short codes and tiers to buy for a campaign, what they cost and how sure they are.

    The plan is the cheapest choice on the tariff grid that keeps the promise; it is then tried against futures drawn
    from the seed. If no plan can do it, the answer says what would.

    \b
    Examples:
      simbench plan scenarios/plan/01_thursdays.toml -o reports/thursdays
      simbench plan --from reports/first --late-min 5
    """
    if campaign is not None:
        need("plan", "simbench plan")
    sys.exit(plan_command(campaign, ledger, contract_name, output, late_min, as_json=as_json))


def plan_command(
    campaign: Path | None, ledger: Path | None, contract_name: str | None, output: Path | None, late_min: float,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Advise on a campaign, or price what a ledger tells under other plans."""
    from simbench.cli.run import Progress
    from simbench.planning.advise import advise
    from simbench.planning.campaign import read_campaign

    if (campaign is None) == (ledger is None):
        raise BadInput("plan", "needs a campaign file, or --from with a ledger", "one of the two")
    if ledger is not None:
        from simbench.cli.what_if import what_if_command

        return what_if_command(ledger, contract_name, output, late_min, as_json=as_json)
    assert campaign is not None
    plan = read_campaign(campaign)
    if contract_name:
        from simbench.contract import load_contract

        plan = msgspec.structs.replace(plan, contract=load_contract(contract_name))
    progress = Progress()
    try:
        advice = advise(plan, progress.show)
    finally:
        progress.end()
    if output is not None:
        write_advice(output, advice, plan.contract)
    if as_json:
        click.echo(indented(advice, plain))
    else:
        _print(advice, output)
    return 0


def write_advice(folder: Path, advice: Advice, contract: object) -> None:
    """Write plan.json, report.html, the invoices and the forecasts for the operator. Raises BadInput."""
    from simbench.billing.forecast import forecast_text
    from simbench.billing.page import Bundle, write_all
    from simbench.contract import Contract
    from simbench.planning.report.page import write_plan_report

    assert isinstance(contract, Contract)
    bundles = [Bundle(bill, (), f"plan {advice.name}") for bill in advice.invoices]
    write_all(folder, bundles, contract)
    for one in advice.forecasts:
        write_octets(folder / f"forecast-{one.issued}.toml", forecast_text(one).encode())
    write_json(folder / "plan.json", advice, plain)
    write_plan_report(folder / "report.html", msgspec.to_builtins(advice, enc_hook=plain), advice.invoices)


def plain(value: object) -> object:
    """Numbers of numpy as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise NotImplementedError(type(value))


def _print(advice: Advice, output: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if Console().is_terminal else 180)
    chosen = advice.chosen
    console.print(f"{advice.title}: {chosen.words}", style="bold", highlight=False, markup=False)
    console.print(
        f"{chosen.euros:,.2f} EUR for codes and tiers, {advice.euros_in_all:,.2f} EUR with messages, before VAT; "
        f"keeps {chosen.probability:.2%} ({advice.target:.2%} asked, by {advice.promise}); without anything late in "
        f"{chosen.whole:.0%} of {advice.replications} replications", highlight=False, markup=False,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("mix", "left"), ("EUR", "right"), ("kept", "right"), ("", "left")):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]  # two of rich's words
    for one in sorted(advice.candidates, key=lambda each: each.euros):
        table.add_row(one.words, f"{one.euros:,.2f}", f"{one.probability:.2%}", one.why)
    console.print(table, highlight=False, markup=False)
    agreeing = sum(one.agrees and one.late == one.late_by_fluid for one in advice.confirmed)
    console.print(f"message by message: {agreeing} of {len(advice.confirmed)} months came out alike", highlight=False)
    for row in advice.sensitivities:
        low, high = (
            f"{name} {share:.2%}, {'no mix keeps it' if euros is None else f'{euros:,.2f} EUR'}"
            for name, share, euros in (
                (row.low, row.at_low, row.euros_at_low), (row.high, row.at_high, row.euros_at_high)
            )
        )  # fmt: skip
        console.print(f"{row.assumption}: {low}; {high}", highlight=False, markup=False)
    for request in advice.requests:
        console.print(f"to be requested (OPS-ACH-06): {request}", highlight=False, markup=False)
    for note in advice.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    if output is not None:
        console.print(f"report: {output / 'report.html'}", highlight=False, markup=False)
        for forecast in advice.forecasts:
            file = output / f"forecast-{forecast.issued}.toml"
            told = f"forecast to hand in by {forecast.issued} (OPS-ENG-03): {file}"
            console.print(told, highlight=False, markup=False)
