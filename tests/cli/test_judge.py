"""`simbench judge` as its user calls it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from simbench.base.outputs import MANIFEST
from simbench.bench.report.findings_file import read_findings
from simbench.ledger import Ledger, RunInfo
from simbench.sla.imports.record import run_of
from tests.cli.child import Ended
from tests.sla.years import YEAR, outage, outages

HEAD = "start,end,scope,planned,announced_at\n"
PERIOD = ("--from", "2025-01-01T00:00:00+01:00", "--to", "2026-01-01T00:00:00+01:00")


def table(path: Path, count: int, hours: int) -> Path:
    """So many outages, one every 20 days from 10 January on at two in the morning, UTC."""
    from datetime import UTC, datetime, timedelta

    rows = []
    for number in range(count):
        start = datetime(2025, 1, 10, 2, tzinfo=UTC) + timedelta(days=20 * number)
        rows.append(f"{start.isoformat()},{(start + timedelta(hours=hours)).isoformat()},total,false,\n")
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


def outcomes(text: str) -> dict[str, str]:
    return {one["purpose"]: one["outcome"] for one in json.loads(text)["findings"]}


@pytest.mark.parametrize(("count", "status"), [(14, 0), (15, 1)])
def test_fourteen_outages_of_six_hours_pass_and_fifteen_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, status: int
) -> None:
    ended = Ended(capsys, "judge", table(tmp_path / "o.csv", count, 6), *PERIOD, "--json")
    assert ended.status == status
    assert outcomes(ended.out)["sla.availability"] == ("pass" if status == 0 else "fail")
    assert outcomes(ended.out)["sla.restoration"] == "pass"


def test_what_is_printed_as_json_is_a_findings_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "judge", table(tmp_path / "o.csv", 1, 7), *PERIOD, "--json", "-o", tmp_path / "out")
    (tmp_path / "output.json").write_text(ended.out, encoding="utf-8")
    assert read_findings(tmp_path / "output.json") == read_findings(tmp_path / "out" / "findings.json")
    with (tmp_path / "out" / "incidents.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["restored_in_time"], row["counted_as"], row["counted_in"]) == ("no", "unplanned", "V1 V2 V3 V4")
    assert row["leaves_window_at"] == "2026-01-10T10:00:00+01:00"


def test_rows_set_aside_are_reported_line_by_line_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "o.csv", 1, 3)
    path.write_text(path.read_text("utf-8") + "x,y,total,false,\n", encoding="utf-8")
    ended = Ended(capsys, "judge", path, *PERIOD, "--json")
    assert (
        ended.err == 'set aside: line 3: start: "x" is not a time; expected ISO 8601, as in 2026-03-02T10:00:00+01:00\n'
    )
    answer = json.loads(ended.out)
    assert answer["run"]["set_aside"] == 1
    assert answer["run"]["unread"].startswith("incidents: 1 of 2 rows was not read (line 3: ")
    outcome = {one["clause"]: (one["outcome"], one["summary"]) for one in answer["findings"]}
    for clause in ("OPS-QOS-01", "OPS-QOS-02"):
        assert outcome[clause][0] == "inconclusive"
        assert "but 1 of 2 rows was not read (line 3: start:" in outcome[clause][1]


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("--from", "2025-01-01", "--to", "2026-01-01"), '--from: "2025-01-01" has no time zone'),
        (("--from", "2025-01-01T00:00Z"), "--to: is missing"),
        (("--from", "2026-01-01T00:00Z", "--to", "2025-01-01T00:00Z"), "--to: is not after --from"),
        (("--from", "soon", "--to", "2025-01-01T00:00Z"), '--from: "soon" is not a time'),
        ((*PERIOD, "--tz", "Mars/Olympus"), '--tz: "Mars/Olympus" is not a time zone'),
        ((*PERIOD, "--forecast", "2025-06-01T00:00Z"), "--forecast: is within the judged period"),
        ((*PERIOD, "--forecast", "2026-06-01T00:00Z"), "1 outage ended before the forecast, too few to fit"),
        ((*PERIOD, "--history-from", "2025-06-01T00:00Z"), "--history-from: is after --from"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reported: str
) -> None:
    ended = Ended(capsys, "judge", table(tmp_path / "o.csv", 1, 3), *arguments)
    assert ended.status == 2
    assert reported in ended.err
    assert ended.err.count("\n") == 1


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "judge", tmp_path / "none.csv", *PERIOD)
    assert (ended.status, ended.err.count("\n")) == (2, 1)


def test_decisions_probes_and_a_forecast_are_shown_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.toml").write_text(
        '[[decisions]]\nincident = "O0001"\nclass = "client"\nreason = "link"\nwho = "A. M."\nwhen = 2025-02-01\n',
        encoding="utf-8",
    )
    (tmp_path / "p.csv").write_text(
        "at,ok\n2025-01-10T01:58:00Z,true\n2025-01-10T02:00:00Z,false\n2025-01-10T06:00:00Z,false\n2025-01-10T09:00:00Z,true\n",
        encoding="utf-8",
    )
    files = ("--decisions", tmp_path / "d.toml", "--probes", tmp_path / "p.csv", "-o", tmp_path / "out")
    chances = ("--forecast", "2026-03-01T00:00:00+01:00", "--replications", "20", "--workers", "1")
    ended = Ended(capsys, "judge", table(tmp_path / "o.csv", 5, 7), *PERIOD, *files, *chances, "--json")
    answer = json.loads(ended.out)
    found = [one for key in ("before", "findings") for one in answer[key]]
    assert [one["summary"][:1] for one in found if one["purpose"] == "sla.restoration"] == ["5", "4"]
    assert answer["dispute"][0]["verdict"] == "agree"
    assert answer["forecast"]["replications"] == 20
    assert [one["availability"]["share"] for one in answer["forecast"]["dates"]] == [0, 0]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {
        "findings.json", "findings-before.json", "incidents.csv", "incidents-before.csv", "dispute.csv",
        "forecast.json", "report.html", "data.json", MANIFEST,
    }  # fmt: skip
    shown = Ended(capsys, "judge", table(tmp_path / "o.csv", 5, 7), *PERIOD, *files, *chances).out
    assert "before the decisions:" in shown
    assert "outages by the client's probes and by the tickets" in shown
    assert "probability of a breach by each date" in shown


def test_a_run_folder_is_judged_over_its_own_period(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.create(tmp_path / "run", RunInfo("year")) as ledger:
        reported = run_of([*outages(3, 6), outage(6000, 7, 9)], YEAR)
        ledger.events.extend(tuple(row.values())[:5] for row in reported.events.to_pylist())
    ended = Ended(capsys, "judge", tmp_path / "run", "--json")
    assert ended.status == 1
    assert outcomes(ended.out)["sla.restoration"] == "fail"
    assert json.loads(ended.out)["run"]["from"] == "2025-01-01T00:00:00+01:00"


def test_a_log_of_kannel_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    log = Path(__file__).parents[1] / "sla" / "imports" / "bearerbox.log"
    assert Ended(capsys, "judge", log).status == 2
    ended = Ended(capsys, "judge", log, "--tz", "Europe/Paris", "--json")
    assert ended.status == 3  # nothing waited, so that nothing could be judged
    assert outcomes(ended.out)["sla.rate-with-backlog"] == "unsupported"
