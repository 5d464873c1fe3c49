"""`simbench judge outages`."""

from __future__ import annotations

from simbench.api.record_kinds import TABLE
from simbench.cli.judge.judging import judging


@judging("outages", TABLE, see=("simbench judge", "docs/guides/sla.md"))
def outages() -> None:
    """Judge a platform's service level by a table of its outages or tickets (CSV, Parquet, XLSX).

    The period is that of --from and --to, as the table does not state it. Unusable rows are skipped and listed.

    \b
    Examples:
      simbench judge outages outages.csv --from 2025-01-01T00:00+01:00 --to 2026-01-01T00:00+01:00
      simbench judge outages tickets.csv --map theirs.toml --tz Europe/Paris --from 2025-01-01 --to 2026-01-01 --json
    """
