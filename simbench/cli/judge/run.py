"""`simbench judge run`."""

from __future__ import annotations

from simbench.api.record_kinds import RUN
from simbench.cli.judge.judging import judging


@judging("run", RUN, see=("simbench judge", "simbench report", "docs/guides/sla.md"), metavar="RUN")
def run() -> None:
    """Judge the run of a server, of a client under test, or of a simulation, from its ledger.

    The rules of the service level read its incidents; the rules of `simbench conform` read the octets on its wire.

    \b
    Examples:
      simbench judge run reports/year --decisions decisions.toml --probes probes.csv -o reports/dispute
      simbench judge run reports/lastyear --contract new.toml --json
    """
