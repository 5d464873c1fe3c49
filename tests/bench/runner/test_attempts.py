"""An exercise that the bench itself was too late to judge is run again; every attempt is kept and reported."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from simbench.bench.exercises.exercise import EXERCISES, Exercise
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner import session
from simbench.bench.runner.findings import bench_was_late
from simbench.finding import Evidence, Finding, Outcome
from simbench.ledger import MemoryLedger, open_run
from tests.cli.child import Ended

PURPOSE = "rate.backlog-at-tier"
HELD_UP_S = 0.2


def stumbling(times: int) -> Exercise:
    """Three seconds of backlog; in the first attempts the bench's own loop is blocked in the middle of it."""
    attempts = count()

    async def script(bench: Bench) -> None:
        await bench.connected(bench.rates)
        await asyncio.gather(bench.ask_all(bench.message("36050") for _ in range(150)), stumble(bench))
        await bench.received(bench.asked, 30)

    async def stumble(bench: Bench) -> None:
        await bench.pause(1.2)
        if next(attempts) < times:
            time.sleep(HELD_UP_S)  # noqa: ASYNC251 - this is the fault that is planted

    return Exercise("stumbling", "The bench stumbles", (PURPOSE,), {"36050": 50}, script, 4, alone=True)


def conform(
    capsys: pytest.CaptureFixture[str], folder: Path, *more: str | Path, only: str = "stumbling"
) -> tuple[int | str | None, dict[str, Any]]:
    ended = Ended(capsys, "conform", "--sut", "reference", "--only", only, "-o", folder, "--json", *more)
    return ended.status, json.loads(ended.out)


@pytest.mark.slow
def test_the_first_attempt_in_which_the_bench_was_on_time_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(EXERCISES, "stumbling", stumbling(1))
    monkeypatch.setattr(session, "MOST_ATTEMPTS", 50)  # however long the machine is too busy to be on time
    out = tmp_path / "out"
    status, result = conform(capsys, out)
    assert (status, result["findings"][0]["outcome"]) == (0, "pass")
    (reason, *_) = json.loads((out / "session.json").read_text())["attempts"]["stumbling"]
    assert reason.startswith(f"{PURPOSE} inconclusive, bench ")
    assert result["run"]["attempts"].startswith("stumbling: ")
    assert open_run(out / "attempts" / "stumbling" / "1" / "ledger").info.closed
    for written in ("report.html", "junit.xml"):
        assert "before it, " in (out / written).read_text()

    again = Ended(capsys, "conform", "--from", out, "--json")
    assert json.loads(again.out) == result


@pytest.mark.slow
def test_a_client_at_fault_gets_no_second_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(EXERCISES, "stumbling", stumbling(9))
    status, result = conform(capsys, tmp_path / "out", "--fault", "no-pacing")
    assert (status, result["findings"][0]["outcome"]) == (1, "fail")
    assert not (tmp_path / "out" / "attempts").exists()


@pytest.mark.slow
def test_a_bench_that_is_always_late_stops_and_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(EXERCISES, "stumbling", stumbling(9))
    monkeypatch.setattr(session, "MOST_ATTEMPTS", 2)
    status, result = conform(capsys, tmp_path / "out")
    assert (status, result["findings"][0]["outcome"], result["findings"][0]["blame"]) == (3, "inconclusive", "bench")
    assert [place.name for place in (tmp_path / "out" / "attempts" / "stumbling").iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("outcome", "blame", "late_at", "again"),
    [
        ("inconclusive", "bench", 15, True),
        ("inconclusive", "bench", 25, False),  # late, but not where the question is
        ("inconclusive", "client", 15, False),
        ("pass", "", 15, False),
        ("fail", "client", 15, False),
    ],
)
def test_only_exercises_left_open_by_the_lateness_of_the_bench_are_repeated(
    outcome: Outcome, blame: Any, late_at: int, again: bool
) -> None:
    ledger = MemoryLedger()
    ledger.timing_error.append((late_at, late_at + 1, 60_000, "loop"))
    found = Finding(PURPOSE, "OPS-ENG-01", outcome, "", blame=blame, evidence=(Evidence("", 10, 20),))
    assert bool(bench_was_late([found], ledger.snapshot())) == again


def test_a_failure_ends_the_attempts_whatever_else_is_open() -> None:
    ledger = MemoryLedger()
    ledger.timing_error.append((15, 16, 60_000, "loop"))
    left_open = Finding(PURPOSE, "OPS-ENG-01", "inconclusive", "", blame="bench", evidence=(Evidence("", 10, 20),))
    failed = Finding("rate.several-codes", "OPS-ENG-01", "fail", "", blame="client")
    assert bench_was_late([left_open, failed], ledger.snapshot()) == ""
