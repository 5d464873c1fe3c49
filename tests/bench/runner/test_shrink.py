"""A failure is shrunk to few steps that fail only with the fault; the written test has the same result."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.steps import Act, Requests, Step, Wait, played
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.options import SessionOptions, plan_of
from simbench.bench.runner.run_exercise import Conducted
from simbench.bench.runner.selection import select
from simbench.bench.runner.shrink import FIRST_TRIES, Failure, Search, Shrunk
from simbench.bench.runner.shrinking import failures
from simbench.bench.runner.shrunk_test import name_of, source_of
from simbench.bench.sut.protocol import WITHIN_REACH
from simbench.bench.sut.registry import EVERYTHING
from simbench.cli.main import cli
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.trace.trace import Trace

CONTRACT = load_contract()
ROOT = Path(__file__).parents[3]


def failure(purpose: str, outcome: str = "fail") -> Failure:
    ((exercise, _),) = select([purpose]).values()
    return Failure(exercise, purpose, outcome, CONTRACT)


def with_faults(*faults: str) -> Callable[[Exercise], Conducted]:
    return lambda exercise: conduct_in_memory(exercise, CONTRACT, faults)


def shrunk(of: Failure, run: Callable[[Exercise], Conducted], most: int = 60) -> tuple[Shrunk, list[str]]:
    printed: list[str] = []
    return Search(of, (EVERYTHING, WITHIN_REACH), run, most, printed.append).shortest(), printed


def outcome(of: Failure, steps: Sequence[Step], *faults: str) -> str:
    ran = with_faults(*faults)(msgspec.structs.replace(of.exercise, script=played(steps)))
    (found,) = judge_exercise(ran, [of.purpose], CONTRACT, EVERYTHING)
    return found.outcome


def messages(steps: Sequence[Step]) -> int:
    return sum(len(step.messages) for step in steps if isinstance(step, Requests))


@pytest.mark.parametrize(
    ("fault", "purpose", "kept", "most_messages"),
    [
        ("forgets-on-reconnect", "outage.nothing-lost", {"outage", "restore"}, 3),
        ("retries-final-nack", "recipients.final-refusals", set(), 3),
        ("reuses-trn-after-return", "submits.trn-after-return", {"drop"}, 25),
        ("no-pacing", "rate.after-reconnection", set(), 40),
    ],
)
def test_the_shrunk_steps_fail_only_with_the_fault(
    fault: str, purpose: str, kept: set[str], most_messages: int
) -> None:
    of = failure(purpose)
    found, printed = shrunk(of, with_faults(fault))
    assert not found.unstable
    assert found.finding is not None
    assert (found.finding.outcome, found.finding.blame) == ("fail", "client")
    assert 0 < messages(found.steps) <= most_messages < messages(found.whole) / 4
    assert len(found.steps) < len(found.whole)
    assert {step.name for step in found.steps if isinstance(step, Act)} >= kept
    assert outcome(of, found.steps, fault) == "fail"
    assert outcome(of, found.steps) in {"pass", "inconclusive"}
    assert printed[0].startswith(f"[{FIRST_TRIES + 1}/60] ")


def test_shrunk_steps_wait_for_what_the_client_does_with_the_last_request() -> None:
    found, _ = shrunk(failure("sender.forbidden-requests"), with_faults("sends-any-oadc"))
    assert [step.what for step in found.steps if isinstance(step, Wait)][-2:] == ["settled", "reported"]


def test_tries_are_limited_and_the_shortest_script_so_far_is_used() -> None:
    runs = count()
    run = with_faults("forgets-on-reconnect")

    def counted(exercise: Exercise) -> Conducted:
        next(runs)
        return run(exercise)

    found, printed = shrunk(failure("outage.nothing-lost"), counted, 8)
    assert printed[-1] == "8 tries are used up"
    assert found.tries == next(runs) == 10  # two confirm it
    assert not found.unstable
    assert 1 < messages(found.steps) < messages(found.whole)


def test_a_failure_that_does_not_come_each_time_is_not_shrunk() -> None:
    runs = count()

    def unsteady(exercise: Exercise) -> Conducted:
        return with_faults(*(["forgets-on-reconnect"] if next(runs) % 2 else []))(exercise)

    found, printed = shrunk(failure("outage.nothing-lost"), unsteady)
    assert found.unstable == "outage.nothing-lost failed in 1 of 3 runs of the recorded script"
    assert (found.finding, printed) == (None, [])


def test_a_script_that_would_blame_a_correct_client_is_never_tried() -> None:
    tried: list[Sequence[Step]] = []
    of = failure("outage.nothing-lost")
    search = Search(of, (EVERYTHING, WITHIN_REACH), with_faults("forgets-on-reconnect"), 60, lambda _: None)
    innocent = search._innocent

    def watched(steps: tuple[Step, ...]) -> bool:
        free = innocent(steps)
        if not free:
            tried.append(steps)
        return free

    search._innocent = watched  # type: ignore[method-assign]  # this one search
    found = search.shortest()
    assert tried  # an outage that nothing ends loses everybody's messages
    assert found.steps not in tried
    assert any(isinstance(step, Wait) and step.what == "received" for step in found.steps)


def test_one_purpose_of_each_cause_is_shrunk_or_those_named() -> None:
    plan = msgspec.structs.replace(
        plan_of(SessionOptions("reference"), Path()), chosen=select(["session", "late-results"])
    )
    same = [Finding(purpose, "", "fail", "12 of 30 frames broken", exercise="session", blame="client")
            for purpose in ("sessions.well-formed", "sessions.login-first")]  # fmt: skip
    other = Finding("sessions.window", "", "weak", "another", exercise="late-results", blame="client")
    assert [one.purpose for one in failures([*same, other], plan, ())] == ["sessions.login-first"]
    assert [one.purpose for one in failures([*same, other], plan, ("sessions.window",))] == ["sessions.window"]
    with pytest.raises(BadInput, match="nothing failed in that session"):
        list(failures([], plan, ()))


# The test that is written ----------------------------------------------------------------------------------------


def client(folder: Path, fault: str) -> Path:
    """The reference client as an external client, with a fault or none."""
    path = folder / f"{fault or 'sound'}.toml"
    claims = {name: value for name, value in msgspec.structs.asdict(EVERYTHING).items() if value is not None}
    capabilities = "".join(
        f"{name} = {str(value).lower() if value is True else repr(value)}\n" for name, value in claims.items()
    )
    environment = f'[environment]\nSIMBENCH_FAULT = "{fault}"\n' if fault else ""
    path.write_text(
        f'kind = "command"\nname = "mine"\nprogram = "{sys.executable} -m simbench.client"\nclock = "lines"\n'
        f"{environment}[capabilities]\n{capabilities}"
    )
    return path


def pytest_run(test: Path, sut: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-p", "no:randomly", "--rootdir", str(test.parent), "--sut", str(sut), "--sut-only", "none", str(test)],
        cwd=test.parent, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def test_a_script_that_fails_by_luck_gives_way_to_a_longer_one() -> None:
    runs: dict[int, int] = {}

    def lucky(exercise: Exercise) -> Conducted:
        """The fault shows in short scripts the first time only."""
        ran = with_faults("retries-final-nack")(exercise)
        size = Trace(ran.run).requests
        runs[len(size)] = runs.get(len(size), 0) + 1
        return ran if len(size) > 20 or runs[len(size)] == 1 else with_faults()(exercise)

    found, printed = shrunk(failure("recipients.final-refusals"), lucky)
    assert not found.unstable
    assert messages(found.steps) > 20
    assert any(line.endswith("does not fail each time") for line in printed)


@pytest.mark.slow
def test_a_written_test_fails_with_the_fault_and_passes_without(tmp_path: Path) -> None:
    of = failure("rate.backlog-at-tier")
    found, _ = shrunk(of, with_faults("no-pacing"))
    test = tmp_path / f"{name_of(of.purpose)}.py"
    test.write_text(source_of(of, found))
    assert_decides(test, tmp_path, "no-pacing")


def assert_decides(test: Path, folder: Path, fault: str) -> None:
    broken, sound = (pytest_run(test, client(folder, each)) for each in (fault, ""))
    assert sound.returncode == 0, sound.stdout
    assert "1 passed" in sound.stdout
    assert broken.returncode == 1, broken.stdout
    assert "AssertionError" in broken.stdout


@pytest.mark.slow
def test_the_command_shrinks_a_session_with_the_client_that_ran(tmp_path: Path) -> None:
    session = ["conform", "--sut", "reference", "--fault", "sends-any-oadc"]
    ran = CliRunner().invoke(cli, [*session, "-o", str(tmp_path / "run"), "--only", "sender.forbidden-requests"])
    assert ran.exit_code == 1, ran.output
    done = CliRunner().invoke(cli, [*session, "--shrink", str(tmp_path / "run"), "--tries", "12"])
    assert done.exit_code == 0, done.output
    path = tmp_path / "run" / "shrunk" / "test_sender_forbidden_requests.py"
    assert done.stdout.startswith("sender.forbidden-requests: 6 steps, 14 messages shrunk to ")
    assert done.stdout.rstrip().endswith(str(path))
    assert "[4/12] " in done.stderr
    assert_decides(path, tmp_path, "sends-any-oadc")


def test_shrinking_needs_a_client_and_a_failure(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["conform", "--shrink", str(tmp_path)])
    assert isinstance(done.exception, BadInput)
    assert "--sut: is missing" in str(done.exception)
