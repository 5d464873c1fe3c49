"""A mapped file that becomes shorter ends the command with one line and status 2, whatever thread reads it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simbench.base.bus_errors import LINE

READS = {
    "plain": "bytes(mapped[-1:])",
    "thread": "thread = threading.Thread(target=lambda: bytes(mapped[-1:])); thread.start(); thread.join()",
    "without the interpreter": "pc.sum(pa.Array.from_buffers(pa.int64(), 10**6, [None, pa.py_buffer(mapped)]))",
}
PROGRAM = """
import mmap, os, sys, threading
import pyarrow as pa, pyarrow.compute as pc
from simbench.base import bus_errors
with open(sys.argv[1], "r+b") as file:
    mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    with bus_errors.commands_report():
        bus_errors.before_mapping()
        if {inside}:
            os.truncate(sys.argv[1], 1)
            {read}
    os.truncate(sys.argv[1], 1)
    {read}
"""


def _ended(tmp_path: Path, read: str, *, inside: bool) -> subprocess.CompletedProcess[bytes]:
    file = tmp_path / "file"
    file.write_bytes(bytes(8 * 10**6))
    program = PROGRAM.format(inside=inside, read=READS[read])
    return subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, check=False)


@pytest.mark.parametrize("read", READS)
def test_a_command_ends_with_one_line(tmp_path: Path, read: str) -> None:
    done = _ended(tmp_path, read, inside=True)
    assert (done.returncode, done.stderr) == (2, LINE)


def test_after_the_command_the_signal_is_the_systems_again(tmp_path: Path) -> None:
    done = _ended(tmp_path, "plain", inside=False)
    assert done.returncode == -signal.SIGBUS


def test_a_judge_whose_ledger_is_cut_off_meanwhile_says_so(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from simbench.ledger import Ledger, RunInfo, segments
from simbench.cli.main import main
from tests.ledger.samples import BASE, wire
folder = Path(sys.argv[1])
if os.fork():
    os.wait()
else:
    ledger = Ledger.create(folder, RunInfo(run="cut"))
    for number in range(20_000):
        ledger.wire.append(wire(BASE + number, bytes(100)))
    ledger.flush()
    os._exit(0)  # killed: nothing is packed
read, seen = segments._read, []
def cut(path, table, source, size):
    found = read(path, table, source, size)
    seen.append(table.name)
    if seen.count("wire") == 2:  # after it was opened
        os.truncate(path, 4_096)
    return found
segments._read = cut
sys.argv = ["simbench", "judge", str(folder)]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run")], capture_output=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (2, [LINE.rstrip()]), done.stderr.decode()
