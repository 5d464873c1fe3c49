"""Tests that could not run: each is skipped with its reason, all are counted, and the exit status is not 0."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NoReturn

import pytest

from simbench.base.text import count

UNDECIDED: Final = 3  # exit status, as of `simbench conform`
PROPERTY: Final = "simbench-left-out"


def leave_out(request: pytest.FixtureRequest, reason: str) -> NoReturn:
    """Skip a test, and let the session report it."""
    request.node.user_properties.append((PROPERTY, reason))
    pytest.skip(reason)


class LeftOut:
    """Counts the tests that did not run, over all workers."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the reason of a test that did not run."""
        if report.when == "setup" and (reason := dict(report.user_properties).get(PROPERTY)):
            self._reasons[str(reason)] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End with status 3 if nothing failed but a test could not run."""
        if self._reasons and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = UNDECIDED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print each reason."""
        for reason, number in sorted(self._reasons.items()):
            terminalreporter.write_line(f"simbench: {count(number, 'test')} did not run: {reason}", yellow=True)
