"""The SLA report of a run as one HTML file, its data as JSON, and on request a PDF.

The same run gives the same octets.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from simbench.base.json_files import write_json, write_octets
from simbench.finding import Finding, tally
from simbench.report.format import WORST_FIRST
from simbench.report.html import environment, stylesheet
from simbench.report.style import COLOURS, look, to_svg
from simbench.sla.report.builder import Report, SlaRun, report_of
from simbench.sla.report.counts import HOURS
from simbench.sla.report.view import Progress
from simbench.tables.writer import csv_text

TRAFFIC = frozenset({"throughput", "heat", "delivery", "recovery"})


def write_sla(
    folder: Path, asked: SlaRun, *, pdf: bool = False, progress: Progress = lambda *_: None
) -> tuple[tuple[Finding, ...], list[Path]]:
    """Judge a run; write report.html, findings.json, data.json and, with `pdf`, report.pdf. Return findings and files.

    Raises BadInput when a file cannot be written, LedgerError when the ledger cannot be read.
    """
    with look():
        report = report_of(asked, progress)
        written = [folder / "report.html", folder / "findings.json", folder / "data.json"]
        write_octets(written[0], html(report).encode())
        findings = {
            "run": _info(asked, report),
            "summary": tally(report.view.findings),
            "findings": report.view.findings,
        }
        write_json(written[1], findings)
        write_octets(written[2], _data(report))
        if pdf:
            from simbench.sla.report.pdf import pdf_octets  # noqa: PLC0415 - on request only

            written.append(folder / "report.pdf")
            progress("pdf", 1, 1)
            write_octets(written[-1], pdf_octets(report))
    return report.view.findings, written


def html(report: Report) -> str:
    """The page."""
    words, counts = report.words, tally(report.view.findings)
    svgs = {picture.name: to_svg(picture.figure, picture.heading) for picture in report.pictures}
    return (
        environment(Path(__file__).parent, str)
        .get_template("sla.html.j2")
        .render(
            t=words,
            report=report,
            title=report.info.info.scenario or report.info.info.run,
            chips=[(outcome, counts[outcome]) for outcome in WORST_FIRST if counts[outcome]],
            sections={
                "service": [one for one in report.pictures if one.name not in TRAFFIC],
                "traffic": [one for one in report.pictures if one.name in TRAFFIC],
            },
            svgs=svgs,
            link=lambda columns: Markup(f"data:text/csv;charset=utf-8;base64,{b64encode(to_csv(columns)).decode()}"),  # noqa: S704 - letters and digits
            colours=COLOURS,
            styles=stylesheet(),
            queries=_queries(report),
        )
    )


def to_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Columns as CSV; booleans as true or false, missing values empty."""
    return csv_text(tuple(columns), zip(*columns.values(), strict=True)).encode()


def _queries(report: Report) -> list[tuple[str, str]]:
    traffic = report.view.traffic
    table = "minute" if "from minute" in traffic.view else "centre"
    making = f"create view {table} as from '{table}-*.parquet';\n"
    found = [("minutes", f"{making}create temp view minutes as\n{traffic.view};"), ("hours", HOURS + ";")]
    if traffic.backlog_sql:
        found.append(("backlog", traffic.backlog_sql + ";"))
    return found


def _data(report: Report) -> bytes:
    """The data of every figure and table: its formula and its columns."""
    shown = {one.name: {"formula": one.formula, "columns": dict(one.columns)} for one in report.pictures}
    shown |= {one.name: {"formula": one.note, "columns": dict(one.columns)} for one in report.tables}
    queries = dict(_queries(report))
    return msgspec.json.encode({"queries": queries, "exhibits": shown}) + b"\n"


def _info(asked: SlaRun, report: Report) -> dict[str, str | int]:
    info, period = asked.run.info, report.view.service.period
    facts: dict[str, str | int] = {
        "source": info.run, "kind": "run", "scenario": info.scenario, "seed": info.seed, "from": period.start,
        "to": period.end, "history_from": period.known_from, "contract": asked.contract.name,
        "contract_digest": asked.contract.digest, "bench_version": info.versions.get("simbench", ""),
    }  # fmt: skip
    return facts
