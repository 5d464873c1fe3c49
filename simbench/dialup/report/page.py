"""The dial-up report of a run or a replay, as one HTML file and one JSON file.

The same result gives the same octets.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from simbench.base.json_files import write_json, write_octets
from simbench.base.outputs import claim
from simbench.dialup.dimensioning import curve
from simbench.dialup.report.figures import Picture, draw_dialup
from simbench.dialup.report.model import DialupReport
from simbench.finding import tally
from simbench.reporting.format import number, rank
from simbench.reporting.html import rendered


def write_dialup(folder: Path, report: DialupReport) -> None:
    """Write `report.html` and `result.json` into a folder. Raises BadInput when they cannot be written."""
    result = {**report.result, "summary": tally(report.findings), "findings": tuple(report.findings)}
    claim(folder)
    write_json(folder / "result.json", result)
    write_octets(folder / "report.html", dialup_page(report))


def dialup_page(report: DialupReport) -> str:
    """The report as HTML."""
    return rendered(
        Path(__file__).with_name("dialup.html.j2"),
        report.findings,
        report=report,
        total=sum((owed.share_ff for owed in report.settled), Decimal(0)),
        total_eur=sum((owed.share_eur for owed in report.settled), Decimal(0)),
        findings=sorted(report.findings, key=rank),
        months=list(zip(report.months, report.settled, strict=True)),
        pictures=pictures(report),
        number=number,
    )


def pictures(report: DialupReport) -> list[Picture]:
    """Return the figures of a report, with the curve of ports if the offered load is known."""
    if not report.ports:
        return draw_dialup(report, [])
    return draw_dialup(report, curve(report.offered_minutes, report.offer, report.busiest_month, report.tariff))
