"""Builds an SLA report: a run judged, measured and drawn."""

from __future__ import annotations

from dataclasses import dataclass

from simbench.base.units import DAY_US
from simbench.contract import Contract
from simbench.finding import exit_status
from simbench.ledger import Run
from simbench.report.format import rank
from simbench.rules.rule import Case
from simbench.sla.report.picture import Picture
from simbench.sla.report.service import draw_availability, draw_calendar, draw_restoration
from simbench.sla.report.tables import Table, tables_of
from simbench.sla.report.traffic import draw_delivery, draw_heat, draw_recovery, draw_throughput
from simbench.sla.report.translations import Words
from simbench.sla.report.verdicts import VerdictRow, verdict_of
from simbench.sla.report.view import Progress, View, view_of
from simbench.trace.trace import Trace

DRAW = (
    draw_availability, draw_restoration, draw_calendar, draw_throughput, draw_heat, draw_delivery, draw_recovery,
)  # fmt: skip


@dataclass(frozen=True)
class SlaRun:
    """A run in virtual time, the contract it is judged by, and the language of its report (one of `LANGUAGES`)."""

    run: Run
    contract: Contract
    language: str = "en"


@dataclass(frozen=True)
class Report:
    """A report as both HTML and PDF show it."""

    words: Words
    info: Run
    view: View
    facts: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    verdicts: tuple[VerdictRow, ...]
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


def report_of(asked: SlaRun, progress: Progress = lambda *_: None) -> Report:
    """Judge, measure and draw, inside `style.look()`."""
    words = Words(asked.language)
    view = view_of(Case(Trace(asked.run), asked.contract), progress)
    pictures = []
    for number, draw in enumerate(DRAW):
        progress(draw.__name__.removeprefix("draw_"), number, len(DRAW))
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
    """Remarks that a reader needs before any figure."""
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
