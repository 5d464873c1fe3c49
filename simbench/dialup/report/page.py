"""The dial-up report of a run or a replay, as one HTML file and one JSON file.

The same result gives the same octets.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from simbench.base.json_files import write_json, write_octets
from simbench.base.outputs import claim
from simbench.dialup.dimensioning import curve
from simbench.dialup.report.figures import Picture, draw_dialup
from simbench.dialup.report.model import DialupReport
from simbench.finding import exit_status, tally
from simbench.reporting.format import SYMBOLS, WORST_FIRST, number, rank
from simbench.reporting.html import stylesheet


def write_dialup(folder: Path, report: DialupReport) -> None:
    """Write `report.html` and `result.json` into a folder. Raises BadInput when they cannot be written."""
    result = {**report.result, "summary": tally(report.findings), "findings": tuple(report.findings)}
    claim(folder)
    write_json(folder / "result.json", result)
    write_octets(folder / "report.html", dialup_page(report))


def dialup_page(report: DialupReport) -> str:
    """The report as HTML."""
    from simbench.reporting.style import COLOURS  # noqa: PLC0415 - matplotlib is slow to load

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts = tally(report.findings)
    return environment.get_template("dialup.html.j2").render(
        report=report,
        total=sum((owed.share_ff for owed in report.settled), Decimal(0)),
        total_eur=sum((owed.share_eur for owed in report.settled), Decimal(0)),
        tone={0: "pass", 1: "fail", 3: "inconclusive"}[exit_status(report.findings)],
        chips=[(outcome, counts[outcome]) for outcome in WORST_FIRST if counts[outcome]],
        findings=sorted(report.findings, key=rank),
        months=list(zip(report.months, report.settled, strict=True)),
        pictures=pictures(report),
        symbols=SYMBOLS,
        number=number,
        colours=COLOURS,
        styles=stylesheet(),
        svg=Markup,  # drawn by us: matplotlib escapes the texts in it
    )


def pictures(report: DialupReport) -> list[Picture]:
    """The pictures of a report, with the curve of ports where the offered load is known."""
    if not report.ports:
        return draw_dialup(report, [])
    return draw_dialup(report, curve(report.offered_minutes, report.offer, report.busiest_month, report.tariff))
