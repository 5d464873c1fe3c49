"""`account` and `reconcile`: calls sent to a RADIUS server, and what it kept held against them. Computes nothing.

Exit status: 0 nothing failed; 1 a finding failed; 2 wrong usage or input; 3 inconclusive, or a server in trouble.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simbench.cli.output_options import OUTPUT_FOLDER

FILE = click.Path(path_type=Path)
CLOCK = click.option(
    "--clock",
    type=click.Choice(("reception", "event")),
    default="reception",
    show_default=True,
    help="What dates accounting records: their reception, or Event-Timestamp.",
)
PORTS = click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65_535),
    multiple=True,
    default=(1813,),
    show_default=True,
    help="UDP port of the RADIUS server in a capture; may be repeated (1646 is the old one).",
)
_OFFER = click.option("--contract", default="netrevenu_2000", show_default=True, help="Offer by name, or a file.")
_MOST = click.IntRange(0, 60)


@click.command()
@click.argument("calls", type=FILE)
@click.option("--server", required=True, metavar="HOST:PORT", help="The RADIUS server's accounting port.")
@click.option("--secret-file", required=True, type=FILE, help="File whose only line is the shared secret.")
@click.option("--journal", required=True, type=FILE, help="File to write what was sent and answered to.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Seconds of the calls a second (1).")
@click.option("--fast", is_flag=True, help="As fast as the server answers, whatever the calls' times.")
@click.option("--fault", multiple=True, metavar="NAME", help="Make an access server faulty; may be repeated.")
@click.option("--interim", type=click.IntRange(min=0), default=0, help="Seconds between Interim-Updates (none).")
@click.option("--retransmissions", type=_MOST, help="At most so many (default: as the offer says).")
@click.option("--source-secret-file", type=FILE, help="Secret that verifies the requests of a capture.")
@PORTS
@click.option("--month", default="", help="Months of the calls, as of replay (default: the month of most calls).")
@CLOCK
@_OFFER
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of every draw.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
def account(**options: object) -> None:
    """Send the accounting records of CALLS to a RADIUS server: call records, a detail file, or a capture of RADIUS.

    \b
    Examples:
      simbench dialup account calls.csv --server 127.0.0.1:1813 --secret-file secret --fast --journal run.jsonl
      simbench dialup account detail --server 127.0.0.1:1813 --secret-file secret --speed 60 --interim 300 \\
          --fault lost-stop --fault nas-reboot --journal faulty.jsonl
    """
    from simbench.cli.dialup.accounting_command import account_command  # noqa: PLC0415 - quick --help

    sys.exit(account_command(**options))  # type: ignore[arg-type]  # click gives what the options say


@click.command()
@click.argument("journal", type=FILE)
@click.argument("detail", type=FILE, nargs=-1, required=True)
@click.option("--retransmissions", type=_MOST, help="Most retransmissions allowed (default: as the offer says).")
@_OFFER
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for result.json and report.html.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text, with every difference.")
def reconcile(**options: object) -> None:
    """Hold what a RADIUS server kept, in DETAIL files of FreeRADIUS, against what JOURNAL says was sent.

    \b
    Examples:
      simbench dialup reconcile run.jsonl /var/log/freeradius/radacct/127.0.0.1/detail-20261122
      simbench dialup reconcile run.jsonl detail-* -o reports/accounting --json
    """
    from simbench.cli.dialup.accounting_command import reconcile_command  # noqa: PLC0415 - quick --help

    sys.exit(reconcile_command(**options))  # type: ignore[arg-type]  # click gives what the options say
