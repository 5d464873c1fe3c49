"""`simbench forecast`."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from simbench.base.json_files import indented
from simbench.cli.options import RULES
from simbench.cli.pages import JUDGED, command


@command(exits=JUDGED, see=("simbench bill", "docs/guides/billing.md"))
@cloup.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@cloup.option_group(
    "Input",
    cloup.option(
        "--traffic",
        required=True,
        type=click.Path(path_type=Path, exists=True),
        help="Run folder, or a table of counts.",
    ),
)
@RULES
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."))
def forecast(files: tuple[Path, ...], traffic: Path, contract_name: str | None, *, as_json: bool) -> int:
    """Compare traffic with the forecasts submitted to the operator.

    Each file is one forecast: the day of its submission, and the messages and rates it expects.

    \b
    Example:
      simbench forecast 2016-12.toml 2017-06.toml --traffic counts.csv
    """

    from simbench.billing.counts import read_counts
    from simbench.billing.forecast import judge_forecasts, read_forecast
    from simbench.cli.findings import print_findings
    from simbench.contract import DEFAULT, load_contract
    from simbench.finding import exit_status

    contract = load_contract(contract_name or DEFAULT)
    findings = judge_forecasts(
        contract, [read_forecast(path, contract) for path in files], read_counts(traffic, contract.calendar)
    )
    if as_json:
        click.echo(indented({"findings": findings}))
    else:
        print_findings(findings)
    return exit_status(findings)
