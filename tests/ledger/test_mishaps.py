"""A ledger after its process is killed, with a full disk, or with missing libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.ledger import open_run
from tests.ledger.samples import child

OPENED = """
import sys
from pathlib import Path
from simbench.base.errors import Trouble
from simbench.ledger import Ledger, RunInfo
"""

WRITING = (
    OPENED
    + """
ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run="killed"), max_bytes=int(sys.argv[2]))
number = 0
while True:
    for _ in range(700):
        at = 1_475_474_400_000_000 + number
        ledger.events.append((at, "fault", str(number), None, "{}"))
        ledger.wire.append((at, number % 4, "in", number.to_bytes(8, "big") * 20))
        number += 1
    ledger.flush()
    print(number, flush=True)
    ledger.wire.append((at, 9, "in", number.to_bytes(8, "big") * 20))
    ledger.wire.pop()
"""
)


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "max_bytes"), [(1, 10**9), (7, 10**9), (25, 400_000)])
def test_what_flush_confirmed_survives_kill_9_whole(tmp_path: Path, lines: int, max_bytes: int) -> None:
    process = child(WRITING, str(tmp_path), str(max_bytes))
    assert process.stdout is not None
    confirmed = [int(process.stdout.readline()) for _ in range(lines)][-1]
    process.kill()
    confirmed = int(([str(confirmed), *process.communicate()[0].split()])[-1])
    run = open_run(tmp_path)
    assert not run.info.closed
    assert run.events.num_rows >= confirmed
    assert run.events["n"].to_pylist() == list(range(run.events.num_rows))
    assert run.events["subject"].to_pylist() == [str(number) for number in range(run.events.num_rows)]
    assert run.wire["octets"].to_pylist() == [number.to_bytes(8, "big") * 20 for number in range(run.wire.num_rows)]
    assert run.wire.num_rows <= run.events.num_rows  # an effect never without its cause


def test_a_process_that_ends_without_closing_has_written_everything(tmp_path: Path) -> None:
    source = OPENED + (
        "ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run='left'))\n"
        "ledger.wire.append((1_475_474_400_000_000, 1, 'in', b'x'))\n"
    )
    process = child(source, str(tmp_path))
    assert process.communicate() == ("", "")
    assert open_run(tmp_path).wire.num_rows == 1


def test_a_full_disk_is_reported_and_its_rows_are_written_once_there_is_room(tmp_path: Path) -> None:
    source = OPENED + (
        "import os, resource\n"
        "troubles = []\n"
        "def report(trouble):\n    troubles.append((str(trouble), changes[-1], ledger.failing))\n"
        "ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run='full'), on_trouble=report)\n"
        "changes = []\n"
        "ledger.watch(lambda: changes.append(ledger.failing))\n"
        "ledger.flush()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "ledger.wire.extend((1_475_474_400_000_000 + n, 1, 'in', os.urandom(2000)) for n in range(1000))\n"
        "try:\n    ledger.flush()\n"
        "except Trouble as trouble:\n    print('troubles', len(troubles), 'lines', str(trouble).count(chr(10)))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "ledger.wire.append((1_475_474_400_001_000, 1, 'in', b'last'))\n"
        "try:\n    ledger.close()\n"
        "except Trouble as trouble:\n    print('close', trouble)\n"
        "print([bool(failing) for _, *known in troubles for failing in known])\n"  # when it was reported
    )
    process = child(source, str(tmp_path))
    output, errors = process.communicate()
    assert (output, errors) == ("troubles 1 lines 0\n[True, True, False, False]\n", "")
    assert open_run(tmp_path).wire["n"].to_pylist() == list(range(1001))


def test_a_missing_library_is_reported_by_flush(tmp_path: Path) -> None:
    source = OPENED + (
        "sys.modules['pyarrow'] = None\n"
        "troubles = []\n"
        "ledger = Ledger.create(Path(sys.argv[1]), RunInfo(run='bare'), on_trouble=troubles.append)\n"
        "for act in (ledger.flush, ledger.close):\n"
        "    try:\n        act()\n"
        "    except Trouble as trouble:\n        print('pyarrow' in str(trouble), len(troubles))\n"
    )
    output, errors = child(source, str(tmp_path)).communicate()
    assert (output, errors) == ("True 1\nTrue 1\n", "")


def test_creating_a_ledger_loads_neither_arrow_nor_duckdb(tmp_path: Path) -> None:
    source = OPENED + "print('duckdb' in sys.modules, 'pyarrow' in sys.modules, 'numpy' in sys.modules)\n"
    assert child(source, str(tmp_path)).communicate() == ("False False False\n", "")
