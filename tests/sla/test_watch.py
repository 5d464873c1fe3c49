"""A table of tickets that grows: what a watch warns of, and the ledger it keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simbench.ledger import open_run
from simbench.ledger.events import events_in
from simbench.ledger.incidents import incidents_of
from simbench.sla.watch import METRICS
from tests.cli.child import Ended

FROM, NOW = "2025-01-01T00:00+01:00", "2026-01-01T00:00+01:00"


def write(path: Path, lengths_h: list[float], open_one: bool = False) -> Path:
    """Tickets three weeks apart; the last one may still be open."""
    rows = ["ticket,start,end,scope,planned,announced_at"]
    for number, hours in enumerate(lengths_h, 1):
        start = datetime(2025, 1, 5, 2, tzinfo=UTC) + timedelta(days=21 * number)
        end = "" if open_one and number == len(lengths_h) else (start + timedelta(hours=hours)).isoformat()
        rows.append(f"T{number},{start.isoformat()},{end},total,false,")
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def look(capsys: pytest.CaptureFixture[str], tmp_path: Path, *more: str, now: str = NOW) -> Ended:
    return Ended(
        capsys, "sla", "watch", tmp_path / "t.csv", "--history-from", FROM, "--once", "--now", now, "-o",
        tmp_path / "out", *more,
    )  # fmt: skip


def tickets(tmp_path: Path) -> dict[str, int | None]:
    events = events_in(open_run(tmp_path / "out" / "ledger").events)
    return {one.ticket: one.end for one in incidents_of(events)}


def test_nothing_is_printed_while_budget_and_forecast_are_within_their_thresholds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "t.csv", [1, 1, 1])
    ended = look(capsys, tmp_path)
    assert (ended.status, ended.out) == (0, "")
    assert set(tickets(tmp_path)) == {"T1", "T2", "T3"}


def test_a_watch_goes_on_with_its_ledger_and_warns_when_a_threshold_is_crossed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "t.csv", [6] * 5, open_one=True)
    ended = look(capsys, tmp_path, "--chance-above", "100%", now="2025-04-20T06:00+02:00")
    assert (ended.status, ended.out) == (0, "")
    assert tickets(tmp_path)["T5"] is None
    write(tmp_path / "t.csv", [6] * 14)
    ended = look(capsys, tmp_path, "--chance-above", "100%")
    assert ended.status == 1
    # 84 h of 87.6 h are lost
    assert ended.out == "2026-01-01T00:00:00+01:00 budget: 3.60 h of 87.60 h left (4%), below 25%\n"
    kept = tickets(tmp_path)
    assert len(kept) == 14
    assert None not in kept.values()
    text = (tmp_path / "out" / METRICS).read_text("utf-8")
    assert "\nsimbench_sla_budget_left_hours 3.6\n" in text
    assert "\nsimbench_sla_outages 14\n" in text
    assert "\nsimbench_sla_thresholds_crossed 1\n" in text


def test_the_forecast_warns_before_the_budget_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "t.csv", [6] * 14)
    ended = look(capsys, tmp_path, "--budget-below", "0", "--chance-above", "0.2", "--ahead-days", "60")
    assert ended.status == 1
    assert "forecast: availability falls below its target within 60 days with probability" in ended.out


def test_a_ticket_that_changed_is_judged_as_it_is_now(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "t.csv", [1, 1])
    look(capsys, tmp_path)
    write(tmp_path / "t.csv", [1, 80])
    ended = look(capsys, tmp_path)
    assert "ticket T2 has changed since it was recorded; its current version is judged\n" in ended.out
    assert "6.60 h of 87.60 h left" in ended.out


def test_a_watch_until_crossed_reads_the_file_again_and_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the real clock: more is lost in two hundred days than a whole year allows."""
    start = datetime.now(UTC) - timedelta(days=200)
    path = tmp_path / "t.csv"
    end = start + timedelta(hours=90)
    path.write_text(f"ticket,start,end,scope,planned\nA,{start.isoformat()},{end.isoformat()},total,false\n", "utf-8")
    since = (start - timedelta(days=100)).isoformat()
    ended = Ended(
        capsys, "sla", "watch", path, "--history-from", since, "--until-crossed", "--every", "0.1", "-o",
        tmp_path / "out",
    )  # fmt: skip
    assert ended.status == 1
    assert "budget: " in ended.out


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--budget-below", "much"), "--budget-below: is 'much'; expected a share such as 0.25 or 25%"),
        (("--chance-above", "101%"), "--chance-above: is '101%'"),
    ],
)
def test_wrong_thresholds_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, str], problem: str
) -> None:
    write(tmp_path / "t.csv", [1])
    ended = look(capsys, tmp_path, *more)
    assert ended.status == 2
    assert problem in ended.err
    assert ended.err.count("\n") == 1
