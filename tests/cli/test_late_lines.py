"""Long work says on standard error how far it is; short work says nothing."""

from __future__ import annotations

import pytest

from simbench.base import progress
from simbench.cli import late_lines

LATE = (late_lines, progress)


def test_short_work_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    late_lines.packing()(1, 3)
    with progress.reported(progress=True) as show:
        show(0.5, "half")
    assert capsys.readouterr().err == ""


def test_long_work_prints_its_steps_and_its_share(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in LATE:
        monkeypatch.setattr(module, "QUIET_S", -1.0)
    monkeypatch.setattr(progress, "EVERY_S", -1.0)
    late_lines.packing()(1, 3)
    with progress.reported(progress=True) as show:
        show(0.5, "half")
    steps, share = capsys.readouterr().err.splitlines()
    assert steps == "  packing the ledger: 1 of 3 done"
    assert share.startswith("  half:  50.0% done, about ")
