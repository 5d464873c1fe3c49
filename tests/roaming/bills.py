"""The files of an honest operator's bills, to be changed and read by tests."""

from __future__ import annotations

import csv
from pathlib import Path

from simbench.roaming.billing import COLUMNS
from simbench.roaming.contract import load_roaming
from simbench.roaming.scenario import RoamingScenario, read_roaming_scenario

CONTRACT = load_roaming()
FIRST, LAST = CONTRACT.terms.caps.data[0].since, CONTRACT.terms.caps.last_day.value
SCENARIO = Path(__file__).parents[2] / "scenarios" / "roaming" / "01_a_year_abroad.toml"

SOME = (0, 4, 22, 29, 33, 55, 168, 191, 197, 463)
"""Subscribers of the first scenario: on holiday, commuting, permanent, on business, with new SIMs, students."""

Row = dict[str, str]
Files = dict[str, list[Row]]


def scenario() -> RoamingScenario:
    return read_roaming_scenario(SCENARIO, CONTRACT)


def written(folder: Path, files: Files) -> Path:
    for name, rows in files.items():
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[name])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def copied(files: Files) -> Files:
    return {name: [dict(row) for row in rows] for name, rows in files.items()}
