from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simbench.cli import cli
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo
from simbench.planning.past import drained, otherwise
from simbench.world.events import Detail
from simbench.world.plan import plan
from simbench.world.run import run_world
from tests.world.worlds import FRIDAY, campaign, scenario_of

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "plan"


def ledger_of(folder: Path, detail: Detail) -> Path:
    """Thirty thousand messages at 50 a second, and an outage from 8:20 to 9:20."""
    outage = {"scripted": [{"at": f"{FRIDAY}T08:20", "for_h": 1}]}
    world = plan(scenario_of(campaigns=[campaign(volume=30_000)], incidents=outage))
    ledger = Ledger.create(folder, RunInfo(run="r", scenario="r", seed=1, contract="c", contract_digest="d"))
    run_world(world, ledger, detail)
    ledger.close()
    return folder


def test_a_backlog_is_worked_off_first_come_first_served() -> None:
    asked, room = np.array([600.0, 0, 0, 0, 0]), np.full(5, 200.0)
    assert drained(asked, room, 60, 3600) == (600, 0, 120)  # counted by the minute, as late as its last
    assert drained(asked, room, 120, 3600) == (0, 0, 120)
    assert drained(asked, np.full(5, 100.0), 60, 3600)[1] == 600, "it never gets through"
    assert drained(np.full(5, 10.0), room, 60, 3600) == (0, 0, 0)


@pytest.mark.parametrize("detail", ["minute", "rows"])
def test_the_past_is_priced_under_other_codes_and_tiers(tmp_path: Path, detail: Detail) -> None:
    rows = otherwise(ledger_of(tmp_path / "run", detail), load_contract(), 30)
    assert {row.messages for row in rows} == {30_000}
    by_words = {row.words: row for row in rows}
    assert by_words["1 x 10/s"].euros < by_words["2 x 10/s"].euros < by_words["1 x 20/s"].euros
    assert by_words["1 x 150/s"].late == 0
    if detail == "minute":
        slow = by_words["1 x 10/s"]
        assert slow.late == 30_000
        assert 2940 <= slow.longest_wait_s - 3600 <= 3060, "3,000 s of sending and the hour of the outage"


def test_plan_from_a_ledger_prints_its_table(tmp_path: Path) -> None:
    folder = str(ledger_of(tmp_path / "run", "minute"))
    told = CliRunner().invoke(cli, ["plan", "--from", folder, "--json"])
    assert told.exit_code == 0
    assert json.loads(told.output)["otherwise"][0]["prefix"] == "36"
    assert "longest wait" in CliRunner().invoke(cli, ["plan", "--from", folder]).output


def test_plan_needs_one_of_campaign_and_ledger() -> None:
    told = CliRunner().invoke(cli, ["plan"])
    assert "needs a campaign file, or --from" in str(told.exception)


def test_a_plan_leaves_report_invoices_and_json(tmp_path: Path) -> None:
    small = (SCENARIOS / "02_small.toml").read_text().replace("replications = 40", "replications = 10")
    (tmp_path / "small.toml").write_text(small.replace("100_000", "20_000").replace("deadline_h = 2", "deadline_h = 1"))
    told = CliRunner().invoke(cli, ["plan", str(tmp_path / "small.toml"), "-o", str(tmp_path / "out"), "--json"])
    assert told.exit_code == 0, told.output
    advice = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert advice["chosen"]["meets"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "http" not in page
    assert (tmp_path / "out" / "invoices.html").exists()
