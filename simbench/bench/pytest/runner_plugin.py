"""The pytest plugin of a session: its items, and the names of outcomes other than pass and fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from simbench.bench.pytest.outcomes import NotPassed
from simbench.bench.runner.session import Judgements
from simbench.bench.runner.session_findings import items_of

VERDICT = "verdict"  # reports take attributes of a plugin's own


class Words:
    """Names of the outcomes other than pass and fail."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Record the verdict of an item."""
        del item
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, NotPassed):
            setattr(report, VERDICT, call.excinfo.value.outcome)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Show inconclusive and unsupported under their own names."""
        verdict = getattr(report, VERDICT, "")
        return (verdict, verdict[0], verdict.upper()) if verdict and report.when == "call" else None


class ConformancePlugin(Words):
    """Gives the suite its purposes and its findings."""

    def __init__(self, judgements: Judgements) -> None:
        self._judgements = judgements

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One item a finding of the session, in the order in which exercises run."""
        if "purpose" in metafunc.fixturenames:
            items = items_of(self._judgements.plan.chosen)
            several = [purpose for purpose, count in Counter(purpose for _, purpose in items).items() if count > 1]
            ids = [f"{purpose}:{name}" if purpose in several else purpose for name, purpose in items]
            metafunc.parametrize(("exercise", "purpose"), items, ids=ids)

    @pytest.fixture(scope="session")
    def judgements(self) -> Judgements:
        """The session's findings."""
        return self._judgements
