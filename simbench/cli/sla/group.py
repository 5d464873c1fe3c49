"""`simbench sla`: commands on a service level besides judging it."""

from __future__ import annotations

import cloup

from simbench.cli.pages import JUDGED, group
from simbench.cli.sla.watch import watch


@group(
    exits=JUDGED,
    see=("simbench judge", "docs/guides/sla.md"),
    sections=[cloup.Section("While the service runs", [watch])],
)
def sla() -> None:
    """Follow a platform's service level while it runs.

    `simbench judge` judges a complete record; these commands watch a growing one.

    \b
    Example:
      simbench sla watch tickets.csv --history-from 2025-01-01T00:00+01:00 -o reports/watch
    """
