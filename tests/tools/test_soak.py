"""The soak program: what it says of samples, and that it runs. How much memory may grow is for `make soak` to hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.soak.load import Client, Counts
from tools.soak.report import Sample, Wanted, memory, tenth, verdict

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


def test_each_tenth_says_whether_memory_is_flat() -> None:
    assert tenth(5, samples(93), Wanted(0)) == "tenth 5: 100,000 accepted, 93 MB, +2.2% since warm: flat within 5%"
    assert tenth(5, samples(150), Wanted(0)).endswith("not flat within 5%")
    assert tenth(1, samples(150), Wanted(0)).endswith("warm from here on")


def test_a_client_sends_as_many_as_its_rate_allows_and_makes_up_for_a_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("tools.soak.load.time.monotonic", lambda: now[0])
    client = Client("36010", 0, Counts(), 10, rate_per_s=50)
    assert client.due() == 0
    now[0] = 103.0
    assert client.due() == 150
    assert len(client.next(4)) == 4
    assert client.due() == 146


@pytest.mark.slow
def test_a_served_process_is_loaded_and_cut_and_the_figures_are_reported() -> None:
    few = (
        "--seconds",
        "8",
        "--cut-every",
        "4",
        "--frames",
        "200",
        "--messages",
        "10",
        "--patience",
        "600",
        "--rate",
        "0",
    )
    command = [sys.executable, "-m", "tools.soak", *few, "--grown", "100"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"[1-9]\d* connections cut", ended.stdout)
    assert "server ended with status 0" in ended.stdout
    assert "tenth 9: " in ended.stdout
