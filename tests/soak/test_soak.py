"""The short soak: too short for the ledger's log to be folded in often, hence a bound of growth in octets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_minute_of_load_and_cuts_ends_well_and_in_bounded_memory() -> None:
    arguments = ("--seconds", "60", "--cut-every", "15", "--messages", "50000", "--grown-mb", "400")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.soak", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    print(ended.stdout, ended.stderr)  # its figures
