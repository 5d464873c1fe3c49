"""`simbench roaming`: the commands of EU roaming."""

from __future__ import annotations

import cloup

from simbench.cli.pages import JUDGED, group
from simbench.cli.roaming.compare import compare
from simbench.cli.roaming.envelope import envelope
from simbench.cli.roaming.judge import judge
from simbench.cli.roaming.run import run
from simbench.cli.roaming.table import table


@group(
    exits=JUDGED,
    files="Only what an option of a command names.",
    see=("docs/guides/roaming.md",),
    sections=[
        cloup.Section("Envelopes", [envelope, table]),
        cloup.Section("Travellers and their bills", [run, compare, judge]),
    ],
)
def roaming() -> None:
    """EU roaming: envelopes, fair use, revenue and cost of travellers, and the judgement of a billing system.

    A separate contract file contains caps, envelopes and fair use since 15 June 2017, each with its source.

    \b
    Examples:
      simbench roaming envelope --price 20 --date 2017-06-15 --mode article
      simbench roaming run scenarios/roaming/01_a_year_abroad.toml -o reports/year
      simbench roaming judge reports/year/billing
    """
