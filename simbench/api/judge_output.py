"""The files of a judgement: findings.json, tables, the report of the service level."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from simbench.api.judging import Inputs
from simbench.base.calendar import Calendar
from simbench.base.json_files import write_json, write_octets
from simbench.base.outputs import claim
from simbench.finding import Finding, tally
from simbench.sla.classification import service_of
from simbench.sla.dispute import Side, Totals
from simbench.sla.forecast import BackTest, Forecast
from simbench.sla.judged import Judged
from simbench.sla.report import SlaRun, write_sla
from simbench.sla.tickets import Ticket, moment, tickets
from simbench.tables.writer import Cell, csv_text


class Answer(msgspec.Struct, omit_defaults=True):
    """The output of `--json`: `findings.json` and the other requested results."""

    run: dict[str, str | int | float]
    summary: dict[str, int]
    findings: tuple[Finding, ...]
    before: tuple[Finding, ...] = ()
    dispute: tuple[Side, ...] = ()
    dispute_totals: Totals | None = None
    forecast: Forecast | None = None
    back_test: BackTest | None = None


class Paper(msgspec.Struct, frozen=True):
    """The form of a written judgement: the language of its report, and additional documents."""

    language: str = "en"
    pdf: bool = False
    claim: bool = False


def answer_of(judged: Judged) -> Answer:
    """Return a judgement in the form of `--json`."""
    answer = Answer(
        judged.facts, tally(judged.findings), judged.findings, judged.before, forecast=judged.forecast,
        back_test=judged.back_test,
    )  # fmt: skip
    if judged.dispute is not None:
        answer.dispute, answer.dispute_totals = judged.dispute.sides, judged.dispute.totals
    return answer


def sla_run(inputs: Inputs, judged: Judged, language: str = "en") -> SlaRun | None:
    """Return the data of the service level report; None for a capture, which is too short for one."""
    if judged.case is None or judged.captured:
        return None
    return SlaRun(judged.case.trace.run, inputs.contract, language, judged)


def write_judged(folder: Path, inputs: Inputs, judged: Judged, paper: Paper = Paper()) -> list[Path]:  # noqa: B008 - frozen
    """Write findings, incidents, the other results and the report into a folder, and return their paths.

    Raises BadInput if the folder contains other files.
    """
    claim(folder)
    answer = answer_of(judged)
    written = [folder / "findings.json"]
    write_json(written[0], Answer(answer.run, answer.summary, answer.findings))
    if judged.case is not None and judged.case_before is not None:
        after, before = (tickets(service_of(one), inputs.contract) for one in (judged.case, judged.case_before))
        written.append(_write_csv(folder / "incidents.csv", after))
        if judged.before:
            written.append(_write_csv(folder / "incidents-before.csv", before))
            written.append(folder / "findings-before.json")
            write_json(written[-1], answer.before)
    if answer.dispute:
        written.append(folder / "dispute.csv")
        write_octets(written[-1], _sides_csv(answer.dispute, inputs.contract.calendar))
    for name, made in (("forecast.json", answer.forecast), ("back-test.json", answer.back_test)):
        if made:
            written.append(folder / name)
            write_json(written[-1], made)
    asked = sla_run(inputs, judged, paper.language)
    if asked is not None:
        written += write_sla(folder, asked, pdf=paper.pdf, claim=paper.claim)[1]
    return written


def _write_csv(path: Path, rows: Iterable[Ticket]) -> Path:
    cells = (msgspec.structs.astuple(row) for row in rows)
    write_octets(path, csv_text(Ticket.__struct_fields__, cells))
    return path


def _sides_csv(sides: Iterable[Side], calendar: Calendar) -> str:
    """Write the comparison as CSV with readable instants."""
    names = ("verdict", "ticket", "ticket_start", "ticket_end", "seen_start", "seen_end", "ticket_s", "seen_s", "why")
    rows: list[tuple[Cell, ...]] = []
    for one in sides:
        spans = (one.ticket_start, one.ticket_end, one.seen_start, one.seen_end)
        times = [moment(at, calendar) if at >= 0 else "" for at in spans]
        rows.append((one.verdict, one.ticket, *times, one.ticket_s, one.seen_s, one.why))
    return csv_text(names, rows)
