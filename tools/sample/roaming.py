"""The kept sample of a roaming run: its report and its tables, without the bills and the Parquet files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from simbench.base.json_files import write_octets
from simbench.roaming.contract import load_roaming
from simbench.roaming.population import run_population
from simbench.roaming.public import FINDINGS, REPORT, write_run
from simbench.roaming.results import OUTCOME
from simbench.roaming.scenario import read_roaming_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "roaming" / "01_a_year_abroad.toml"
KEPT = (REPORT, FINDINGS, OUTCOME)


def write_roaming_sample(folder: Path) -> Path:
    """Write the sample and return its report."""
    contract = load_roaming()
    scenario = read_roaming_scenario(SCENARIO, contract)
    with tempfile.TemporaryDirectory() as made:
        write_run(Path(made), scenario, contract, run_population(scenario, contract), 200)
        for name in KEPT:
            write_octets(folder / name, (Path(made) / name).read_bytes())
    return folder / REPORT
