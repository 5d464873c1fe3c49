"""`simbench run`: the worlds in teaching order, one ledger on any number of workers, and wrong input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from simbench.base.errors import ScenarioError
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.ledger import Ledger, MemoryLedger, RunInfo, open_run
from simbench.ledger.events import events_in
from simbench.ledger.incidents import incidents_of
from simbench.ledger.rows import COUNTED
from simbench.simulation.plan import plan
from simbench.simulation.run import run_world
from simbench.simulation.scenario import WorldScenario, read_world
from tests.cli.child import MAIN, simbench
from tests.paris import civil, instant
from tests.simulation.worlds import CODE, FRIDAY, OTHER, campaign, run, scenario_of, sorted_minutes, sorted_rows

YEAR = Path(__file__).parents[2] / "scenarios" / "year"


class Minutes:
    """The table "minute" of a scenario file run in bulk, by column."""

    def __init__(self, name: str) -> None:
        self.scenario = read_world(YEAR / f"{name}.toml")
        self.ledger = MemoryLedger()
        run_world(plan(self.scenario), self.ledger, "minute", "bulk")

    def of(self, name: str, code: str) -> dict[int, int]:
        """A column of a code by instant."""
        place = (
            2 + ["backlog" if name == "backlog" else each for each in COUNTED].index(name) if name in COUNTED else -1
        )
        return {int(str(row[0])): int(str(row[place])) for row in self.ledger.minute if row[1] == code}


def test_every_world_is_tested_here() -> None:
    tested = {"01_quiet_day", "02_campaign_peak", "03_six_hour_outage", "04_badly_announced_maintenance"}
    tested |= {"05_porting_wave", "06_year_with_15_outages"}
    assert {path.stem for path in YEAR.glob("*.toml")} == tested
    for path in YEAR.glob("*.toml"):
        lines = path.read_text().splitlines()
        assert lines[0].startswith("# ")
        assert any(line.startswith(f"#   simbench run scenarios/year/{path.name}") for line in lines)


def test_on_a_quiet_day_nothing_waits() -> None:
    day = Minutes("01_quiet_day")
    assert set(day.of("backlog", "36010").values()) <= {0, 1}
    assert 2500 < sum(day.of("offered", "36010").values()) < 3500
    assert sum(day.of("mo", "36010").values()) > 20


def test_a_campaign_waits_for_the_morning_and_passwords_do_not_wait_for_it() -> None:
    peak = Minutes("02_campaign_peak")
    backlog = peak.of("backlog", "36020")
    nine_fifty = instant(2026, 3, 5, 21, 50)
    fall = [backlog[nine_fifty + n * MINUTE_US] - backlog[nine_fifty + (n + 1) * MINUTE_US] for n in range(9)]
    assert all(1100 <= each <= 1205 for each in fall)
    assert 7000 < backlog[instant(2026, 3, 6, 3)] < 8100
    assert backlog.get(instant(2026, 3, 6, 12), 0) == 0
    assert sum(count for at, count in peak.of("submitted", "36020").items() if civil(at).hour >= 22) > 50


def test_six_hours_down_leave_a_backlog_that_goes_at_ten_a_second() -> None:
    outage = Minutes("03_six_hour_outage")
    backlog, accepted = outage.of("backlog", "36010"), outage.of("accepted", "36010")
    waiting = backlog[instant(2026, 3, 10, 15, 59)]
    assert waiting > 5000
    assert sum(accepted.get(instant(2026, 3, 10, 10) + n * MINUTE_US, 0) for n in range(360)) == 0
    assert accepted[instant(2026, 3, 10, 16, 1)] == 600
    (found,) = incidents_of(events_in(outage.ledger.snapshot().events))
    assert found.end is not None
    assert found.end - found.start == 6 * HOUR_US


def test_events_record_when_each_notice_was_given() -> None:
    notices = incidents_of(events_in(Minutes("04_badly_announced_maintenance").ledger.snapshot().events))
    days = [(one.start - (one.announced_at or 0)) / DAY_US for one in notices if one.planned]
    assert days == [6, 2]
    assert civil(notices[1].end or 0).isoformat() == "2026-03-29T04:00:00+02:00"  # an hour was skipped


def test_after_a_porting_wave_more_are_unknown() -> None:
    ledger = run(read_world(YEAR / "05_porting_wave.toml"), "bulk")
    unknown = [row for row in ledger.centre if (row[1], row[7]) == ("undelivered", 101)]
    days = [civil(int(str(row[0]))).day for row in unknown]
    assert days.count(11) < 160
    assert days.count(12) > 220
    assert any((row[1], row[7]) == ("refused", 6) for row in ledger.centre)


def test_a_year_with_fifteen_outages_of_six_hours() -> None:
    year = Minutes("06_year_with_15_outages")
    found = incidents_of(events_in(year.ledger.snapshot().events))
    total = [one for one in found if one.scope == "total" and not one.planned and one.end]
    assert [(one.end or 0) - one.start for one in total] == [6 * HOUR_US] * 15
    assert sum(one.planned for one in found) == 13
    assert {one.subject for one in found if one.scope == "partial"} == {"36010", "36020"}
    assert {row[1] for row in year.ledger.events} >= {"period", "tier", "forecast", "outage", "maintenance", "restored"}
    assert sum(year.of("held", "36020").values()) > 0


@pytest.mark.slow
def test_a_hundred_thousand_messages_give_equal_minutes_both_ways() -> None:
    scenario = scenario_of(
        period={"from": "2026-10-23", "to": "2026-10-27"},
        subscribers={"count": 10_000_000},
        campaigns=[campaign(start="2026-10-23T08:00", volume=30_000, every="jour-ouvrable", notify=7)],
        flows=[{"name": "f", "code": CODE, "per_day": 2500}],
        incidents={"scripted": [{"at": "2026-10-23T08:05", "for_h": 3}, {"at": "2026-10-25T01:30", "for_h": 2}]},
    )
    bulk, events = run(scenario, "bulk", "minute"), run(scenario, "events", "minute")
    assert sum(int(str(row[2])) for row in bulk.minute) > 99_000
    assert sorted_minutes(bulk) == sorted_minutes(events)


def some_codes() -> WorldScenario:
    return scenario_of(
        codes=[{"code": code} for code in (CODE, OTHER, "36020")],
        campaigns=[campaign(code, code, volume=50) for code in (CODE, OTHER, "36020")],
    )


def test_any_number_of_workers_gives_the_same_ledger() -> None:
    alone, together = MemoryLedger(), MemoryLedger()
    run_world(plan(some_codes()), alone, "minute", workers=1)
    run_world(plan(some_codes()), together, "minute", workers=2)
    assert alone.minute == together.minute
    assert alone.minute


def test_the_ledger_on_disk_is_the_one_in_memory(tmp_path: Path) -> None:
    for detail in ("rows", "minute"):
        memory = MemoryLedger()
        run_world(plan(some_codes()), memory, detail, "bulk")
        ledger = Ledger.create(tmp_path / detail, RunInfo(run=detail), daily=False)
        run_world(plan(some_codes()), ledger, detail, "bulk")
        ledger.close()
        run_ = open_run(tmp_path / detail)
        assert run_.info.closed
        read = MemoryLedger()
        read.write_table("centre", run_.centre)
        read.write_table("minute", run_.minute)
        assert sorted_rows(read) == sorted_rows(memory)
        assert sorted_minutes(read) == sorted_minutes(memory)


def test_the_command_prints_its_counts_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    reported = []
    for name in ("a", "b"):
        done = simbench("run", YEAR / "01_quiet_day.toml", "-o", tmp_path / name, "--json")
        assert done.returncode == 0, done.stderr
        reported.append(json.loads(done.stdout)["codes"])
    assert reported[0] == reported[1]
    assert reported[0]["36010"]["delivered"] > 2500
    again = simbench("run", YEAR / "01_quiet_day.toml", "-o", tmp_path / "a")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "holds a ledger already" in again.stderr


def test_a_run_stopped_in_the_middle_leaves_a_readable_ledger(tmp_path: Path) -> None:
    path, folder = tmp_path / "long.toml", tmp_path / "run"
    path.write_text((YEAR / "01_quiet_day.toml").read_text().replace("per_day = 3000", "per_day = 2_000_000"))
    program = f"import simbench.base.progress as shown; shown.QUIET_S = shown.EVERY_S = 0; {MAIN}"
    words = ("run", str(path), "-o", str(folder), "--way", "events", "--detail", "rows")
    command = [sys.executable, "-c", program, *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("left" in line for line in process.stderr)  # a part of the run is done
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait() == 3
    assert "the rows written so far can be read" in rest
    stopped = open_run(folder)
    assert stopped.info.note.startswith("stopped at")
    assert stopped.centre.num_rows > 0
    assert stopped.events.num_rows > 0


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "end before start": ({"period": {"from": "2026-03-02", "to": "2026-03-01"}}, "a time after period.from"),
    "unknown code": ({"campaigns": [campaign(code="36099")]}, "campaigns[0].code: '36099'; expected perhaps `36050`"),
    "no traffic": ({"campaigns": []}, "no traffic: neither campaigns nor flows"),
    "no traffic that falls into it": (
        {"period": {"from": "2026-05-01", "to": "2026-05-02"},
         "campaigns": [campaign(start="2026-05-01T08:00", every="jour-ouvrable")]},
        "no traffic within the period",
    ),
    "outside": ({"campaigns": [campaign(start="2027-01-01")]}, "campaigns[0].start: 2027-01-01 is outside the period"),
    "no such tier": ({"tiers": [{"at": FRIDAY, "code": CODE, "rate_per_s": 30}]}, "tiers[0].rate_per_s: is 30"),
    "no time": ({"portings": [{"at": "noon", "share": 0.1}]}, 'is "noon"; expected civil time of Europe/Paris'),
    "twice": ({"campaigns": [campaign(), campaign()]}, 'campaigns[1].name: "c" appears twice'),
    "no profile": (
        {"flows": [{"name": "f", "code": CODE, "per_day": 1, "daily": [1, 2]}]}, "flows[0].daily: is not a profile",
    ),
    "overlapping": (
        {"incidents": {"scripted": [{"at": FRIDAY, "for_h": 2}, {"at": f"{FRIDAY}T01:00", "for_h": 2}]}},
        "incident S2: begins while S1 lasts",
    ),
    "too few": ({"campaigns": [campaign(first=900, subscribers=200)]}, "a range of the 1000 subscribers"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_world_that_cannot_be_is_refused_in_one_line(name: str) -> None:
    changed, expected = WRONG[name]
    with pytest.raises(ScenarioError) as refused:
        plan(scenario_of(**{"campaigns": [campaign()], **changed}))
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_misspelt_key_in_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text((YEAR / "01_quiet_day.toml").read_text().replace("per_day", "per_days"))
    done = simbench("run", path, "-o", tmp_path / "run")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "flows[0].per_days: unknown key; expected perhaps `per_day`" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_seed_is_all_that_chance_hangs_on() -> None:
    first, again, other = (run(replace(some_codes(), seed=seed), "bulk").centre for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_record_of_a_run_says_nothing_of_workers_and_has_its_times_in_one_place(tmp_path: Path) -> None:
    found: list[dict[str, Any]] = []
    for workers in (1, 2):
        folder = tmp_path / str(workers) / "run"
        ended = simbench("run", "scenarios/year/01_quiet_day.toml", "--workers", str(workers), "-o", folder)
        assert ended.returncode == 0, ended.stderr
        record = json.loads((folder / "run.json").read_bytes())
        assert all(record.pop("times").values())
        found.append(record)
        tables = {path.name: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}
        found.append({name: table for name, table in tables.items() if not name.startswith("timing_error")})
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert "minute-0001.parquet" in found[1]
