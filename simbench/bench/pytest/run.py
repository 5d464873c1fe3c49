"""Runs the suite of purposes with pytest as the runner of a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import simbench.bench.pytest.suite
from simbench.base.errors import Trouble
from simbench.base.outputs import check_file, record
from simbench.bench.pytest.runner_plugin import ConformancePlugin
from simbench.bench.runner.output import JUNIT
from simbench.bench.runner.session import Judgements


def run_suite(judgements: Judgements, folder: Path) -> None:
    """Run a session: one item a purpose, and `junit.xml` in the folder from their properties.

    Raises Trouble when pytest ends early, and what an exercise raised.
    """
    suite = Path(simbench.bench.pytest.suite.__file__).parent
    check_file(folder / JUNIT)
    arguments = [
        str(suite), "--rootdir", str(suite), "-c", os.devnull,
        "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:randomly", "--capture=no",
        f"--junitxml={folder / JUNIT}", "-o", "junit_family=xunit1", "-o", "junit_suite_name=simbench conform",
    ]  # fmt: skip
    status = pytest.main(arguments, plugins=[ConformancePlugin(judgements)])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise Trouble(f"the session ended early ({pytest.ExitCode(status).name.lower().replace('_', ' ')})")
    record(folder / JUNIT)
    for conducted in judgements.conducted.values():
        conducted.result()
