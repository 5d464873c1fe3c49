"""One item per test purpose; the plugin of a session says which, and its conductor has the findings."""

from __future__ import annotations

import pytest

from simbench.conformance.session import Judgements
from simbench.conformance.verdicts import Verdict

TOLD = ("clause", "purpose", "outcome", "measured", "limit", "unit", "blame", "exercise")  # to JUnit


def test_purpose(exercise: str, purpose: str, judgements: Judgements, request: pytest.FixtureRequest) -> None:
    """A purpose passes, is weak, or ends the item with its verdict."""
    finding = judgements.finding(exercise, purpose)
    request.node.user_properties += [(name, str(getattr(finding, name))) for name in TOLD]
    if finding.outcome in {"fail", "error"}:
        pytest.fail(f"{finding.outcome}: {finding.summary}", pytrace=False)
    if finding.outcome not in {"pass", "weak"}:
        raise Verdict(finding.outcome, finding.summary)
