"""One item per test purpose; the plugin of a session says which, and its conductor has the findings."""

from __future__ import annotations

import pytest

from simbench.bench.pytest.outcomes import NotPassed
from simbench.bench.runner.session import Judgements
from simbench.finding import Finding

TOLD = ("clause", "purpose", "outcome", "measured", "limit", "unit", "blame", "exercise")  # to JUnit


def told(finding: Finding, judgements: Judgements) -> list[tuple[str, str]]:
    """What JUnit says of a finding."""
    attempt = judgements.attempt(finding.exercise)
    return [(name, str(getattr(finding, name))) for name in TOLD] + ([("attempts", attempt)] if attempt else [])


def test_purpose(exercise: str, purpose: str, judgements: Judgements, request: pytest.FixtureRequest) -> None:
    """A purpose passes, is weak, or ends the item with its verdict."""
    finding = judgements.finding(exercise, purpose)
    request.node.user_properties += told(finding, judgements)
    if finding.outcome in {"fail", "error"}:
        pytest.fail(f"{finding.outcome}: {finding.lines}", pytrace=False)
    if finding.outcome not in {"pass", "weak"}:
        raise NotPassed(finding.outcome, finding.lines)
