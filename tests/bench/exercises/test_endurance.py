from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.bench.exercises.endurance import duration_s, soak
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.sut.process_tree import tree_rss_kib
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger
from simbench.rules.client.endurance import samples
from simbench.rules.rule import Case, judge, load, standing
from simbench.trace.trace import Trace
from tests.cli.child import Ended

COUNT = 240
Course = Callable[[int], tuple[int, int, int]]

# (memory in KiB, backlog, accepted so far) at each sample, a second apart.
STEADY: Course = lambda n: (40_000 + 30 * (n % 5), n % 7, 30 * n)  # noqa: E731 - a table of one-liners
PLANTED: dict[str, tuple[str, Course]] = {
    "grows-memory": ("soak.endures-memory", lambda n: (40_000 + 20 * n, 0, 30 * n)),
    "grows-backlog": ("soak.endures-backlog", lambda n: (40_000, n, 30 * n)),
    "slows-down": ("soak.endures-rate", lambda n: (40_000, 0, 30 * n - n * n // 40)),
}


def judged(course: Course, count: int = COUNT) -> dict[str, Finding]:
    ledger = MemoryLedger()
    limit = json.dumps({"rate_per_s": 10, "mode": "monitor", "account": "36010"})
    ledger.events.append((0, "limit", "36010", None, limit))
    for number in range(count):
        rss_kib, backlog, accepted = course(number)
        detail = json.dumps({"rss_kib": rss_kib, "backlog": backlog, "accepted": accepted})
        ledger.events.append((number * SECOND_US, "sample", "client", None, detail))
    case = Case(Trace(ledger.snapshot()), load_contract())
    return {purpose: judge(purpose, case, "soak") for purpose, _ in PLANTED.values()}


def test_a_steady_course_passes() -> None:
    assert {one.outcome for one in judged(STEADY).values()} == {"pass"}


@pytest.mark.parametrize("fault", PLANTED)
def test_growth_and_slowdown_fail_only_their_own_rule(fault: str) -> None:
    purpose, course = PLANTED[fault]
    found = judged(course)
    assert {one for one in found if found[one].outcome != "pass"} == {purpose}
    assert found[purpose].outcome == "fail"
    assert found[purpose].evidence


def test_growth_within_the_first_tenth_is_not_a_failure() -> None:
    found = judged(lambda n: (40_000 if n > COUNT // 10 else 20_000, 0, 30 * n))
    assert found["soak.endures-memory"].outcome == "pass"


def test_too_few_samples_are_inconclusive() -> None:
    assert {one.outcome for one in judged(STEADY, 30).values()} == {"inconclusive"}


@pytest.mark.parametrize(("text", "seconds"), [("60", 60), ("90s", 90), ("10m", 600), ("8h", 28_800), ("2d", 172_800)])
def test_durations_are_read(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "5s", "8 h", "-60", "1y", "99d", "1.5h"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--soak"):
        duration_s(text)


def test_the_memory_of_a_tree_is_that_of_its_root_and_all_below(tmp_path: Path) -> None:
    for pid, children, pages in ((10, "11 13", 5), (11, "12", 7), (12, "", 9), (13, "14", 1), (15, "", 100)):
        (tmp_path / str(pid) / "task" / str(pid)).mkdir(parents=True)
        (tmp_path / str(pid) / "task" / str(pid) / "children").write_text(children, encoding="ascii")
        (tmp_path / str(pid) / "statm").write_text(f"1000 {pages} 3 0 0 0 0", encoding="ascii")
    assert tree_rss_kib(10, tmp_path) == (5 + 7 + 9 + 1) * os.sysconf("SC_PAGE_SIZE") // 1024


def test_two_minutes_in_virtual_time_lose_and_duplicate_no_message() -> None:
    exercise, purposes = soak(120, load_contract())["soak"]
    ran = conduct_in_memory(exercise, load_contract())
    case = Case(Trace(ran.run), load_contract())
    found = {purpose: judge(purpose, case, "soak") for purpose in purposes}
    assert found.pop("soak.endures-memory").outcome == "unsupported"  # it has no process of its own
    assert {purpose: one.outcome for purpose, one in found.items()} == dict.fromkeys(found, "pass")
    assert len(case.trace.outages) == 4
    assert len(samples(case.trace)) > 400


@pytest.mark.slow
def test_a_minute_of_the_reference_client_loses_nothing_and_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Ended(capsys, "conform", "--sut", "reference", "--soak", "60s", "-o", tmp_path / "out", "--json")
    findings = {one["purpose"]: one for one in json.loads(ended.out)["findings"]}
    assert set(findings) == {*load("soak"), *standing()}
    # How memory, backlog and rate go in a minute is the machine's too: `make soak` holds them.
    measured = {name for name in load("soak") if name.startswith("soak.endures-")} | {"rate.backlog-at-tier"}
    outcomes = {name: one["outcome"] for name, one in findings.items()}
    assert {outcomes[name] for name in measured} <= {"pass", "weak", "fail", "inconclusive"}
    assert {outcomes[name] for name in outcomes.keys() - measured} == {"pass"}, outcomes
    assert "Memory from" in (tmp_path / "out" / "report.html").read_text("utf-8")

    again = Ended(capsys, "conform", "--from", tmp_path / "out", "--json")
    assert json.loads(again.out) == json.loads(ended.out)
    memory = Ended(capsys, "conform", "--from", tmp_path / "out", "--only", "soak.endures-memory", "--json")
    assert [one["purpose"] for one in json.loads(memory.out)["findings"]] == ["soak.endures-memory"]
    Ended(capsys, "report", tmp_path / "out")
    assert "Memory from" in (tmp_path / "out" / "report.html").read_text("utf-8")
