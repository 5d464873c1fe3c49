"""The soak program: what it says of samples, and that it runs. How much memory may grow is for `make soak` to hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.soak.load import Counts
from tools.soak.report import Sample, Wanted, memory, verdict

ROOT = Path(__file__).parents[2]
MB = 1_000_000


def samples(last_mb: int) -> list[Sample]:
    """A hundred seconds: 90 MB while it warms up, then steadily more up to the last."""
    return [Sample(at, (90 + max(0, at - 10) * (last_mb - 90) // 90) * MB, 1_000 * at) for at in range(101)]


@pytest.mark.parametrize(("last_mb", "status"), [(90, 0), (93, 0), (100, 1), (150, 1)])
def test_memory_that_grows_beyond_the_bound_fails_the_soak(last_mb: int, status: int) -> None:
    counts = Counts()
    counts.accepted = 100_000
    assert verdict(samples(last_mb), counts, Wanted(100_000), 0) == status


def test_too_few_messages_or_a_server_that_ends_badly_fail_it_too() -> None:
    counts = Counts()
    counts.accepted = 99_999
    assert verdict(samples(90), counts, Wanted(100_000), 0) == 1
    counts.accepted = 100_000
    assert verdict(samples(90), counts, Wanted(100_000), 3) == 1


def test_growth_counts_from_the_most_of_the_warm_server() -> None:
    assert memory(samples(180), 0).warm == 90 * MB
    assert memory(samples(180), 50_000).warm == 130 * MB


@pytest.mark.slow
def test_a_served_process_is_loaded_and_cut_and_the_figures_are_reported() -> None:
    few = ("--seconds", "8", "--cut-every", "4", "--frames", "200", "--messages", "1000", "--patience", "600")
    command = [sys.executable, "-m", "tools.soak", *few, "--grown", "100"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"[1-9]\d* connections cut", ended.stdout)
    assert "server ended with status 0" in ended.stdout
