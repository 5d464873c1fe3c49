"""`simbench roaming compare`."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from simbench.base.extras import need
from simbench.base.json_files import indented
from simbench.cli.pages import command
from simbench.cli.roaming.options import CONTRACT, JSON


@command(see=("simbench roaming run", "docs/guides/roaming.md"))
@cloup.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=Path))
@cloup.option_group(
    "Input",
    cloup.option(
        "--subscribers", type=click.IntRange(1, 100_000_000), help="Number of subscribers instead of the scenarios'."
    ),
)
@cloup.option_group("Contract and rules", CONTRACT)
@cloup.option_group("Output", JSON)
def compare(scenarios: tuple[Path, ...], subscribers: int | None, contract: Path | None, *, as_json: bool) -> None:
    """Run several scenarios and compare each with the first, such as another cap, plan or rule.

    The same seed draws the same travellers in each scenario.

    \b
    Example:
      simbench roaming compare scenarios/roaming/01_a_year_abroad.toml scenarios/roaming/02_a_lower_cap.toml
    """
    need("fast", "simbench roaming compare")
    from simbench.cli.roaming.outcomes import followed_with_progress, read_chosen
    from simbench.roaming.contract import load_roaming
    from simbench.roaming.results import changes, summary_of

    terms = load_roaming(contract)
    chosen = [read_chosen(path, terms, subscribers) for path in scenarios]
    found = changes(summary_of(one, terms, followed_with_progress(one, terms)) for one in chosen)
    if as_json:
        click.echo(indented(found))
        return
    click.echo(
        f"{'scenario':<20}  GB each  exceeded  alerted  surcharged  charged €  wholesale €   margin €   change €"
    )
    for one in found:
        click.echo(
            f"{one.scenario[:20]:<20} {one.roam_gb_each:>8.2f} {one.exceeded_share:>9.1%} {one.alerted_share:>8.1%}"
            f" {one.surcharged_share:>11.1%} {one.charges_eur_each:>10.2f} {one.wholesale_eur_each:>12.2f}"
            f" {one.margin_eur_each:>10.2f} {one.margin_change_eur_each:>+10.2f}"
        )
