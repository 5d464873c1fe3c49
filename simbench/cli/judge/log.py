"""`simbench judge log`."""

from __future__ import annotations

import sys

import cloup

from simbench.cli.judge.kinds import LOG
from simbench.cli.judge.options import FORECAST, MAPPING, OTHER_RECORDS, PERIOD, REPORT, RULES, SOURCE, ZONE, Options
from simbench.cli.pages import JUDGED, command, option_group


@command(
    exits=JUDGED,
    files=(
        "With -o: report.html, data.json, findings.json, incidents.csv; with --pdf report.pdf, with --decisions the "
        "last two of before, with --probes dispute.csv, with --forecast forecast.json."
    ),
    see=("simbench judge", "docs/guides/sla.md"),
)
@cloup.argument("source", metavar="FILE", type=SOURCE)
@PERIOD
@option_group("Input", ZONE, MAPPING)
@OTHER_RECORDS
@FORECAST
@RULES
@REPORT
def log(**options: object) -> None:
    """Judge a platform's service level by the log of a Kannel that talked to it.

    Lost connections and refused logins are incidents, submits and results are traffic.

    \b
    Examples:
      simbench judge log bearerbox.log --tz Europe/Paris
      simbench judge log bearerbox.log --tz Europe/Paris --from 2025-03-01 --to 2025-04-01 -o reports/march
    """
    from simbench.cli.judge.judgement import judge_record

    sys.exit(judge_record(Options(**options), LOG))  # type: ignore[arg-type]  # click gives what the options say
