"""The command `simbench`: its commands by section, and errors as one line.

Exit status: 0 nothing failed; 1 a finding failed; 2 wrong usage or input; 3 an error, an inconclusive finding, or
nothing judged.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click
import cloup

from simbench.base.bus_errors import commands_report
from simbench.base.errors import BadInput, SimbenchError, Trouble
from simbench.base.outputs import not_usable
from simbench.base.terminal import OwnOutput
from simbench.base.version import __version__
from simbench.cli.bill import bill
from simbench.cli.certificate import certificate
from simbench.cli.completion import completion
from simbench.cli.conform import conform
from simbench.cli.contract.group import contract
from simbench.cli.decode import decode
from simbench.cli.dialup.group import dialup
from simbench.cli.encode import encode
from simbench.cli.explain import explain
from simbench.cli.forecast import forecast
from simbench.cli.judge.group import judge
from simbench.cli.ledger import ledger
from simbench.cli.list_ import list_
from simbench.cli.matrix import matrix
from simbench.cli.pages import JUDGED, group
from simbench.cli.plan import plan
from simbench.cli.probe import probe
from simbench.cli.report import report
from simbench.cli.roaming.group import roaming
from simbench.cli.run import run
from simbench.cli.serve import serve
from simbench.cli.sla.group import sla
from simbench.cli.sweep import sweep


@group(
    exits=JUDGED,
    files="Only in a given output folder, or under reports/.",
    see=("docs/tutorial/first-session.md", "docs/reference/cli.md"),
    sections=[
        cloup.Section("Test a client or a platform", [serve, conform, probe]),
        cloup.Section("Judge and report records", [judge, report, sla, certificate, matrix, ledger]),
        cloup.Section("Simulate, plan and price", [run, plan, sweep, bill, forecast]),
        cloup.Section("Other offers", [dialup, roaming]),
        cloup.Section("Contracts and clauses", [contract, explain, list_]),
        cloup.Section("Frames and help", [decode, encode, completion]),
    ],
)
@click.version_option(__version__, prog_name="simbench")
def cli() -> None:
    """A fake UCP/EMI SMSC that judges your client against an operator's push-SMS contract, clause by clause.

    Each command has a page: simbench COMMAND --help.

    \b
    Examples:
      simbench serve                                a fake SMSC on loopback, one short code per tier
      simbench serve scenarios/01_first.toml -o reports/first
      simbench conform --sut reference -o reports/mine
      simbench conform --sut kannel --only OPS-ENG-01 --only total-outage
      simbench explain OPS-ENG-01
    """


OWNER_ONLY = 0o077  # output contains telephone numbers and texts of people


def main() -> None:
    """Entry point. Errors of the user or the machine become one line; files are readable by their owner only."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = own = OwnOutput(sys.stdout), OwnOutput(sys.stderr)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BytesIO())  # the caller may have closed it
    mask = os.umask(OWNER_ONLY)
    try:
        try:
            with commands_report():
                cli(standalone_mode=True)
        finally:
            sys.stdout.flush()
    except SimbenchError as error:
        _end(error)
    except OSError as problem:  # of a path that only the system could judge, as one with too long a name
        if problem.filename is None:
            raise
        _end(not_usable(problem))
    finally:
        os.umask(mask)
        for each in own:
            each.end()
        sys.stdout, sys.stderr = streams


def _end(error: SimbenchError) -> NoReturn:
    with suppress(Trouble):  # where standard error is full as well, the status says it
        click.echo(f"simbench: {error}", err=True)
    sys.exit(2 if isinstance(error, BadInput) else 3)
