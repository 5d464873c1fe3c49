"""Options that several commands of dial-up share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import cloup

FILE: Final = click.Path(path_type=Path)
MOST: Final = click.IntRange(0, 60)
OFFER: Final = cloup.option("--contract", default="netrevenu_2000", show_default=True, help="Offer by name, or a file.")
TARIFF: Final = cloup.option(
    "--tariff", default="", metavar="NAME", help="Tariff function, F1 to F4 (default: that of the offer's reading)."
)
READINGS: Final = cloup.option(
    "--reading", "readings", multiple=True, metavar="NAME=KEY", help="Choose a reading of the offer; may be repeated."
)
JSON: Final = cloup.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
CLOCK: Final = cloup.option(
    "--clock",
    type=click.Choice(("reception", "event")),
    default="reception",
    show_default=True,
    help="Date of accounting records: their reception, or Event-Timestamp.",
)
PORTS: Final = cloup.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65_535),
    multiple=True,
    default=(1813,),
    show_default=True,
    help="UDP port of the RADIUS server in a capture; may be repeated (1646 is the old one).",
)
