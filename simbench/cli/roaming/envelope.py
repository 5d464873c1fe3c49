"""`simbench roaming envelope`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click
import cloup

from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.cli.options import language_option
from simbench.cli.pages import command
from simbench.cli.roaming.options import JSON, PLAN, RULES

if TYPE_CHECKING:
    from simbench.roaming.explained import Language

KINDS = {
    "open": "open data bundle, price before VAT",
    "closed": "closed bundle: all of its domestic allowance",
    "prepaid": "prepaid credit before VAT",
    "article": "the article's arithmetic: price as printed, cut to 0.1 GB",
}


@command(see=("simbench roaming table", "docs/guides/roaming.md"))
@PLAN
@RULES
@cloup.option_group(
    "Input", cloup.option("--date", "day", required=True, metavar="YYYY-MM-DD", help="First day of the billing period.")
)
@cloup.option_group("Output", language_option("text for the customer"), JSON)
def envelope(day: str, language: Language, *, as_json: bool, **given: Any) -> None:
    """Compute the roaming data a plan must include, and the text for its customers.

    The volume is a minimum: octets are rounded up.

    \b
    Examples:
      simbench roaming envelope --price 20 --date 2017-06-15
      simbench roaming envelope --price 20 --date 2019-01-01 --mode article --json
      simbench roaming envelope --price 15.99 --vat DE --domestic-gb 10 --date 2026-08-01
    """
    from simbench.cli.roaming.plans import PlanOptions, read_contract, read_plan, row_of
    from simbench.roaming.envelope import envelope
    from simbench.roaming.explained import explained

    options = PlanOptions(**given)
    contract, on = read_contract(options), day_of("--date", day)
    plan = read_plan(options, contract, on)
    found = envelope(plan, on, contract, options.mode)
    if as_json:
        values = {**row_of(found), "price_eur": float(plan.price_eur), "vat_share": float(plan.vat_share)}
        text = "" if found.kind == "article" else explained(plan, found, language)
        click.echo(indented({**values, "mode": options.mode, "contract": contract.name, "text": text}))
        return
    click.echo(f"{found.gb:f} GB  ({KINDS[found.kind]}; cap {found.cap_eur_per_gb} euros a gigabyte before VAT)")
    if found.kind != "article":  # the article's formula is not a customer's right
        click.echo(explained(plan, found, language))


def day_of(place: str, text: str) -> date:
    """Read a day as YYYY-MM-DD. Raises BadInput, which names the option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(place, f"is {text[:40]!r}", "a day such as 2017-06-15") from None
