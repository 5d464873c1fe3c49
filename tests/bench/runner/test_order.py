"""The order of exercises, which of them run at the same time, and the progress messages."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.runner import AT_ONCE
from simbench.bench.runner.options import SessionOptions, plan_of
from simbench.bench.runner.run_exercise import LIGHT_AT_ONCE, Conducted, conduct_all, in_order, is_light
from simbench.bench.runner.selection import select
from simbench.bench.runner.session import Judgements
from simbench.bench.sut.registry import EVERYTHING
from simbench.cli import conform_progress
from simbench.finding import Finding, Outcome

CHOSEN = select()


def test_two_short_exercises_begin_and_the_longest_follow() -> None:
    ordered = in_order(exercise for exercise, _ in CHOSEN.values() if not exercise.alone)
    seconds = [one.seconds for one in ordered]
    assert seconds[0] == min(seconds)
    assert sorted(seconds[2:], reverse=True) == seconds[2:]
    assert len({one.name for one in ordered}) == len(ordered)
    assert in_order([ordered[0]]) == [ordered[0]]


@pytest.mark.parametrize("at_once", [1, 3, AT_ONCE])
def test_high_rates_are_measured_alone_and_low_ones_beside_each_other_only(at_once: int) -> None:
    running: set[str] = set()
    seen: list[frozenset[str]] = []

    async def one(exercise: Exercise) -> Conducted:
        running.add(exercise.name)
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append(frozenset(running))
        running.discard(exercise.name)
        return SimpleNamespace(trouble="", remark="")  # type: ignore[return-value]  # what is looked at

    finished = asyncio.run(conduct_all(CHOSEN, one, lambda *_: None, at_once))
    assert set(finished) == set(CHOSEN)
    exercises = {name: exercise for name, (exercise, _) in CHOSEN.items()}
    for together in seen:
        kinds = {(exercises[name].alone, is_light(exercises[name])) for name in together}
        assert not any(alone for alone, _ in kinds) or len(kinds) == 1
        assert len(together) <= at_once
        if any(alone and not light for alone, light in kinds):
            assert len(together) == 1
        elif any(alone for alone, _ in kinds):
            assert len(together) <= LIGHT_AT_ONCE
    assert max(map(len, seen)) == at_once


def test_in_a_pipe_the_awaited_event_is_printed_after_a_time_without_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(conform_progress, "TICK_S", 0.01)
    monkeypatch.setattr(conform_progress, "SILENCE_S", 0.02)
    plan = SimpleNamespace(chosen=select(["session"]))
    ticker = conform_progress.Ticker(SimpleNamespace(plan=plan, capabilities=EVERYTHING))  # type: ignore[arg-type]  # as above
    session = replace(CHOSEN["session"][0], seconds=80)
    ticker.progress(session, "started", "")
    ticker.progress(session, "waits", "the login of 36010 (at most 20 s)")
    output, until = "", time.monotonic() + 60
    while "still running" not in output and time.monotonic() < until:
        time.sleep(0.01)
        output += capsys.readouterr().err
    ticker.stop()
    assert "session: A connection" in output
    assert "(about 10 s)" in output
    assert re.search(r"still running: session \d+/10 s, waits for the login of 36010 \(at most 20 s\)", output)


def test_the_verdicts_of_an_exercise_are_printed_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    plan = SimpleNamespace(chosen=select(["session"]))
    seen = SimpleNamespace(plan=plan, capabilities=EVERYTHING, verdicts=lambda name: f"fail: {name}.keepalive, 6 pass")
    ticker = conform_progress.Ticker(seen)  # type: ignore[arg-type]  # what is looked at
    session = CHOSEN["session"][0]
    ticker.progress(session, "started", "")
    ticker.progress(session, "finished", "the client ended")
    ticker.stop()
    expected = r"\[1/1\] session finished in \d+ s: fail: session\.keepalive, 6 pass; the client ended"
    assert re.search(expected, capsys.readouterr().err)


def test_verdicts_name_what_failed_and_count_the_others(tmp_path: Path) -> None:
    judgements = Judgements(plan_of(SessionOptions("reference", only=("session",)), tmp_path))
    outcomes: tuple[Outcome, ...] = ("pass", "fail", "pass", "weak", "unsupported", "error")
    found = [Finding(f"x.{number}", "OPS-ENG-01", outcome, "") for number, outcome in enumerate(outcomes)]
    judgements._judged["session"] = found
    assert judgements.verdicts("session") == "fail: x.1, x.5, 2 pass, 1 weak"
    judgements._judged.clear()
    assert judgements.verdicts("session") == ""
