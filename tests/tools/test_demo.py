"""The demonstration's ending: the findings that matter most come first, and earlier demonstrations stay."""

from __future__ import annotations

from pathlib import Path

from simbench.bench.runner.selection import select
from simbench.finding import Finding, Outcome
from tools.demo import EXERCISES, closing, most_important, new_folder


def finding(clause: str, slug: str, outcome: Outcome, summary: str = "s") -> Finding:
    topic = {"OPS-ACH-02": "sender", "OPS-ACH-04": "rate", "OPS-CON-02": "sessions", "OPS-ENG-01": "rate"}[clause]
    return Finding(f"{topic}.{slug}", clause, outcome, summary)


def test_the_worst_come_first_and_one_of_each_clause_before_a_second() -> None:
    findings = [
        finding("OPS-ACH-04", "a", "pass"),
        finding("OPS-ENG-01", "b", "fail"),
        finding("OPS-ENG-01", "c", "fail"),
        finding("OPS-ACH-02", "d", "fail"),
        finding("OPS-ACH-04", "e", "inconclusive"),
    ]
    assert [one.purpose for one in most_important(findings)] == ["rate.b", "sender.d", "rate.c"]
    assert [one.purpose for one in most_important(findings[:1])] == ["rate.a"]


def test_among_passes_throughput_and_recovery_are_shown() -> None:
    names = ("OPS-ACH-02", "OPS-ACH-04", "OPS-CON-02", "OPS-ENG-01")
    chosen = most_important(finding(clause, "x", "pass") for clause in names)
    assert [one.clause for one in chosen] == ["OPS-ACH-04", "OPS-ENG-01", "OPS-ACH-02"]


def test_it_ends_with_what_to_look_at(tmp_path: Path) -> None:
    lines = closing("kannel", tmp_path, [finding("OPS-ENG-01", "b", "fail", "word " * 100)])
    assert lines[1] == "kannel: 1 fail. The most important findings:"
    assert lines[2].startswith("  ✗ fail         rate.b: word")
    assert max(len(line) for line in lines if str(tmp_path) not in line) < 200
    assert any(str(tmp_path / "report.html") in line for line in lines)
    assert any("explain OPS-ENG-01" in line for line in lines)


def test_an_earlier_demonstration_is_neither_removed_nor_written_over(tmp_path: Path) -> None:
    assert new_folder(tmp_path) == tmp_path / "demo"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo-2").mkdir()
    assert new_folder(tmp_path) == tmp_path / "demo-3"


def test_its_exercises_are_those_of_the_bench() -> None:
    assert set(EXERCISES) <= set(select())
