"""Options that several commands of roaming share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import cloup

from simbench.cli.pages import option_group

CONTRACT: Final = cloup.option(
    "--contract", type=click.Path(path_type=Path), help="A roaming contract file instead of the built-in one."
)
JSON: Final = cloup.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
PLAN: Final = option_group(
    "Plan",
    cloup.option("--price", required=True, metavar="EUROS", help="Price of a billing period, VAT included."),
    cloup.option("--net", is_flag=True, help="Take the price as before VAT."),
    cloup.option("--vat", default="FR", show_default=True, help="VAT in the price: a country, or a share (0.2)."),
    cloup.option("--domestic-gb", metavar="GB", help="Volume included at home; unlimited when left out."),
    cloup.option("--prepaid", is_flag=True, help="Take the price as the credit left on a prepaid tariff."),
)
RULES: Final = option_group(
    "Contract and rules",
    cloup.option(
        "--mode",
        type=click.Choice(["regulation", "article"]),
        default="regulation",
        show_default=True,
        help="Calculation: exact and before VAT, or as in the article of 2017.",
    ),
    cloup.option(
        "--gb",
        type=click.Choice(["decimal", "binary"]),
        default="decimal",
        help="A gigabyte as 10^9 or as 2^30 octets.",
    ),
    CONTRACT,
)
