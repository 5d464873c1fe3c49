"""What every test shares: how Hypothesis looks for examples, and what is printed while tests run.

The one profile has no deadline and no check of the time that examples take: both judge the machine. Under CI the
examples are the same in every run. Fixtures of a test are shared by its examples on purpose, where a test uses any.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from simbench.base import progress

NEEDED_MB: Final = 500  # of room for what tests write

settings.register_profile(
    "simbench",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("simbench")
# No command prints lines of progress because the machine is slow.
vars(progress)["QUIET_S"] = math.inf
# Servers that tests start compile nothing, which would take each of them ten seconds; tests of the fast path load it.
os.environ.setdefault("SIMBENCH_FAST_PATH", "off")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say at once, and not by a thousand failures, that the disk is full."""
    free_mb = shutil.disk_usage(tempfile.gettempdir()).free // 1_000_000
    if free_mb < NEEDED_MB and not hasattr(session.config, "workerinput"):
        pytest.exit(
            f"{free_mb} MB left in {tempfile.gettempdir()}, {NEEDED_MB} MB needed; make room or set TMPDIR",
            returncode=2,
        )


class _Silent:
    """No dot for a test that passed: a log is read from its end."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        if report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            return "passed", "", ""
        return None


@pytest.hookimpl(trylast=True)  # the reporter is there
def pytest_configure(config: pytest.Config) -> None:
    """Print dots only on a terminal."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None and not terminal.isatty():
        config.pluginmanager.register(_Silent(), "silent")


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """With a failure, how to have the tests in this order again."""
    if exitstatus and (seed := config.getoption("randomly_seed", None)) is not None:
        terminalreporter.write_line(f"order of the tests: --randomly-seed={seed}")
