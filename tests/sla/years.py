"""Years of a platform written by hand: incidents in hours after a new year, and the ledger that has them."""

from __future__ import annotations

from collections.abc import Iterable

from simbench.base.units import DAY_US, HOUR_US
from simbench.contract import Contract, load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger
from simbench.ledger.events import EventRow
from simbench.ledger.incidents import Incident, Period, incident_rows, period_row
from simbench.rules.rule import Case, judge, ordered
from simbench.trace.trace import Trace
from tests.paris import instant

START, END = instant(2025, 1, 1), instant(2026, 1, 1)  # 8,760 hours
YEAR = Period(START, END, START)
SERVICE_LEVEL = ordered(load_contract(), "sla")


def outage(at_h: float, hours: float, number: int = 1, **more: object) -> Incident:
    """An incident that begins so many hours after START. `more` are its other fields."""
    start = START + round(at_h * HOUR_US)
    fields = {"ticket": f"T{number}", "start": start, "end": start + round(hours * HOUR_US), **more}
    return Incident(**fields)  # type: ignore[arg-type]  # whatever a test says of it


def outages(count: int, hours: float, every_h: float = 500) -> list[Incident]:
    return [outage(100 + number * every_h, hours, number + 1) for number in range(count)]


def maintenance(at_h: float, hours: float, notice_days: float | None, number: int = 1, **more: object) -> Incident:
    start = START + round(at_h * HOUR_US)
    announced = None if notice_days is None else start - round(notice_days * DAY_US)
    return outage(at_h, hours, number, planned=True, announced_at=announced, **more)


def case_of(
    incidents: Iterable[Incident],
    period: Period = YEAR,
    contract: Contract | None = None,
    ledger: MemoryLedger | None = None,
) -> Case:
    ledger = ledger or MemoryLedger()
    rows: list[EventRow] = [period_row(period), *(row for one in incidents for row in incident_rows(one))]
    rows.sort(key=lambda row: row[0])
    ledger.events.extend(rows)
    return Case(Trace(ledger.snapshot()), contract or load_contract())


def judged(
    purpose: str, incidents: Iterable[Incident], period: Period = YEAR, contract: Contract | None = None
) -> Finding:
    return judge(purpose, case_of(incidents, period, contract), "year")
