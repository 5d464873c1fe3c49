"""Sessions of `conform`: clients of one's own that break, and sessions in which nothing could run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import simbench
from simbench.bench.sut.protocol import Reach, Report
from tests.cli.child import Ended


class Breaking:
    """A client whose adapter has a mistake in it."""

    name, version, capabilities = "breaking", "1.0", simbench.Capabilities(limits_rate=True)

    async def start(self, target: simbench.Target, tell: Callable[[Report], None]) -> None:
        """Start it, were there no mistake."""
        tell(Report("queued"))
        raise KeyError(f"no folder {target.folder.name}")

    async def send(self, ask: simbench.Outgoing) -> None:
        """Send."""

    async def stop(self) -> None:
        """End it."""


class Observed(Breaking):
    """A client that takes no requests and has no account that fits."""

    reach = Reach(asks=False, accounts=())


def test_an_exercise_that_breaks_is_an_error_of_the_bench_and_the_others_go_on(tmp_path: Path) -> None:
    session = simbench.conform(Breaking, only=("refusals", "originators"), folder=tmp_path / "kept")
    assert {one.exercise for one in session.findings} >= {"refusals", "originators"}
    assert {one.outcome for one in session.findings} == {"error", "unsupported"}
    errors = session.findings.of("error")
    assert {(one.blame, one.summary.partition(" (")[0]) for one in errors} == {
        ("bench", "the exercise broke: KeyError: 'no folder client'")
    }
    assert all("(test_sessions.py, line " in one.summary for one in errors)
    assert session.outcome == "inconclusive"


def test_a_session_in_which_nothing_could_run_is_reported_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = simbench.conform(Observed, only="refusals", folder=tmp_path / "kept")
    assert {one.outcome for one in session.findings} == {"unsupported"}
    again = simbench.read_session(tmp_path / "kept")
    assert again.findings == session.findings
    with pytest.raises(simbench.BadInput, match="already contains a session"):
        simbench.conform(Observed, only="refusals", folder=tmp_path / "kept")
    done: Any = Ended(capsys, "report", tmp_path / "kept", "-o", tmp_path / "report")
    assert done.status in {None, 0, 3}, done.err
    assert (tmp_path / "report" / "report.html").is_file()


def test_the_failures_of_a_party_are_lines() -> None:
    failed = simbench.Finding("rate.backlog-at-tier", "OPS-ENG-01", "fail", "40 a second", blame="client")
    theirs = simbench.Finding("recipients.accepted", "OPS-ACH-01", "fail", "0 accepted", blame="platform")
    passed = simbench.Finding("sessions.login-first", "OPS-CON-03", "pass", "1 connection")
    found = simbench.Findings([failed, theirs, passed])
    assert found.failures_of("client") == ["OPS-ENG-01 rate.backlog-at-tier: 40 a second"]
    assert found.failures_of("platform") == ["OPS-ACH-01 recipients.accepted: 0 accepted"]
    assert str(found).splitlines()[0] == "fail         OPS-ENG-01  rate.backlog-at-tier  40 a second"
