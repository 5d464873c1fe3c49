"""`simbench judge outages`."""

from __future__ import annotations

import sys

import cloup

from simbench.cli.judge.kinds import TABLE
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
def outages(**options: object) -> None:
    """Judge a platform's service level by a table of its outages or tickets (CSV, Parquet, XLSX).

    The period is that of --from and --to, as the table does not state it. Unusable rows are skipped and listed.

    \b
    Examples:
      simbench judge outages outages.csv --from 2025-01-01T00:00+01:00 --to 2026-01-01T00:00+01:00
      simbench judge outages tickets.csv --map theirs.toml --tz Europe/Paris --from 2025-01-01 --to 2026-01-01 --json
    """
    from simbench.cli.judge.judgement import judge_record

    sys.exit(judge_record(Options(**options), TABLE))  # type: ignore[arg-type]  # click gives what the options say
