"""The SLA report of a run as one HTML file, its data as JSON, and optionally a PDF.

The same run gives the same octets.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from markupsafe import Markup

from simbench.base.json_files import encoded, write_json, write_octets
from simbench.base.units import DAY_US
from simbench.finding import Finding, tally
from simbench.reporting.html import rendered
from simbench.reporting.style import look, to_svg
from simbench.sla.report.builder import Report, report_of
from simbench.sla.report.counts import HOURS
from simbench.sla.report.judgement import SlaRun
from simbench.sla.report.tables import MOST_CSV
from simbench.sla.report.view import Progress
from simbench.tables.writer import csv_text

MOST_OCTETS = 200_000  # the largest data within the page for one figure or table
BESIDE = frozenset({"dispute", "forecast", "back-test"})
TRAFFIC = frozenset({"throughput", "heat", "delivery", "recovery"})


def write_sla(
    folder: Path, sla_run: SlaRun, *, pdf: bool = False, claim: bool = False, progress: Progress = lambda *_: None
) -> tuple[tuple[Finding, ...], list[Path]]:
    """Write report.html, data.json and, with `pdf`, report.pdf; findings.json as well if the run is judged here.

    With `claim`, claim.md and claim.pdf are written if a commitment is certainly missed. Returns the findings and
    the files. Raises BadInput if a file cannot be written, LedgerError if the ledger cannot be read.
    """
    with look():
        report = report_of(sla_run, progress)
        written = [folder / "report.html", folder / "data.json"]
        write_octets(written[0], html(report))
        write_octets(written[1], _data(report))
        if sla_run.judgement is None:
            findings = {
                "run": _info(report),
                "summary": tally(report.view.findings),
                "findings": report.view.findings,
            }
            written.insert(1, folder / "findings.json")
            write_json(written[1], findings)
        if pdf:
            from simbench.sla.report.pdf import pdf_octets  # noqa: PLC0415 - on request only

            written.append(folder / "report.pdf")
            progress("pdf", 1, 1)
            write_octets(written[-1], pdf_octets(report))
        if claim:
            written += _write_claim(folder, report)
    return report.view.findings, written


def _write_claim(folder: Path, report: Report) -> list[Path]:
    from simbench.sla.report.claim import claim_of, claim_pdf  # noqa: PLC0415 - on request only

    text = claim_of(report)
    if not text:
        return []
    written = [folder / "claim.md", folder / "claim.pdf"]
    write_octets(written[0], text)
    write_octets(written[1], claim_pdf(text))
    return written


def sla_page(sla_run: SlaRun) -> str:
    """Judge and draw a record, and return its page."""
    with look():
        return html(report_of(sla_run))


def html(report: Report) -> str:
    """Return the page of a report."""
    svgs = {
        picture.name: _linked(to_svg(picture.figure, picture.heading, picture.name), report)
        for picture in report.pictures
    }
    return rendered(
        Path(__file__).with_name("sla.html.j2"),
        report.view.findings,
        t=report.words,
        report=report,
        title=report.sla_run.title,
        sections={
            "service": [one for one in report.pictures if one.name not in TRAFFIC | BESIDE],
            "beside": [one for one in report.pictures if one.name in BESIDE],
            "traffic": [one for one in report.pictures if one.name in TRAFFIC],
        },
        svgs=svgs,
        linked=_data_link,
        script=Markup((Path(__file__).parent / "report.js").read_text("utf-8")),  # noqa: S704 - our own file
        plots=Markup(_plots(report)),  # noqa: S704 - escaped there
        queries=_queries(report) if report.view.traffic.hours.codes else [],
    )


def _linked(svg: str, report: Report) -> str:
    """Return a figure whose incidents link to their rows and show their names under the pointer."""
    table = next((table for table in report.tables if table.name == "incidents"), None)
    known = dict(zip(table.names, table.rows, strict=True)) if table else {}

    def led(found: re.Match[str]) -> str:
        row = known.get(f"incident-{found[1]}")
        if row is None:
            return "<a>"
        return f'<a href="#incident-{found[1]}"><title>{escape(" · ".join(row[:4]))}</title>'

    return re.sub(r'<a href="row:(\d+)"[^>]*>', led, svg)


def _plots(report: Report) -> str:
    """Return the positions of the curves of each figure, and their values as texts for the pointer, as JSON."""
    plots = {}
    for picture in report.pictures:
        if not picture.panels:
            continue
        width, height = (72 * inches for inches in picture.figure.get_size_inches())
        panels = []
        for panel in picture.panels:
            box, (low, high) = panel.axes.get_position(), panel.axes.get_xlim()
            scale = (box.x1 - box.x0) * width / (high - low)
            panels.append({
                "box": [round(float(v), 1) for v in (box.x0 * width, (1 - box.y1) * height, box.x1 * width,
                                              (1 - box.y0) * height)],
                "x": [round(float(box.x0 * width + ((at - panel.start) / DAY_US - low) * scale), 1) for at in panel.at],
                "at": [report.words.moment(at) for at in panel.at],
                "values": dict(panel.values),
            })  # fmt: skip
        plots[picture.name] = panels
    return encoded(plots).decode().replace("<", "\\u003c").replace("&", "\\u0026")


def _data_link(columns: Mapping[str, Sequence[Any]]) -> tuple[Markup, int, int]:
    """Return the data of a figure or table as a link, the number of rows in it, and the number of all rows."""
    octets, rows = to_csv(columns), len(next(iter(columns.values()), ()))
    link = Markup(f"data:text/csv;charset=utf-8;base64,{b64encode(octets).decode()}")  # noqa: S704 - letters and digits
    return link, rows if rows <= MOST_CSV and len(octets) < MOST_OCTETS else octets.count(b"\n") - 1, rows


def to_csv(columns: Mapping[str, Sequence[Any]], most: int = MOST_CSV) -> bytes:
    """Write columns as CSV; booleans as true or false, missing values empty. At most so many rows and `MOST_OCTETS`."""
    octets = csv_text(tuple(columns), islice(zip(*columns.values(), strict=True), most)).encode()
    return octets if len(octets) < MOST_OCTETS else octets[: octets.rindex(b"\n", 0, MOST_OCTETS) + 1]


def _queries(report: Report) -> list[tuple[str, str]]:
    traffic = report.view.traffic
    table = "minute" if "from minute" in traffic.view else "centre"
    making = f"create view {table} as from '{table}-*.parquet';\n"
    found = [("minutes", f"{making}create temp view minutes as\n{traffic.view};"), ("hours", HOURS + ";")]
    if traffic.around_sql:
        found.append(("around", traffic.around_sql + ";"))
    return found


def _data(report: Report) -> bytes:
    """Return the data of every figure and table: its formula and its columns."""
    shown = {one.name: {"formula": one.formula, "columns": dict(one.columns)} for one in report.pictures}
    shown |= {one.name: {"formula": one.note, "columns": dict(one.columns)} for one in report.tables}
    queries = dict(_queries(report))
    return encoded({"queries": queries, "exhibits": shown}) + b"\n"


def _info(report: Report) -> dict[str, str | int]:
    info, period, contract = report.sla_run.run.info, report.view.service.period, report.sla_run.contract
    return {
        "source": info.run, "kind": "run", "scenario": info.scenario, "seed": info.seed, "from": period.start,
        "to": period.end, "history_from": period.known_from, "contract": contract.name,
        "contract_digest": contract.digest, "bench_version": info.versions.get("simbench", ""),
    }  # fmt: skip
