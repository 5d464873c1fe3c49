from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.units import HOUR_US
from simbench.billing.forecast import read_forecast
from simbench.cli.main import cli
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo
from simbench.ledger.incidents import Period, period_row
from simbench.ledger.rows import MINUTE
from simbench.planning.waiting import ByInstant, ByMinute
from simbench.planning.what_if import otherwise
from simbench.simulation.event_driven import Detail
from simbench.simulation.plan import plan
from simbench.simulation.run import run_world
from tests.paris import instant
from tests.simulation.worlds import FRIDAY, campaign, scenario_of

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "plan"


def ledger_of(folder: Path, detail: Detail) -> Path:
    """Thirty thousand messages at 50 a second, and an outage from 8:20 to 9:20."""
    outage = {"scripted": [{"at": f"{FRIDAY}T08:20", "for_h": 1}]}
    world = plan(scenario_of(campaigns=[campaign(volume=30_000)], incidents=outage))
    ledger = Ledger.create(folder, RunInfo(run="r", scenario="r", seed=1, contract="c", contract_digest="d"))
    run_world(world, ledger, detail)
    ledger.close()
    return folder


ALWAYS = np.array([[0.0], [36_000.0]])


def one_by_one(at: list[float], rate: int, down: list[tuple[float, float]]) -> list[float]:
    """Return when each message leaves a sliding window, computed message by message."""
    left: list[float] = []
    for place, came in enumerate(at):
        free = max(came, left[-1] if left else 0.0, left[place - rate] + 1 if place >= rate else 0.0)
        for begins, ends in down:
            if begins <= free < ends:
                free = ends
        left.append(free)
    return left


def test_six_thousand_at_once_at_20_a_second_make_1180_late_after_four_minutes() -> None:
    by_minute, by_instant = ByMinute(np.array([6_000.0, *[0] * 59]), ALWAYS), ByInstant(np.zeros(6_000), ALWAYS)
    assert by_minute.drained(20, 240, 3600) == by_instant.drained(20, 240, 3600) == (1180, 0, 299)
    assert by_minute.drained(10, 240, 300) == by_instant.drained(10, 240, 300) == (600, 2990, 300)


@given(st.lists(st.floats(0, 1190), min_size=1, max_size=200), st.integers(1, 3), st.floats(0, 900), st.floats(0, 200))
def test_by_instant_is_exact_and_by_minute_is_never_better(
    at: list[float], rate: int, cut: float, lasts: float
) -> None:
    at, cut, lasts = sorted(at), round(cut), round(lasts) + 1
    up = np.array([[0.0, cut + lasts], [cut, 3600.0]]) if cut else np.array([[float(lasts)], [3600.0]])
    left = np.array(one_by_one(at, rate, [(cut, cut + lasts)]))
    late, lost, longest = ByInstant(np.array(at), up).drained(rate, 60, 7200)
    waits = left - np.array(at)
    assert (late, lost, longest) == (int((waits > 60).sum()), 0, int(waits.max()))
    per_minute = np.bincount((np.array(at) // 60).astype(int), minlength=60).astype(float)
    assert ByMinute(per_minute, up).drained(rate, 60, 7200)[0] >= late


@pytest.mark.parametrize("detail", ["minute", "rows"])
def test_the_past_is_priced_under_other_codes_and_tiers(tmp_path: Path, detail: Detail) -> None:
    rows = otherwise(ledger_of(tmp_path / "run", detail), load_contract(), 30)
    assert {row.messages for row in rows} == {30_000}
    by_words = {row.words: row for row in rows}
    assert by_words["1 x 10/s"].euros < by_words["2 x 10/s"].euros < by_words["1 x 20/s"].euros
    assert by_words["1 x 150/s"].late == 0
    assert {row.since for row in rows} == {"asked" if detail == "minute" else "submitted"}
    if detail == "minute":
        slow = by_words["1 x 10/s"]
        assert slow.late == 30_000 - 11_400, "asked at the end of the minute, 1,140 s' worth leave within half an hour"
        assert slow.lost == 0
        assert 2940 <= slow.longest_wait_s - 3600 <= 3060, "3,000 s of sending and the hour of the outage"


def test_plan_from_a_ledger_prints_its_table(tmp_path: Path) -> None:
    folder = str(ledger_of(tmp_path / "run", "minute"))
    reported = CliRunner().invoke(cli, ["plan", "--from", folder, "--json"])
    assert reported.exit_code == 0
    assert json.loads(reported.output)["otherwise"][0]["prefix"] == "36"
    printed = CliRunner().invoke(cli, ["plan", "--from", folder]).output
    assert "longest wait" in printed
    assert "submitted" not in printed
    assert "upper bounds" in printed


def test_a_ledger_with_instants_of_submission_only_is_printed_with_that_limit(tmp_path: Path) -> None:
    reported = CliRunner().invoke(cli, ["plan", "--from", str(ledger_of(tmp_path / "run", "rows"))]).output
    assert "the ledger has the instants of submission, not the time before that in the client" in reported


def test_what_still_waits_when_nothing_more_is_asked_is_worked_off_until_the_period_ends(tmp_path: Path) -> None:
    eight = instant(2026, 10, 2, 8)
    with Ledger.create(tmp_path / "run", RunInfo("r")) as ledger:
        ledger.events.append(period_row(Period(eight, eight + HOUR_US, eight)))
        counted = {"at": eight, "code": "36050", "offered": 3_000, "accepted": 3_000, "delivered": 3_000}
        ledger.minute.append(tuple(counted.get(column.name, 0) for column in MINUTE.columns))
    slow = otherwise(tmp_path / "run", load_contract(), 10)[0]
    assert (slow.words, slow.messages, slow.late, slow.lost) == ("1 x 10/s", 3_000, 0, 0)


def test_plan_needs_one_of_campaign_and_ledger() -> None:
    reported = CliRunner().invoke(cli, ["plan"])
    assert "needs a campaign file, or --from" in str(reported.exception)


def test_a_plan_leaves_report_invoices_and_json(tmp_path: Path) -> None:
    small = (SCENARIOS / "02_small.toml").read_text().replace("replications = 40", "replications = 10")
    (tmp_path / "small.toml").write_text(small.replace("100_000", "20_000").replace("deadline_h = 2", "deadline_h = 1"))
    reported = CliRunner().invoke(cli, ["plan", str(tmp_path / "small.toml"), "-o", str(tmp_path / "out"), "--json"])
    assert reported.exit_code == 0, reported.output
    advice = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert advice["chosen"]["meets"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 5, "a course for each demand, cost, other promises and assumptions"
    assert "http" not in page
    assert (tmp_path / "out" / "invoices.html").exists()
    forecasts = [read_forecast(path, load_contract()) for path in sorted((tmp_path / "out").glob("forecast-*.toml"))]
    assert [one.issued for one in forecasts] == [date(2026, 11, 1), date(2026, 12, 1)]
