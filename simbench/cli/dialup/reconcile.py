"""`simbench dialup reconcile`."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup

from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.cli.dialup.options import FILE, MOST, OFFER
from simbench.cli.options import OUTPUT_FOLDER
from simbench.cli.pages import JUDGED, command

if TYPE_CHECKING:
    from simbench.dialup.offer import Offer
    from simbench.dialup.radius.journal import RecordedRun
    from simbench.dialup.radius.reconcile import Reconciliation
    from simbench.dialup.records import Records


@command(
    exits=JUDGED, files="With -o: result.json, report.html.", see=("simbench dialup account", "docs/guides/dialup.md")
)
@cloup.argument("journal", type=FILE)
@cloup.argument("detail", type=FILE, nargs=-1, required=True)
@cloup.option_group(
    "Connection",
    cloup.option("--retransmissions", type=MOST, help="Maximum number of retransmissions (default: the offer's)."),
)
@cloup.option_group("Contract and rules", OFFER)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for result.json and report.html."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of text, with every difference."),
)
def reconcile(
    journal: Path,
    detail: tuple[Path, ...],
    retransmissions: int | None,
    contract: str,
    output: Path | None,
    *,
    as_json: bool,
) -> int:
    """Compare the records of a RADIUS server, in DETAIL files of FreeRADIUS, with those sent according to JOURNAL.

    The output names every call that differs, with its seconds and the reason.

    \b
    Examples:
      simbench dialup reconcile run.jsonl /var/log/freeradius/radacct/127.0.0.1/detail-20261122
      simbench dialup reconcile run.jsonl detail-* -o reports/accounting --json
    """
    from simbench.cli.dialup.accounting import spinning
    from simbench.dialup.offer import load_netrevenu
    from simbench.dialup.radius.detail import read_detail
    from simbench.dialup.radius.journal import read_journal
    from simbench.dialup.radius.reconcile import reconcile
    from simbench.dialup.sources import Reading, accounted
    from simbench.finding import exit_status

    recorded, offer = read_journal(journal), load_netrevenu(contract)
    with spinning("reading what the server kept"):
        heard = list(chain.from_iterable(map(read_detail, detail)))
        found = reconcile(recorded, heard, retransmissions, offer)
    if output is not None:
        with spinning(f"writing {output}"):
            reading = Reading(_month(recorded, journal, offer), "event")
            _report(output, accounted(detail[0], heard, offer, reading), offer, found)
    if as_json:
        click.echo(indented(found))
    else:
        _show(found)
    return exit_status(found.findings)


def _month(recorded: RecordedRun, journal: Path, offer: Offer) -> str:
    """Return the month of the middle record of a run."""
    from simbench.dialup.grid import month_at

    if not recorded.sent:
        raise BadInput(str(journal), "has no record, so there is nothing to report", "a run that sent something")
    return month_at(sorted(each.planned.at_us for each in recorded.sent)[len(recorded.sent) // 2], offer.calendar)


def _report(output: Path, kept: Records, offer: Offer, found: Reconciliation) -> None:
    """Write the settlement of the server's records, with their reconciliation."""
    from simbench.dialup.replay import replay
    from simbench.dialup.report.model import DialupReport
    from simbench.dialup.report.page import write_dialup

    report = DialupReport.of_replay(replay(kept, offer), offer, found.findings)
    write_dialup(output, report.with_reconciliation(found))


def _show(found: Reconciliation) -> None:
    from rich.table import Table

    from simbench.cli.console import console, styled
    from simbench.cli.dialup.accounting import SHOWN, say_aside
    from simbench.cli.findings import STYLES
    from simbench.dialup.radius.reconcile import RULES

    table = Table("purpose", "outcome", "what was found", title="Accounting reconciled")
    for finding in found.findings:
        text = f"{RULES[finding.purpose].sentence}\n  {finding.summary}"
        table.add_row(finding.purpose, styled(finding.outcome, STYLES[finding.outcome]), text)
    console().print(table)
    click.echo(", ".join(f"{count:,} {name}" for name, count in found.counts.items()))
    for difference in found.differences[:SHOWN]:
        click.echo(f"  {difference}")
    if len(found.differences) > SHOWN:
        click.echo(f"  ... and {len(found.differences) - SHOWN:,} calls more; --json has all")
    say_aside(found.aside, Counter(each.reason for each in found.aside))
