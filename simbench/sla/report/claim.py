"""Draft of a claim for compensation after a missed commitment, as Markdown and as a letter in PDF.

It states the contract's terms, the incidents with their evidence, the calculation, and the assumptions. It names no
amount, because the contract gives none.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Final

from simbench.base.terminal import harmless
from simbench.base.units import HOUR_US, SECOND_US
from simbench.reporting import style
from simbench.sla.availability import LOST_AS, decided
from simbench.sla.classification import Counted
from simbench.sla.dispute import Side
from simbench.sla.readings import Line, readings_of
from simbench.sla.report.builder import Report
from simbench.sla.report.dispute_figure import reason_text
from simbench.sla.report.pdf import BODY, LARGE, SMALL, Paper
from simbench.sla.report.translations import Words
from simbench.sla.report.verdicts import VerdictRow
from simbench.sla.restoration import restored_within

PORTRAIT_IN: Final = (8.27, 11.69)
ACROSS: Final = 126  # characters of small print across the letter
MOST_INCIDENTS: Final = 60


def breaches(report: Report) -> tuple[VerdictRow, ...]:
    """Return the operator's commitments that are certainly missed; a claim uses no weaker finding."""
    return tuple(one for one in report.verdicts if one.finding.outcome == "fail" and one.finding.blame == "platform")


def claim_of(report: Report) -> str:
    """Return the letter as Markdown; empty if no commitment of the operator is certainly missed."""
    if not breaches(report):
        return ""
    return "".join(f"{_line(text)}\n" for text in _letter(report))


def _line(text: str) -> str:
    """One line of Markdown, whatever stands in names and causes: no markup of HTML, nothing that steers a terminal."""
    return harmless(" ".join(text.splitlines())).replace("<", "&lt;")


def _letter(report: Report) -> Iterator[str]:
    words, contract, period = report.words, report.sla_run.contract, report.view.service.period
    operator = contract.party("operator").name
    yield f"# {words('claim.title')}"
    yield ""
    yield words("claim.to", operator=operator)
    yield ""
    yield words(
        "claim.opening", contract=contract.title, digest=contract.digest, start=words.moment(period.start),
        end=words.moment(period.end), source=report.sla_run.title,
    )  # fmt: skip
    right = contract.clauses.get(contract.compensation)
    if right is not None:
        yield ""
        yield words("claim.right", term=right.key_term, clause=contract.compensation)
    yield ""
    yield f"## {words('claim.missed')}"
    for number, row in enumerate(breaches(report), 1):
        yield ""
        yield f"### {number}. {row.finding.clause}"
        yield ""
        if row.clause is not None:
            yield f"> {row.clause.key_term} ({row.source})"
            yield ""
        yield row.promise
        yield ""
        yield f"{row.sentence} {_arithmetic(row, report, words)}".strip()
    yield ""
    yield f"## {words('claim.incidents')}"
    yield ""
    yield from _incidents(report, words)
    yield ""
    yield f"## {words('claim.assumed')}"
    yield ""
    for text in _assumptions(report, words):
        yield f"- {text}"
    yield ""
    yield words("claim.closing")
    yield ""
    yield words("claim.signature")


def _arithmetic(row: VerdictRow, report: Report, words: Words) -> str:
    """Describe the calculation of the measured value, for availability and restoration."""
    view = report.view
    if row.finding.unit == "share":
        found = decided(view.year)
        return words(
            "claim.availability", at=words.moment(found.at), hours=words.number(found.length / HOUR_US, 2),
            lost=words.lasting(round(found.loss * found.length)), share=words.share(float(1 - found.loss)),
            allowed=words.lasting(round(found.length * view.year.allowed)), formula=found.formula,
        )  # fmt: skip
    if row.finding.unit == "h":
        limit_h, end = view.case.contract.terms.quality.restoration_h.value, view.service.period.end
        late = [one.incident for one in view.outages if restored_within(one, limit_h * HOUR_US, end) is False]
        names = ", ".join(f"{one.ticket} ({words.lasting(one.lasted(end))})" for one in late)
        return words("claim.restoration", names=names, limit=words.hours(limit_h)) if late else ""
    return ""


def _incidents(report: Report, words: Words) -> Iterator[str]:
    """Return the incidents that cause the breaches, with the evidence for each."""
    service = report.view.service
    rows = service.of(*LOST_AS[report.view.year.formula])
    sides: dict[str, Side] = {}
    judgement = report.sla_run.judgement
    if judgement is not None and judgement.dispute is not None:
        sides = {side.ticket: side for side in judgement.dispute.sides if side.ticket}
    yield (
        "| " + " | ".join(words(f"claim.column_{name}") for name in ("ticket", "start", "end", "hours", "proof")) + " |"
    )
    yield "| --- | --- | --- | ---: | --- |"
    total = 0
    for one in rows[:MOST_INCIDENTS]:
        incident = one.incident
        until = words.moment(incident.end) if incident.end is not None else words("answer.still-lasts")
        length = incident.lasted(service.period.end)
        total += length
        cells = (incident.ticket, words.moment(incident.start), until, words.lasting(length), _proof(one, sides, words))
        yield "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
    yield ""
    if len(rows) > MOST_INCIDENTS:
        yield words("table.cut", shown=words.number(MOST_INCIDENTS), all=words.number(len(rows)))
    else:
        yield words("claim.total", count=words.count(len(rows), "count.outage"), hours=words.lasting(total))


def _proof(one: Counted, sides: dict[str, Side], words: Words) -> str:
    """Return the evidence: the record itself, and the client's probes."""
    parts = [words("claim.recorded")]
    if one.incident.cause:
        parts.append(words("claim.cause", cause=words.cause(one.incident.cause)))
    if one.late:
        parts.append(words("claim.late"))
    side = sides.get(one.incident.ticket)
    if side is not None:
        seen = words.lasting(round(side.seen_s) * SECOND_US)
        reasons = ", ".join(reason_text(reason, words) for reason in side.reasons)
        parts.append(words("claim.probes", seen=seen, reasons=reasons))
    return "; ".join(parts) if words.language == "en" else "\u00a0; ".join(parts)


def _assumptions(report: Report, words: Words) -> Iterator[str]:
    """Return the assumptions of the breaches, and the readings under which one of them would not be a breach."""
    yield words("claim.record")
    for row in breaches(report):
        for text in row.assumed:
            yield f"{row.finding.clause}{words.colon} {text}"
    lines = readings_of(report.view.case)
    force = {line.question: line for line in lines if line.in_force}
    for line in lines:
        if not line.in_force:
            yield from _changes(line, force[line.question], words)


def _changes(line: Line, force: Line, words: Words) -> Iterator[str]:
    changed = [key for key, cell in line.cells.items() if force.cells[key].met == "missed" and cell.met != "missed"]
    if changed:
        columns = ", ".join(words(f"reading.column_{key}") for key in changed)
        question, reading = words(f"reading.{line.question}"), words(f"reading.{line.question}_{line.reading}")
        yield words("claim.reading", question=question, reading=reading, columns=columns)


def claim_pdf(text: str) -> bytes:
    """Return the letter as PDF, without a date: the same text gives the same octets."""
    paper = Paper(PORTRAIT_IN, ACROSS)
    paper.begin()
    for line in text.splitlines():
        if not line or line.startswith("| ---"):
            paper.at -= 0.006
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            paper.paragraph(unescape(" · ".join(cells)), (SMALL, style.INK), gap=0.003)
        else:
            marks = len(line) - len(line.lstrip("#"))
            size = {0: BODY, 1: LARGE + 3, 2: LARGE, 3: BODY + 1}[marks]
            plain = unescape(line.lstrip("#> ").replace("**", ""))
            paper.paragraph(plain, (size, style.SOFT if line.startswith(">") else style.INK), bold=marks > 0)
    return paper.octets(
        lambda figure, number: figure.text(0.92, 0.03, number, fontsize=SMALL, color=style.SOFT, ha="right")
    )
