"""The SLA report of a run as one HTML file, its data as JSON, and on request a PDF. Judges nothing.

The same run gives the same octets: no clock is read here.
"""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from simbench.contract import Contract
from simbench.documents import write_json, write_octets
from simbench.finding import Finding, exit_status, tally
from simbench.ledger import Run
from simbench.report.figures.style import COLOURS, look, to_svg
from simbench.report.page import HOME, environment
from simbench.report.sla.counts import HOURS
from simbench.report.sla.picture import Picture
from simbench.report.sla.service import draw_availability, draw_calendar, draw_restoration
from simbench.report.sla.tables import Table, tables_of
from simbench.report.sla.traffic import draw_delivery, draw_heat, draw_recovery, draw_throughput
from simbench.report.sla.verdicts import Verdict, verdict_of
from simbench.report.sla.view import Told, View, view_of
from simbench.report.sla.words import Words
from simbench.report.words import WORST_FIRST, rank
from simbench.units import DAY_US
from simbench.verdict.reading import Reading
from simbench.verdict.rule import Case

DRAW = (
    draw_availability, draw_restoration, draw_calendar, draw_throughput, draw_heat, draw_delivery, draw_recovery,
)  # fmt: skip
TRAFFIC = frozenset({"throughput", "heat", "delivery", "recovery"})


@dataclass(frozen=True)
class SlaRun:
    """A run in virtual time, the contract it is judged by, and the language of its report (one of `LANGUAGES`)."""

    run: Run
    contract: Contract
    language: str = "en"


@dataclass(frozen=True)
class Report:
    """A report before it is written: what both HTML and PDF show."""

    words: Words
    info: Run
    view: View
    facts: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    absent: tuple[str, ...]

    @property
    def status(self) -> int:
        """Exit status of the findings."""
        return exit_status(self.view.findings)

    @property
    def tone(self) -> str:
        """The verdict as an outcome."""
        return {0: "pass", 1: "fail", 3: "inconclusive"}[self.status]


def write_sla(
    folder: Path, asked: SlaRun, *, pdf: bool = False, told: Told = lambda *_: None
) -> tuple[tuple[Finding, ...], list[Path]]:
    """Judge a run and write report.html, findings.json, data.json and, if wished, report.pdf; findings and files.

    Raises BadInput when a file cannot be written, LedgerError when the ledger cannot be read.
    """
    with look():
        report = report_of(asked, told)
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
            from simbench.report.sla.pdf import pdf_octets  # noqa: PLC0415 - on request only

            written.append(folder / "report.pdf")
            told("pdf", 1, 1)
            write_octets(written[-1], pdf_octets(report))
    return report.view.findings, written


def report_of(asked: SlaRun, told: Told = lambda *_: None) -> Report:
    """Judge, measure and draw, inside `style.look()`."""
    words = Words(asked.language)
    view = view_of(Case(Reading(asked.run), asked.contract), told)
    pictures = []
    for number, draw in enumerate(DRAW):
        told(draw.__name__.removeprefix("draw_"), number, len(DRAW))
        pictures.append(draw(view, words))
    found = tuple(picture for picture in pictures if picture is not None)
    names = {picture.name for picture in found}
    absent = [words(f"absent.{name}") for name in ("restoration", "recovery") if name not in names]
    if not view.traffic.hours.codes:
        absent.insert(0, words("absent.traffic"))
    return Report(
        words, asked.run, view, tuple(_facts(asked, view, words)), tuple(_remarks(asked, view, words)),
        tuple(verdict_of(one, view, words) for one in sorted(view.findings, key=rank)), found,
        tuple(tables_of(view, words)), tuple(absent),
    )  # fmt: skip


def html(report: Report) -> str:
    """The page."""
    words, counts = report.words, tally(report.view.findings)
    svgs = {picture.name: to_svg(picture.figure, picture.heading) for picture in report.pictures}
    return (
        environment(str)
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
            styles=Markup((HOME / "page.css").read_text("utf-8")),  # noqa: S704 - our own file
            queries=_queries(report),
        )
    )


def to_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Columns as CSV, booleans and missing values as JSON has them or empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(
            ["" if value is None else str(value).lower() if value is True or value is False else value for value in row]
        )
    return buffer.getvalue().encode()


def _queries(report: Report) -> list[tuple[str, str]]:
    traffic = report.view.traffic
    files = "\n".join(f"attach '{path.name}' as f{n} (read_only);" for n, path in enumerate(report.info.files))
    table = "minute" if "from minute" in traffic.view else "centre"
    union = " union all ".join(f"select * from f{n}.{table}" for n in range(len(report.info.files)))  # noqa: S608 - our own names
    making = f"{files}\ncreate temp view {table} as {union};\n" if files else ""
    found = [("minutes", f"{making}create temp view minutes as\n{traffic.view};"), ("hours", HOURS + ";")]
    if traffic.backlog_sql:
        found.append(("backlog", traffic.backlog_sql + ";"))
    return found


def _data(report: Report) -> bytes:
    """Every figure, by exhibit: its formula and its columns."""
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


def _facts(asked: SlaRun, view: View, words: Words) -> list[tuple[str, str]]:
    info, period = asked.run.info, view.service.period
    return [
        (words("page.period"), f"{words.moment(period.start)} – {words.moment(period.end)}"),
        (words("page.history"), words.moment(period.known_from)),
        (words("page.messages"), words.number(view.traffic.hours.total("accepted"))),
        (words("page.incident_count"), words.number(len(view.service.counted))),
        (words("page.contract"), f"{asked.contract.name} ({asked.contract.digest})"),
        (words("page.scenario"), info.scenario or info.run),
        (words("page.seed"), str(info.seed)),
        (words("page.versions"), ", ".join(f"{name} {version}" for name, version in info.versions.items()) or "–"),
    ]


def _remarks(asked: SlaRun, view: View, words: Words) -> list[str]:
    """What a reader must know before any figure."""
    info, rolled = asked.run.info, view.rolled
    found = []
    if info.note or (asked.run.files and not info.closed):
        found.append(words("page.stopped", note=info.note or "run.json: closed = false"))
    if info.contract_digest and info.contract_digest != asked.contract.digest:
        own = f"{asked.contract.name} {asked.contract.digest}"
        found.append(words("page.other_contract", other=f"{info.contract} {info.contract_digest}", own=own))
    if not len(rolled.full) or not rolled.full[-1]:
        days = (view.service.period.end - view.service.period.known_from) / DAY_US
        found.append(words("page.provisional", days=words.number(days, 1)))
    return found
