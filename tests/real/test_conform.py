"""Whole sessions of `simbench conform`, short ones, as a user runs them: real processes, real sockets, real files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.real.conftest import require

SIMBENCH = str(Path(sys.executable).parent / "simbench")


def conform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SIMBENCH, "conform", "-o", str(folder / "out"), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.slow
def test_the_reference_client_conforms_and_leaves_everything_it_should(tmp_path: Path) -> None:
    done = conform(tmp_path, "--sut", "reference", "--only", "originators", "--json")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    result = json.loads(done.stdout)
    assert result == json.loads((out / "findings.json").read_text())
    assert result["summary"]["pass"] == 7  # four of its own, and three that every exercise is judged by
    cases = ET.parse(out / "junit.xml").getroot().iter("testcase")  # noqa: S314 - we wrote it
    assert len({case.get("name") for case in cases}) == 8
    assert "sender.forbidden-requests" in (out / "report.html").read_text()
    assert "finished" in done.stderr

    again = conform(tmp_path, "--sut", "reference", "--only", "originators", "--json", "--from", str(out))
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["findings"] == result["findings"]


@pytest.mark.slow
def test_side_by_side_or_one_after_the_other_the_verdicts_are_the_same(tmp_path: Path) -> None:
    verdicts = []
    for jobs in ("1", "4"):
        arguments = ("--sut", "reference", "--jobs", jobs, "--only", "originators", "--only", "suspension")
        done = conform(tmp_path / jobs, *arguments)
        assert done.returncode == 0, done.stderr
        printed = done.stderr.splitlines()  # with lines of what still runs or is repeated between them
        _, second = (place for place, line in enumerate(printed) if "(about " in line)
        finished = next(place for place, line in enumerate(printed) if " finished " in line)
        assert (finished < second) == (jobs == "1")
        out = tmp_path / jobs / "out"
        found = json.loads((out / "findings.json").read_text())["findings"]
        verdicts.append([(one["purpose"], one["exercise"], one["outcome"]) for one in found])
        (once,) = [one for one in found if one["purpose"] == "sessions.violations"]  # one finding of the session
        assert {shown["exercise"] for shown in once["evidence"]} == {"originators", "suspension"}
        assert len(re.findall(r"sessions.violations ", done.stdout)) == 1
        assert (out / "junit.xml").read_text().count('<testcase classname="OPS-CON-02" name="sessions.violations') == 1
    assert verdicts[0] == verdicts[1]


@pytest.mark.slow
def test_a_planted_fault_makes_the_session_fail(tmp_path: Path) -> None:
    done = conform(tmp_path, "--sut", "reference", "--only", "originators", "--fault", "sends-any-oadc", "--json")
    assert done.returncode == 1
    failed = [f for f in json.loads(done.stdout)["findings"] if f["outcome"] == "fail"]
    assert [f["purpose"] for f in failed] == ["sender.forbidden-requests", "sender.no-subscriber-number"]
    assert failed[0]["evidence"][0]["frame"].startswith("02")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exercise", "fault", "failing"),
    [
        ("sundays", "works-on-sundays", {"hours.sundays"}),
        ("campaign", "omits-stop", {"marketing.stop-mention", "marketing.second-segment"}),
        ("refusals", "reports-nack-as-accepted", {"reports.as-on-the-wire"}),
    ],
)
def test_a_few_faults_are_caught_in_real_processes_as_well(
    tmp_path: Path, exercise: str, fault: str, failing: set[str]
) -> None:
    done = conform(tmp_path, "--sut", "reference", "--only", exercise, "--fault", fault, "--json")
    assert done.returncode == 1, done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert {f["purpose"] for f in findings if f["outcome"] == "fail"} == failing
    assert {f["outcome"] for f in findings} <= {"pass", "fail"}


@pytest.mark.real
def test_kannel_is_judged_with_evidence(tmp_path: Path) -> None:
    require("bearerbox", package="kannel")
    done = conform(tmp_path, "--sut", "kannel", "--only", "originators", "--json")
    result = json.loads(done.stdout)
    outcomes = {f["purpose"]: f["outcome"] for f in result["findings"]}
    assert outcomes == {
        "sender.short-code-only": "pass",
        "sender.forbidden-requests": "unsupported",
        "sender.no-subscriber-number": "unsupported",
        "sender.allotted-codes": "pass",
        "sender.originator-in-service": "pass",
        "reports.as-on-the-wire": "pass",
        "sessions.violations": "pass",
        "submits.violations": "pass",
    }, done.stderr
    assert done.returncode == 0
