"""Exercises around the clock changes, under a contract of another country."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from simbench.bench.exercises.marketing_hours import clock_changes
from simbench.contract import load_contract

DUBLIN = """extends = "demo_telecom"
numbering_plan = "invented"
[terms.calendar]
zone = { value = "Europe/Dublin", status = "contract" }
country = { value = "IE", status = "contract" }
region = { value = "", status = "assumption" }
"""


def test_clocks_go_forward_to_summer_also_where_winter_is_the_time_that_is_moved(tmp_path: Path) -> None:
    (tmp_path / "dublin.toml").write_text(DUBLIN, "utf-8")
    found = clock_changes(load_contract(tmp_path / "dublin.toml"))
    assert found == {"summer": date(2025, 3, 30), "winter": date(2025, 10, 26)}
