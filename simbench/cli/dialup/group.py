"""`simbench dialup`: the commands of dial-up."""

from __future__ import annotations

import cloup

from simbench.cli.dialup.account import account
from simbench.cli.dialup.ports import ports
from simbench.cli.dialup.reconcile import reconcile
from simbench.cli.dialup.replay import replay
from simbench.cli.dialup.run import run
from simbench.cli.dialup.settle import settle
from simbench.cli.pages import JUDGED, group


@group(
    exits=JUDGED,
    files="Only what an option of a command names.",
    see=("docs/guides/dialup.md",),
    sections=[
        cloup.Section("Minutes and revenue", [settle, ports]),
        cloup.Section("Simulated and real calls", [run, replay]),
        cloup.Section("RADIUS accounting", [account, reconcile]),
    ],
)
def dialup() -> None:
    """Dial-up minute loads of 2000: carried, accounted and settled under France Télécom's NetRevenu.

    Amounts are exact decimals in francs and euros. Dial-up has a contract file and rules of its own.

    \b
    Examples:
      simbench dialup settle --minutes 50000000
      simbench dialup run scenarios/dialup/01_fifty_million.toml -o reports/fifty
      simbench dialup replay calls.csv --month 2000-09 --statement mine.csv
      simbench dialup ports --minutes 50000000
    """
