"""Outcomes that are neither passed nor failed, in pytest."""

from __future__ import annotations

from _pytest.outcomes import Skipped


class NotPassed(Skipped):
    """Ends an item as inconclusive or unsupported; JUnit shows it as skipped with that word."""

    def __init__(self, outcome: str, summary: str) -> None:
        super().__init__(f"{outcome}: {summary}", allow_module_level=False)
        self.outcome = outcome
