"""A file of a ledger may be a pipe, a device, a folder or a loop: one line names it, and nothing waits for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simbench.base.errors import LedgerError
from simbench.base.outputs import MANIFEST
from simbench.ledger import Ledger, RunInfo, open_run
from simbench.ledger.lock import NAME as LOCK
from simbench.ledger.lock import take_lock
from simbench.ledger.rows import TABLES
from tests.ledger.samples import BASE, child, decided, wire
from tests.odd_files import ODD

KILLED = """
import os, sys
from pathlib import Path
from simbench.ledger import Ledger, RunInfo
from tests.ledger.samples import BASE, decided, wire
ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run="killed"))
ledger.wire.append(wire(BASE))
ledger.centre.append(decided(BASE))
ledger.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("runs")
    with Ledger.create(home / "packed", RunInfo(run="packed")) as ledger:
        ledger.wire.append(wire(BASE))
        ledger.centre.append(decided(BASE))
    with child(KILLED, str(home / "killed")) as process:
        assert not process.communicate()[1]
    return {"packed": home / "packed", "killed": home / "killed"}


def read_all(folder: Path) -> None:
    run = open_run(folder)
    for table in TABLES:
        run.table(table)


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("run", ["packed", "killed"])
def test_every_file_of_a_run(run: str, kind: str, runs: dict[str, Path], tmp_path: Path) -> None:
    names = sorted(each.name for each in runs[run].iterdir() if each.name not in {LOCK, MANIFEST})
    assert len(names) == 1 + len(TABLES)
    for name in names:
        folder = Path(shutil.copytree(runs[run], tmp_path / name))
        (folder / name).unlink()
        ODD[kind](folder / name)
        with pytest.raises(LedgerError) as refused:
            read_all(folder)
        assert name in str(refused.value)
        assert "\n" not in str(refused.value)
        assert "Errno" not in str(refused.value)


def test_the_lock_of_a_run_of_somebody_else_creates_no_file_elsewhere(tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run.mkdir()
    (run / LOCK).symlink_to(elsewhere)
    with pytest.raises((LedgerError, OSError)):
        take_lock(run)
    assert not elsewhere.exists()
