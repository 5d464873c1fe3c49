"""The example report of a plan, kept in reports/sample."""

from __future__ import annotations

from pathlib import Path

from simbench.planning.advise import advise
from simbench.planning.campaign import read_campaign
from simbench.planning.report.page import write_plan_report

CAMPAIGN = Path(__file__).parents[2] / "scenarios" / "plan" / "01_thursdays.toml"


def write_plan_sample(folder: Path) -> Path:
    """Plan the Thursdays, write the report and return its path."""
    plan = read_campaign(CAMPAIGN)
    write_plan_report(folder / "report.html", advise(plan), plan.contract)
    return folder / "report.html"
