"""`simbench judge`: judge records by kind, or detect the kind of a file."""

from __future__ import annotations

import click
import cloup

from simbench.cli.judge.capture import capture
from simbench.cli.judge.judging import FILES, judging
from simbench.cli.judge.log import log
from simbench.cli.judge.outages import outages
from simbench.cli.judge.run import run
from simbench.cli.pages import JUDGED, Pages, group

ANY = "any"


class Judge(Pages):
    """A group that detects the kind of a file when the first word names no subcommand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert `any` before arguments that begin with no subcommand."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [ANY, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both forms of the command."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] FILE")
        formatter.write_usage(ctx.command_path, "run|capture|outages|log [OPTIONS] FILE")


@judging(ANY, "", see=("simbench judge",), files=f"{FILES}; of a capture findings.json and its ledger.")
def any_file() -> None:
    """Judge a file of any kind: a run, a capture, a log of Kannel or a table of outages.

    `simbench judge FILE` does the same. An option that a file of its kind cannot use is rejected.

    \b
    Examples:
      simbench judge any outages.csv --from 2025-01-01T00:00+01:00 --to 2026-01-01T00:00+01:00
    """


@group(
    cls=Judge,
    exits=JUDGED,
    files=f"{FILES}; of a capture findings.json and its ledger.",
    see=("simbench report", "simbench conform", "docs/guides/sla.md", "docs/guides/audit.md"),
    sections=[
        cloup.Section("Platforms and their service level", [run, outages, log]),
        cloup.Section("Clients", [capture]),
        cloup.Section("Any kind of file", [any_file]),
    ],
)
def judge() -> None:
    """Judge a record: a run folder, a capture, a log of Kannel, or a table of outages.

    Each kind has a command with its options. Without one, `simbench judge FILE` detects the kind of the file and takes
    the options of `simbench judge any`. Availability, restoration, notices and rates are judged from incidents, clients
    by the rules of `conform`, both without a simulator.

    \b
    Examples:
      simbench judge outages.csv --from 2025-01-01T00:00+01:00 --to 2026-01-01T00:00+01:00
      simbench judge reports/year --decisions decisions.toml --probes probes.csv -o reports/dispute
      simbench judge bearerbox.log --tz Europe/Paris
      simbench judge capture traffic.pcapng --campaigns campaigns.toml --requests log.csv --keys keys.toml
      simbench judge run reports/lastyear --contract new.toml
    """
