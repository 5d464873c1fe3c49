"""Builds an SLA report: judges, measures and draws a run."""

from __future__ import annotations

from dataclasses import dataclass

from simbench.base.errors import BadInput
from simbench.base.units import DAY_US
from simbench.contract import Contract
from simbench.finding import Finding, outcome_of
from simbench.reporting.format import rank
from simbench.rules.rule import Case, ordered
from simbench.sla.availability import decided
from simbench.sla.classification import service_of
from simbench.sla.judged import Judged
from simbench.sla.report.availability_figure import draw_availability
from simbench.sla.report.calendar_figure import draw_calendar
from simbench.sla.report.dispute_figure import draw_dispute, sides_table
from simbench.sla.report.forecast_figure import draw_back_test, draw_fan
from simbench.sla.report.judgement import SlaRun
from simbench.sla.report.key_figures import KeyFigure, key_figures
from simbench.sla.report.picture import Picture
from simbench.sla.report.restoration_figure import draw_pattern, draw_restoration
from simbench.sla.report.tables import Table, decisions_table, readings_table, rejected_table, tables_of
from simbench.sla.report.traffic import draw_delivery, draw_heat, draw_recovery, draw_throughput
from simbench.sla.report.translations import Words
from simbench.sla.report.verdicts import VerdictRow, verdict_of
from simbench.sla.report.view import Progress, View, view_of
from simbench.sla.report.worst_figure import draw_worst
from simbench.tables.rows import rejected
from simbench.trace.trace import Trace

DRAW = (
    draw_availability, draw_restoration, draw_pattern, draw_calendar, draw_worst, draw_throughput, draw_heat,
    draw_delivery, draw_recovery,
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The contents of a report, for HTML and PDF."""

    words: Words
    sla_run: SlaRun
    keys: tuple[KeyFigure, ...]
    view: View
    facts: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    verdicts: tuple[VerdictRow, ...]
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    absent: tuple[str, ...]

    @property
    def tone(self) -> str:
        """The verdict as an outcome."""
        return outcome_of(self.view.findings)


def report_of(sla_run: SlaRun, progress: Progress = lambda *_: None) -> Report:
    """Judge, measure and draw, inside `style.look()`. Raises BadInput for a record of no period of time."""
    words, judgement = Words(sla_run.language, sla_run.contract), sla_run.judgement
    case = Case(Trace(sla_run.run), sla_run.contract)
    period = service_of(case).period
    if period.end <= period.start:
        raise BadInput("record", "nothing happened in it", "a period of time")
    sla = frozenset(ordered(sla_run.contract, "sla"))
    found_of = None if judgement is None else tuple(one for one in judgement.findings if one.purpose in sla)
    view = view_of(case, progress, found_of)
    pictures = []
    for number, draw in enumerate(DRAW):
        progress(draw.__name__.removeprefix("draw_"), number, len(DRAW))
        pictures.append(draw(view, words))
    found = [picture for picture in pictures if picture is not None]
    tables = [readings_table(case, words), *tables_of(view, words)]
    if judgement is not None:
        found += _besides(judgement, words)
        tables += _tables_besides(judgement, words)
    names = {picture.name for picture in found}
    absent = [words(f"absent.{name}") for name in ("restoration", "recovery") if name not in names]
    if not view.traffic.hours.codes:
        absent.insert(0, words("absent.traffic"))
    return Report(
        words, sla_run, key_figures(view, words), view, tuple(_facts(sla_run, view, words)),
        tuple(_remarks(sla_run, view, words)),
        tuple(verdict_of(one, view, words) for one in _ordered(view, sla_run.contract)),
        tuple(found), tuple(tables), tuple(absent),
    )  # fmt: skip


def _ordered(view: View, contract: Contract) -> list[Finding]:
    """Return the findings, worst outcome first, then in the contract's order of clauses."""
    clauses = list(contract.clauses)
    places = {clause: place for place, clause in enumerate(clauses)}
    return sorted(
        view.findings, key=lambda one: (rank(one)[0], places.get(one.clause, len(clauses)), one.purpose)
    )  # fmt: skip


def _besides(judgement: Judged, words: Words) -> list[Picture]:
    """Return the figures of a dispute and of a forecast."""
    found = []
    if judgement.dispute is not None:
        found.append(draw_dispute(judgement.dispute, words))
    if judgement.forecast is not None:
        found.append(draw_fan(judgement.forecast, words))
    if judgement.back_test is not None:
        found.append(draw_back_test(judgement.back_test, words))
    return found


def _tables_besides(judgement: Judged, words: Words) -> list[Table]:
    """Return the tables of a dispute, of decisions, and of rejected rows."""
    found = [sides_table(judgement.dispute, words)] if judgement.dispute is not None else []
    if judgement.decisions:
        found.append(decisions_table(judgement.decisions, judgement.before, judgement.findings, words))
    aside = rejected_table(judgement.notes, words)
    return [*found, aside] if aside is not None else found


def _facts(sla_run: SlaRun, view: View, words: Words) -> list[tuple[str, str]]:
    info, period, judgement = sla_run.run.info, view.service.period, sla_run.judgement
    facts = [
        (words("page.period"), words.period(period.start, period.end)),
        (words("page.history"), words.moment(period.known_from)),
        (words("page.incident_count"), words.number(len(view.service.counted))),
        (words("page.contract"), f"{sla_run.contract.name} ({sla_run.contract.digest})"),
    ]
    if view.traffic.hours.codes:
        facts.append((words("page.messages"), words.number(view.traffic.hours.total("accepted"))))
    if judgement is not None:
        facts.append((words("page.record"), words(f"record.{judgement.kind.replace(' ', '-')}")))
        aside = words.number(len(rejected(judgement.notes)))
        facts.append((words("page.rows"), words("page.rows_value", rows=words.number(judgement.rows), aside=aside)))
    if judgement is None or judgement.kind == "run":
        versions = ", ".join(f"{name} {version}" for name, version in info.versions.items()) or "–"
        facts += [
            (words("page.scenario"), info.scenario or info.run), (words("page.seed"), str(info.seed)),
            (words("page.versions"), versions),
        ]  # fmt: skip
    return facts


def _remarks(sla_run: SlaRun, view: View, words: Words) -> list[str]:
    """Return the remarks that a reader needs before any figure."""
    info = sla_run.run.info
    found = []
    if info.note or (sla_run.run.files and not info.closed):
        found.append(words("page.stopped", note=info.note or "run.json: closed = false"))
    if info.contract_digest and info.contract_digest != sla_run.contract.digest:
        own = f"{sla_run.contract.name} {sla_run.contract.digest}"
        found.append(words("page.other_contract", other=f"{info.contract} {info.contract_digest}", own=own))
    if decided(view.year).provisional:
        known = view.service.period.end - view.service.period.known_from
        length = words.number(known / DAY_US, 1) + f"\u00a0{words('form.days')}"
        found.append(words("page.provisional", length=length if known >= DAY_US else words.lasting(known)))
    judgement = sla_run.judgement
    aside = len(rejected(judgement.notes)) if judgement is not None else 0
    if judgement is not None and aside:
        found.append(words("page.aside", aside=words.number(aside), rows=words.number(judgement.rows)))
    return found
