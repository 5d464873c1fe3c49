"""`simbench roaming judge`."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from simbench.base.json_files import indented, write_json
from simbench.cli.options import OUTPUT_FILE
from simbench.cli.pages import JUDGED, command
from simbench.cli.roaming.options import CONTRACT, JSON


@command(exits=JUDGED, files="With -o: the findings as JSON.", see=("simbench roaming run", "docs/guides/roaming.md"))
@cloup.argument("folder", type=click.Path(path_type=Path))
@cloup.option_group(
    "Contract and rules",
    cloup.option(
        "--window-days", type=click.IntRange(1, 1000), help="Observation window the operator states, in days."
    ),
    CONTRACT,
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FILE, help="Also write the findings to this file, as JSON."),
    JSON,
)
def judge(folder: Path, window_days: int | None, output: Path | None, contract: Path | None, *, as_json: bool) -> int:
    """Judge a billing system's output: subscribers.csv, records.csv and notices.csv in FOLDER.

    Exit status 1 if a rule is broken; 3 if nothing could be judged.

    \b
    Examples:
      simbench roaming judge reports/year/billing
      simbench roaming judge bills/ --window-days 130 --json
    """
    from simbench.cli.roaming.outcomes import print_findings
    from simbench.finding import exit_status
    from simbench.roaming.contract import load_roaming
    from simbench.roaming.public import judged, judgement

    billing, findings = judged(folder, load_roaming(contract), window_days)
    if output is not None:
        write_json(output, judgement(findings, billing))
    if as_json:
        click.echo(indented(judgement(findings, billing)))
    else:
        print_findings(findings, billing)
    return exit_status(findings)
