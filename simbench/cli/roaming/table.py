"""`simbench roaming table`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import cloup

from simbench.base.json_files import indented
from simbench.cli.options import OUTPUT_FILE
from simbench.cli.pages import command
from simbench.cli.roaming.options import JSON, PLAN, RULES


@command(files="With --plot an SVG image.", see=("simbench roaming envelope", "docs/guides/roaming.md"))
@PLAN
@RULES
@cloup.option_group(
    "Output", cloup.option("--plot", type=OUTPUT_FILE, help="Also draw the table to this SVG file."), JSON
)
def table(plot: Path | None, *, as_json: bool, **given: Any) -> None:
    """Print the envelope of a plan under every cap, 2017 to 2032.

    Each line is one wholesale cap, with the day from which it applies.

    \b
    Examples:
      simbench roaming table --price 20
      simbench roaming table --price 20 --net --plot envelope.svg
    """
    from simbench.cli.roaming.plans import PlanOptions, read_contract, read_plan, row_of
    from simbench.roaming.envelope import envelopes, is_share

    options = PlanOptions(**given)
    contract = read_contract(options)
    plan = read_plan(options, contract, contract.terms.caps.data[0].since)
    dated = not options.net and not is_share(options.vat)
    rows = envelopes(plan, contract, options.mode, contract.vat_shares(options.vat) if dated else ())
    if plot is not None:
        from simbench.roaming.report.page import write_envelope_plot

        write_envelope_plot(plot, rows)
    if as_json:
        click.echo(indented([row_of(found) for found in rows]))
        return
    click.echo("from        cap euro/GB  envelope GB  bundle")
    for found in rows:
        click.echo(f"{found.day}  {found.cap_eur_per_gb:>11}  {found.gb:>11f}  {found.kind}")
