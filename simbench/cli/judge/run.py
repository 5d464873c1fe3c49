"""`simbench judge run`."""

from __future__ import annotations

import sys

import cloup

from simbench.cli.judge.kinds import RUN
from simbench.cli.judge.options import (
    FORECAST,
    MAPPING,
    METADATA,
    OTHER_RECORDS,
    PERIOD,
    REPORT,
    RULES,
    SOURCE,
    ZONE,
    Options,
)
from simbench.cli.pages import JUDGED, command, option_group


@command(
    exits=JUDGED,
    files=(
        "With -o: report.html, data.json, findings.json, incidents.csv; with --pdf report.pdf, with --decisions the "
        "last two of before, with --probes dispute.csv, with --forecast forecast.json."
    ),
    see=("simbench judge", "simbench report", "docs/guides/sla.md"),
)
@cloup.argument("source", metavar="RUN", type=SOURCE)
@PERIOD
@option_group("Input", ZONE, MAPPING)
@OTHER_RECORDS
@METADATA
@FORECAST
@RULES
@REPORT
def run(**options: object) -> None:
    """Judge the run of a server, of a client under test, or of a simulation, from the rows it left.

    The rules of the service level read its incidents; the rules of `simbench conform` read the octets on its wire.

    \b
    Examples:
      simbench judge run reports/year --decisions decisions.toml --probes probes.csv -o reports/dispute
      simbench judge run reports/lastyear --contract new.toml --json
    """
    from simbench.cli.judge.judgement import judge_record

    sys.exit(judge_record(Options(**options), RUN))  # type: ignore[arg-type]  # click gives what the options say
