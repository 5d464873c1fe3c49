"""`simbench judge log`."""

from __future__ import annotations

from simbench.api.record_kinds import LOG
from simbench.cli.judge.judging import judging


@judging("log", LOG, see=("simbench judge", "docs/guides/sla.md"))
def log() -> None:
    """Judge a platform's service level by the log of a connected Kannel.

    Lost connections and refused logins are incidents, submits and results are traffic.

    \b
    Examples:
      simbench judge log bearerbox.log --tz Europe/Paris
      simbench judge log bearerbox.log --tz Europe/Paris --from 2025-03-01 --to 2025-04-01 -o reports/march
    """
