"""Clients that crash, hang, flood, write invalid output, connect twice or never end still get a verdict in time."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner import run_exercise as conduct_module
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, run_exercise, run_info
from simbench.bench.runner.selection import select
from simbench.bench.sut import command
from simbench.bench.sut.command import Command
from simbench.bench.sut.protocol import Capabilities, Reach
from simbench.contract import load_contract
from simbench.finding import Finding, exit_status
from simbench.ledger import MemoryLedger
from simbench.trace.trace import Trace

assert select()  # enters every rule
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "client.py"
PURPOSES = ("sessions.well-formed", "sessions.login-first", "sender.short-code-only")


async def five_messages(bench: Bench) -> None:
    await bench.connected(bench.rates)
    for number in range(1, 6):
        await bench.ask(bench.message("36010"))
        await bench.received(number, 60 if number < 3 else 1)  # some clients here answer two messages only


FIVE = Exercise("five", "Five messages", PURPOSES, {"36010": 10}, five_messages, 1)


def after(text: str) -> Exercise:
    """Wait for an error that the client or its adapter reports, then for its login."""

    async def script(bench: Bench) -> None:
        while text not in bench.remark:  # noqa: ASYNC110 - no event of a report
            await asyncio.sleep(0.01)
        await bench.connected(bench.rates)

    return Exercise("reported", "An error, and no login", PURPOSES, {"36010": 10}, script, 1)


def conducted(script: str, folder: Path, exercise: Exercise = FIVE, connect_wait_s: float = 120.0) -> Conducted:
    """Run an exercise with any client: no process that it started remains."""
    mark = f"TEST_OF_BAD_CLIENTS={folder}"
    sut = Command([sys.executable, "-c", script], name="client", environment=dict([mark.split("=")]))
    sut.reach = Reach(connect_wait_s=connect_wait_s)  # type: ignore[attr-defined]  # an adapter may say how far it is reached
    ledger = MemoryLedger(run_info(exercise, load_contract(), 1, "client"))
    ran = asyncio.run(run_exercise(exercise, sut, load_contract(), ledger, RunEnvironment(folder)))
    assert left_behind(mark) == []
    return ran


def left_behind(mark: str) -> list[str]:
    """Running processes, without zombies, that have this text in their initial environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes().split(b"\0") and not gone(int(place.name)):
                found.append(place.name)
        except OSError:  # it has just ended, or is somebody else's
            continue
    return found


def judged(ran: Conducted) -> dict[str, Finding]:
    found = judge_exercise(ran, PURPOSES, load_contract(), Capabilities())
    return {finding.purpose: finding for finding in found}


def outcomes(ran: Conducted) -> set[str]:
    return {finding.outcome for finding in judged(ran).values()}


def example(old: str = "", new: str = "") -> str:
    text = EXAMPLE.read_text("utf-8")
    assert old in text
    return text.replace(old, new, 1) if old else text


def pids(folder: Path) -> list[int]:
    return [int(line.split()[1]) for line in (folder / "client.log").read_text().splitlines() if line.startswith("pid")]


def test_the_example_client_passes(tmp_path: Path) -> None:
    assert outcomes(conducted(example(), tmp_path)) == {"pass"}


def test_violations_before_a_crash_fail_and_the_rest_is_inconclusive(tmp_path: Path) -> None:
    script = example('oadc = line.get("oadc") or line["code"]', 'oadc = "36999"; next(asked) == 3 and sys.exit(5)')
    ran = conducted(f"import itertools\nasked = itertools.count(1)\n{script}", tmp_path)
    assert "ended with status 5" in ran.trouble
    found = judged(ran)
    assert (found["sender.short-code-only"].outcome, found["sender.short-code-only"].blame) == (
        "fail",
        "client",
    )
    assert found["sessions.login-first"].outcome == "inconclusive"
    assert exit_status(found.values()) == 1


def test_a_client_that_crashes_at_once_is_inconclusive(tmp_path: Path) -> None:
    ran = conducted("import sys; print('no config', file=sys.stderr); sys.exit(3)", tmp_path)
    assert outcomes(ran) == {"inconclusive"}
    assert "no config" in ran.trouble
    assert exit_status(judged(ran).values()) == 3


def test_a_client_that_reports_it_cannot_run_here_is_unsupported(tmp_path: Path) -> None:
    ran = conducted("import sys; print('no card', file=sys.stderr); sys.exit(127)", tmp_path)
    assert outcomes(ran) == {"unsupported"}
    assert "no card" in judged(ran)[PURPOSES[0]].summary
    assert exit_status(judged(ran).values()) == 3


def test_a_client_that_hangs_before_it_is_ready_is_ended_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "READY_WAIT_S", 0.5)
    ran = conducted("import time; time.sleep(999)", tmp_path)
    assert outcomes(ran) == {"inconclusive"}
    assert "not ready" in ran.trouble


def test_a_client_that_hangs_once_it_is_connected_is_judged_by_what_it_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "STOP_WAIT_S", 0.3)
    script = example(
        'oadc = line.get("oadc") or line["code"]', 'oadc = line["code"]; next(asked) < 3 or time.sleep(999)'
    )
    ran = conducted(f"import itertools, time\nasked = itertools.count(1)\n{script}", tmp_path)
    assert ran.trouble == ""
    assert len(Trace(ran.run).submits) == 2
    assert judged(ran)["sender.short-code-only"].outcome == "pass"


def test_an_exercise_that_a_client_keeps_from_ending_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[asyncio.Timeout] = []

    def budget(_: float | None) -> asyncio.Timeout:
        budgets.append(asyncio.timeout(None))
        return budgets[-1]

    monkeypatch.setattr(conduct_module, "asyncio", SimpleNamespace(timeout=budget))
    monkeypatch.setattr(conduct_module, "budget_s", lambda *_: 8.0)

    async def for_ever(bench: Bench) -> None:
        await bench.ask(bench.message("36010"))
        await bench.received(1, 600)
        budgets[0].reschedule(0)  # it is over
        await bench.pause(999)

    long = Exercise("long", "", PURPOSES, {"36010": 10}, for_ever, 1)
    ran = conducted(example('line.get("oadc") or line["code"]', '"36999"'), tmp_path, long)
    assert "did not end within 8 s" in ran.trouble
    assert judged(ran)["sender.short-code-only"].outcome == "fail"
    assert judged(ran)["sessions.login-first"].outcome == "inconclusive"


def test_a_client_that_never_connects_is_inconclusive(tmp_path: Path) -> None:
    ran = conducted("""print('{"event": "ready"}', flush=True); input()""", tmp_path, connect_wait_s=1.0)
    assert outcomes(ran) == {"inconclusive"}
    assert "did not log in" in ran.trouble


def test_a_client_that_ends_or_floods_before_it_logs_in_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = """print('{"event": "ready"}', flush=True)"""
    script = f"import sys; {ready}; sys.exit('no route')"
    gone = conducted(script, tmp_path / "gone", after("no route"), connect_wait_s=0.1)
    assert "did not log in" in gone.trouble
    assert "no route" in gone.trouble
    monkeypatch.setattr(command, "MOST_LINES", 500)
    script = f"{ready}\nwhile True: print('{{}}')"
    flooding = conducted(script, tmp_path / "flooding", after("too much output"), connect_wait_s=0.1)
    assert "too much output" in flooding.trouble


def test_a_client_that_floods_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MOST_LINES", 500)
    flood = 'say("ready")\n[say("mo", **{"from": "1", "code": "36010", "text": "x"}) for _ in range(10**7)]'
    ran = conducted(example('say("ready")', flood), tmp_path)
    assert "too much output" in ran.trouble
    assert ran.run.stimuli.num_rows < 2000


@pytest.mark.slow
def test_a_client_that_floods_the_wire_is_judged_by_what_it_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "STOP_WAIT_S", 0.3)
    flood = """say("ready")
while True:  # answers are never read
    write(1, "O", "51", "33639980001", "36999", *[""] * 16, "3", "", "41", *[""] * 12)
"""

    async def a_second(bench: Bench) -> None:
        await bench.pause(1)

    flooded = Exercise("flooded", "", PURPOSES, {"36010": 10}, a_second, 1)
    ran = conducted(example('say("ready")\n', flood), tmp_path, flooded)
    assert outcomes(ran) <= {"pass", "fail", "inconclusive"}
    assert judged(ran)["sender.short-code-only"].outcome == "fail"


def test_a_client_that_writes_no_json_is_reported_and_judged_by_the_wire(tmp_path: Path) -> None:
    ran = conducted(
        example(
            'print(json.dumps({"event": event, **what})',
            'event == "ready" and print(\'{"event": "ready"}\') or print("it is fine"',
        ),
        tmp_path,
    )
    assert outcomes(ran) == {"pass"}
    assert "not a line of the protocol" in str(ran.run.stimuli.to_pylist())


def test_a_client_that_connects_twice_is_judged(tmp_path: Path) -> None:
    (connect,) = [line for line in example().splitlines() if line.startswith("SMSC = ")]
    (login,) = [line for line in example().splitlines() if line.startswith('call("60"')]
    ran = conducted(example(login, f"{login}\nfirst = SMSC\n{connect}\n{login}"), tmp_path)
    assert ran.trouble == ""
    assert len(Trace(ran.run).sessions) == 2
    assert outcomes(ran) == {"pass"}


def test_a_client_that_never_ends_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "STOP_WAIT_S", 0.3)
    stubborn = """import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
far = subprocess.Popen(["sleep", "999"], start_new_session=True, stdout=subprocess.DEVNULL)
print("pid", os.getpid(), file=sys.stderr); print("pid", far.pid, file=sys.stderr, flush=True)
"""
    text = example("\nACCOUNT = ", f"\n{stubborn}\nACCOUNT = ") + "__import__('time').sleep(999)\n"
    ran = conducted(text, tmp_path)
    assert outcomes(ran) == {"pass"}
    assert len(pids(tmp_path)) == 2
    assert [pid for pid in pids(tmp_path) if not gone(pid)] == []


def gone(pid: int) -> bool:
    """Tell whether a process has ended or is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_client_that_does_not_read_its_input_is_reported_as_hanging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "WRITE_WAIT_S", 0.3)
    monkeypatch.setattr(command, "STOP_WAIT_S", 0.3)

    async def much(bench: Bench) -> None:
        await bench.ask_all(bench.message("36010", text="x" * 1000) for _ in range(2000))

    sut = Command(
        [sys.executable, "-c", """import time; print('{"event": "ready"}', flush=True); time.sleep(99)"""],
        name="client",
    )
    ledger = MemoryLedger(run_info(FIVE, load_contract(), 1, "client"))
    stuffed = Exercise("stuffed", "", PURPOSES, {"36010": 10}, much, 1)
    ran = asyncio.run(run_exercise(stuffed, sut, load_contract(), ledger, RunEnvironment(tmp_path)))
    assert "has not read its input" in ran.trouble


def test_nothing_judged_is_no_success() -> None:
    assert exit_status([Finding("sessions.well-formed", "OPS-CON-02", "unsupported", "no")]) == 3
