"""Time of day is judged only with a verified clock; otherwise it is unsupported or inconclusive, never a pass."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from fake_smsc.server.clock import PlatformClock
from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.findings import judge_exercise, unsupported
from simbench.bench.runner.in_memory import InMemory, conduct_in_memory
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, clock_of, run_exercise, run_info
from simbench.bench.runner.selection import select
from simbench.bench.runner.session import Judgements, Plan
from simbench.bench.runner.virtual_loop import MemoryNetwork, VirtualLoop
from simbench.bench.sut.protocol import Target
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from simbench.rules.client.client_clock import Proof, prove
from simbench.rules.rule import Case, standing
from simbench.trace.trace import Trace

CHOSEN = select()
TIME_OF_DAY = [name for name, (exercise, _) in CHOSEN.items() if exercise.setup.clock == "moved"]


class Apart(PlatformClock):
    """A client's clock that differs from the platform's: ahead by an offset, or faster by a factor."""

    def __init__(self, true: PlatformClock, ahead_s: float = 0, times: float = 1) -> None:
        self.true, self.ahead_s, self.times, self.speed = true, ahead_s, times, times  # it waits by it, too
        self.began = true.now()

    def now(self) -> int:
        past = self.true.now() - self.began
        return self.began + round(past * self.times + self.ahead_s * SECOND_US)


class Stuck(InMemory):
    """A client that claims a movable clock but cannot move it."""

    async def start(self, target: Target, tell: object) -> None:
        self._clock = Apart(self._clock, ahead_s=-40 * 86_400)
        await super().start(target, tell)  # type: ignore[arg-type]  # as given


class Unmoved(InMemory):
    """A client whose clock begins right and follows no jump."""

    async def start(self, target: Target, tell: object) -> None:
        self._clock = PlatformClock(self._clock.now(), 1.0, asyncio.get_running_loop().time)
        await super().start(target, tell)  # type: ignore[arg-type]  # as given


def conducted(name: str, ahead_s: float = 0, times: float = 1, client: type[InMemory] = InMemory) -> Conducted:
    contract, loop = load_contract(), VirtualLoop()
    exercise = EXERCISES[name].under(contract)
    try:
        network, clock = MemoryNetwork(), PlatformClock(exercise.epoch_us, 1.0, loop.time)
        sut = client(network, Apart(clock, ahead_s, times))
        ledger = MemoryLedger(run_info(exercise, contract, 1, "apart"))
        return loop.run_until_complete(
            run_exercise(exercise, sut, contract, ledger, RunEnvironment(Path(), 1, network, clock))
        )
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()


def outcomes(ran: Conducted) -> set[str]:
    purposes = ran.exercise.purposes
    return {found.outcome for found in judge_exercise(ran, purposes, load_contract(), EVERYTHING)}


@pytest.mark.parametrize("ahead_s", [-300, -15, 15, 300])
@pytest.mark.parametrize("name", ["calibration", "evening-edge"])
def test_a_clock_that_is_far_off_verifies_nothing(name: str, ahead_s: float) -> None:
    assert outcomes(conducted(name, ahead_s)) == {"unsupported"}


@pytest.mark.parametrize(
    ("low_s", "high_s", "outcome"), [(-0.5, 51.9, "inconclusive"), (-12, -8, "unsupported"), (11, 12, "unsupported")]
)
def test_a_clock_that_late_messages_cannot_prove_is_inconclusive(
    low_s: float, high_s: float, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, shown = conducted("evening-edge"), Proof(round(low_s * SECOND_US), round(high_s * SECOND_US), 13)
    for module in ("simbench.rules.client.client_clock", "simbench.bench.runner.findings"):
        monkeypatch.setattr(f"{module}.prove", lambda _: shown)
    (found,) = judge_exercise(ran, ran.exercise.purposes, load_contract(), EVERYTHING)
    assert (found.outcome, found.blame) == (outcome, "bench" if outcome == "inconclusive" else "")
    assert f"{low_s:+.1f} to {high_s:+.1f} s" in found.summary


def test_purposes_that_do_not_depend_on_the_clock_are_still_judged() -> None:
    ran = conducted("evening-edge", ahead_s=300)
    found = judge_exercise(ran, standing(), load_contract(), EVERYTHING)
    assert {one.outcome for one in found} == {"pass"}


def test_a_client_whose_clock_did_not_move_is_not_judged_by_the_time_of_day() -> None:
    assert outcomes(conducted("evening-edge", client=Stuck)) == {"unsupported"}


def test_a_clock_that_misses_the_jumps_is_not_another_time_zone() -> None:
    assert outcomes(conducted("civil-time", client=Unmoved)) == {"unsupported"}
    assert outcomes(conduct_in_memory(EXERCISES["civil-time"], load_contract(), ("vp-in-utc",))) == {"fail"}


@pytest.mark.parametrize("times", [0.5, 2])
def test_a_clock_that_runs_at_another_rate_is_not_proved(times: float) -> None:
    assert outcomes(conducted("calibration", times=times)) == {"unsupported"}


@pytest.mark.parametrize("ahead_s", [-2, -1, 0, 0.5, 2])
def test_the_verification_contains_the_offset(ahead_s: float) -> None:
    proof = prove(Case(Trace(conducted("calibration", ahead_s).run), load_contract()))
    assert proof is not None
    assert proof.sure
    assert proof.low_us / SECOND_US - 0.01 <= ahead_s <= proof.high_us / SECOND_US + 0.01
    assert proof.high_us - proof.low_us <= 1.1 * SECOND_US


def test_messages_that_may_be_within_the_clients_evening_are_not_blamed() -> None:
    ran = conducted("evening-edge", ahead_s=-5)
    found = judge_exercise(ran, ran.exercise.purposes, load_contract(), EVERYTHING)
    assert [(each.outcome, each.blame) for each in found] == [("inconclusive", "bench")]


def test_the_offset_of_a_clock_does_not_excuse_hours_that_are_not_kept() -> None:
    ran = conduct_in_memory(EXERCISES["evening-edge"], load_contract(), ("ignores-quiet-hours",))
    assert outcomes(ran) == {"fail"}


@pytest.mark.parametrize("name", TIME_OF_DAY)
@pytest.mark.parametrize("clock", [None, "fixed"])
def test_without_a_movable_clock_purposes_on_hours_neither_run_nor_pass(name: str, clock: str | None) -> None:
    exercise = EXERCISES[name]
    capabilities = replace(EVERYTHING, clock=clock)
    assert all(unsupported(purpose, exercise, capabilities) for purpose in exercise.purposes)
    assert clock_of(exercise, capabilities) is None


class Fixed(InMemory):
    """A client without a movable clock."""

    capabilities = replace(EVERYTHING, clock="fixed")

    async def start(self, target: Target, tell: object) -> None:  # noqa: ARG002 - nobody gets so far
        raise AssertionError("a client was started by whom nothing can be judged")


def left_out(folder: Path) -> tuple[Judgements, Conducted]:
    """Return a finished session with one exercise that had nothing to judge."""
    plan = Plan(select(["evening-edge"]), load_contract(), lambda: Fixed(MemoryNetwork(), PlatformClock(0)), folder)
    judgements = Judgements(plan)
    judgements.start(lambda *_: None)
    judgements.wait()
    return judgements, judgements.conducted["evening-edge"].result()


def test_an_exercise_without_a_judgeable_purpose_starts_no_client(tmp_path: Path) -> None:
    _, conducted = left_out(tmp_path)
    found = judge_exercise(conducted, EXERCISES["evening-edge"].purposes, load_contract(), EVERYTHING)
    assert {finding.outcome for finding in found} == {"unsupported"}


def test_a_session_that_is_over_has_one_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judgements, _ = left_out(tmp_path)
    written = judgements.record()
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert judgements.record() == written


def test_clocks_run_fast_only_where_the_clients_can() -> None:
    fast = next(exercise for exercise, _ in CHOSEN.values() if exercise.setup.speed > 1)
    stepped = EXERCISES["holidays"]
    assert clock_of(fast, replace(EVERYTHING, clock="offset")) is None
    slow, quick = clock_of(stepped, replace(EVERYTHING, clock="offset")), clock_of(fast, EVERYTHING)
    assert slow is not None
    assert quick is not None
    assert (slow.speed, quick.speed) == (1, fast.setup.speed)
