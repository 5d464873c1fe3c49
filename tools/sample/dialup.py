"""The dial-up report kept in reports/sample: the growing year of the scenarios."""

from __future__ import annotations

from pathlib import Path

from simbench.dialup.report.model import DialupReport
from simbench.dialup.report.page import write_dialup
from simbench.dialup.rules import Case, judge
from simbench.dialup.run import run_dialup
from simbench.dialup.scenario import read_dialup

SCENARIO = Path(__file__).parents[2] / "scenarios" / "dialup" / "03_growing_year.toml"


def write_dialup_sample(folder: Path) -> None:
    """Run the scenario, some 53 million calls, and write its report."""
    done = run_dialup(read_dialup(SCENARIO))
    write_dialup(folder, DialupReport.of_run(done, judge(Case(done.offer, done.offer.reading("tariff-function")))))
