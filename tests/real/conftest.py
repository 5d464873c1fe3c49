"""The programs needed by tests of real programs."""

from __future__ import annotations

import os

import pytest

from simbench.base.errors import MissingTool
from simbench.bench.sut.child_process import find_program


def require(program: str, *, package: str) -> str:
    """Path of a real program. Missing, it skips the test by name; under CI=true it fails it, so that nothing hides."""
    try:
        return find_program(program, package)
    except MissingTool as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{error} (CI=true: nothing may be skipped)", pytrace=False)
        pytest.skip(str(error))
