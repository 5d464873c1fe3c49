from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.real.conftest import require


def test_a_program_that_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(sys.executable)
    monkeypatch.setenv("PATH", str(program.parent))
    assert require(program.name, package="python3") == str(program)


def test_a_missing_program_skips_the_test_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="nosuchbox is not installed; install the package kannel"):
        require("nosuchbox", package="kannel")


def test_in_continuous_integration_a_missing_program_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nosuchbox is not installed"):
        require("nosuchbox", package="kannel")
