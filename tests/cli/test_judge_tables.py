"""`simbench judge` on tables as people keep them: what each of them proves, and what it leaves open."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.child import DEADLINE_S, SIMBENCH, Ended

YEAR = ("--tz", "Europe/Paris", "--from", "2025-01-01", "--to", "2026-01-01")
HEAD = "start,end,scope,planned\n"
AVAILABILITY, RESTORATION = "OPS-QOS-01", "OPS-QOS-02"
Found = dict[str, tuple[str, str]]


def judged(folder: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str | Path) -> Found:
    """Outcome and summary by clause."""
    path = folder / "outages.csv"
    path.write_bytes(text.encode())
    ended = Ended(capsys, "judge", path, *(options or YEAR), "--json")
    return {one["clause"]: (one["outcome"], one["summary"]) for one in json.loads(ended.out)["findings"]}


@pytest.mark.parametrize(
    ("rows", "outcome", "reported"),
    [
        # 26 October 2025: 02:00 to 03:00 exists twice.
        ("2025-10-26 02:45,2025-10-26 02:15,total,false", "pass", "with 0 h 30"),
        ("2025-10-26 02:30,2025-10-26 07:45,total,false", "inconclusive", "two readings"),
        ("2025-10-26 02:30,2025-10-26 07:15,total,false", "pass", "with 5 h 45"),
        ("2025-10-26 02:30,2025-10-26 08:45,total,false", "fail", "with 7 h 15"),
        ("2025-10-26 02:30 CEST,2025-10-26 07:45,total,false", "fail", "with 6 h 15"),
        ("2025-10-26 02:30 CET,2025-10-26 07:45,total,false", "pass", "with 5 h 15"),
        ("2025-10-25 21:30 UTC,2025-10-26 03:30 UTC,total,false", "pass", "with 6 h 00"),
        # 30 March 2025: 02:00 to 03:00 does not exist.
        ("2025-03-30 02:30,2025-03-30 03:15,total,false", "pass", "with 0 h 45"),
        ("2025-03-30 01:50,2025-03-30 02:10,total,false", "pass", "with 0 h 20"),
        # Nothing that is over the limit is shown as the limit.
        ("2025-06-10 00:00:00,2025-06-10 06:00:30,total,false", "fail", "with 6 h 00 min 30 s"),
    ],
)
def test_restoration_across_the_changes_of_clocks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str, outcome: str, reported: str
) -> None:
    found = judged(tmp_path, capsys, HEAD + rows + "\n")
    assert found[RESTORATION][0] == outcome, found
    assert reported in found[RESTORATION][1] or outcome == "inconclusive"
    assert found[AVAILABILITY][0] == "pass"


def test_an_ambiguous_hour_is_printed_with_both_readings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = judged(tmp_path, capsys, HEAD + "2025-10-26 02:30,2025-10-26 07:45,total,false\n")[RESTORATION][1]
    assert "pass at best" in summary
    assert "5 h 15" in summary
    assert "fail at worst" in summary
    assert "6 h 15" in summary


@pytest.mark.parametrize(
    "text",
    [
        "start;end;scope;planned\r\n2025-03-01 10:00;2025-03-05 14:00;total;non;\r\n",
        "sep=;\r\nstart;end;scope;planned\r\n2025-03-01 10:00;2025-03-05 14:00;TOTAL;FAUX\r\n",
        "start,end,scope,planned,Labels,Labels\n1740819600,1741179600,Total,0,a,b\n",
        "start\tend\tscope\tplanned\n2025-03-01 10:00\t2025-03-05 14:00\ttotal\tno\n",
    ],
)
def test_a_hundred_hours_are_found_however_the_table_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    found = judged(tmp_path, capsys, text)
    assert (found[AVAILABILITY][0], found[RESTORATION][0]) == ("fail", "fail")
    assert "100 h 00" in found[RESTORATION][1]


@pytest.mark.parametrize(
    ("rows", "availability", "restoration"),
    [
        ("north,0.5;south,0.5", "fail", "fail"),
        ("north,0.33;south,0.33;west,0.33", "fail", "fail"),
        ("north,0.5", "pass", "pass"),
        ("north,0.4;south,0.4", "pass", "pass"),
        ("north,0.5;north,0.5", "pass", "pass"),
    ],
)
def test_the_service_is_down_when_all_platforms_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str, availability: str, restoration: str
) -> None:
    lines = [f"2025-06-10,2025-06-14 04:00,partial,false,platform:{row}" for row in rows.split(";")]
    found = judged(tmp_path, capsys, "start,end,scope,planned,subject,share\n" + "\n".join(lines))
    assert (found[AVAILABILITY][0], found[RESTORATION][0]) == (availability, restoration)


@pytest.mark.parametrize("year", ["2024", "2025"])
def test_tickets_that_touch_at_new_year_are_one_outage_in_both_years(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], year: str
) -> None:
    text = HEAD + "2024-12-31 18:00,2025-01-01,total,false\n2025-01-01,2025-01-01 04:00,total,false\n"
    period = ("--tz", "Europe/Paris", "--from", f"{year}-01-01", "--to", f"{int(year) + 1}-01-01")
    assert judged(tmp_path, capsys, text, *period)[RESTORATION] == (
        "fail", "1 total, unplanned outage, the longest O0001+O0002 with 10 h 00; 1 lasted more than 6 h",
    )  # fmt: skip


def test_two_hours_in_a_known_week_neither_keep_nor_break_a_promise_about_a_year(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    week = ("--tz", "Europe/Paris", "--from", "2025-01-01", "--to", "2025-01-08")
    found = judged(tmp_path, capsys, HEAD + "2025-01-03 02:00,2025-01-03 04:00,total,false\n", *week)
    assert (found[AVAILABILITY][0], found[RESTORATION][0]) == ("inconclusive", "pass")


def test_what_was_not_read_is_in_the_json_and_in_the_last_lines_of_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "outages.csv"
    path.write_text(HEAD + "2025-06-10,2025-06-10 01:00,total,false\nx,y,total,false\n", "utf-8")
    run = json.loads(Ended(capsys, "judge", path, *YEAR, "--json").out)["run"]
    assert (run["rows"], run["set_aside"], run["holes"]) == (2, 1, 0)
    assert run["unread"].startswith('incidents: 1 of 2 rows was not read (line 3: start: "x" is not a time')
    ended = Ended(capsys, "judge", path, *YEAR)
    assert ended.status == 3
    assert "Not read: incidents: 1 of 2 rows was not read" in ended.out.splitlines()[-3]


def test_a_log_that_does_not_say_when_messages_were_handed_over_may_have_a_table_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, traffic = tmp_path / "bearerbox.log", tmp_path / "traffic.csv"
    log.write_text(
        "2025-03-03 00:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC\n"
        "2025-03-03 23:00:00 [1] [6] INFO: EMI2[36010]: connecting to Primary SMSC\n",
        "utf-8",
    )
    seconds = (0, 1), *[(2, 3)] * 10, (2, 4)  # the first shows the round trip; of the others one waits for the rate
    rows = [f"36010.0;2025-03-03 10:00:0{at};2025-03-03 10:00:0{answered};Accepted\n" for at, answered in seconds]
    traffic.write_text("".join(["code;submitted_at;answered_at;result\n", *rows]), "utf-8")
    options = ("judge", log, "--tz", "Europe/Paris", "--json")
    for beside, outcome in (((), "unsupported"), (("--traffic", traffic), "pass")):
        found = json.loads(Ended(capsys, *options, *beside).out)["findings"]
        assert {one["outcome"] for one in found if one["clause"] == "OPS-QOS-04"} == {outcome}


@pytest.mark.parametrize("form", ["--json", ""])
def test_a_reader_that_goes_away_does_not_turn_a_pass_into_a_failure(tmp_path: Path, form: str) -> None:
    path = tmp_path / "outages.csv"
    path.write_text(HEAD + "2025-06-10,2025-06-10 01:00,total,false\n", "utf-8")
    command = [*SIMBENCH, "judge", str(path), *YEAR, *([form] if form else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(DEADLINE_S) == 0
