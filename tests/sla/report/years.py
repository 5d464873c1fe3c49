"""Runs to report on: a year with outages and traffic by the minute, and its parts. Made in memory or in a folder."""

from __future__ import annotations

from pathlib import Path

from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.contract import load_contract
from simbench.ledger import Ledger, MemoryLedger, Run, RunInfo
from simbench.ledger.incidents import Incident, Period
from simbench.ledger.rows import COUNTED, MINUTE, TIMES, Row
from simbench.sla.imports.record import history_rows
from tests.paris import instant

START, END = instant(2025, 1, 1), instant(2026, 1, 1)
CODE, OTHER = "36010", "36020"


def outages(number: int, hours: float = 6) -> list[Incident]:
    """So many total outages, three weeks apart."""
    starts = [START + (10 + 21 * n) * DAY_US + 9 * HOUR_US for n in range(number)]
    return [Incident(f"S{n + 1}", at, at + int(hours * HOUR_US)) for n, at in enumerate(starts)]


def minute(at: int, code: str, accepted: int, backlog: int = 0) -> Row:
    """A minute in which all accepted was delivered within ten seconds."""
    counts = dict.fromkeys((*COUNTED, *TIMES), 0)
    counts |= {"offered": accepted + backlog, "submitted": accepted, "accepted": accepted, "delivered": accepted}
    counts["within_10s"] = accepted
    return (at, code, *(counts[name] for name in (*COUNTED, *TIMES)), backlog)


def traffic(incidents: list[Incident], days: int = 365) -> list[Row]:
    """Every day at ten 120 messages a code; after an outage 600 a minute until 1,200 that waited are gone."""
    rows = []
    for code in (CODE, OTHER):
        rows += [minute(START + day * DAY_US + 10 * HOUR_US, code, 120) for day in range(days)]
    for one in incidents:
        assert one.end is not None
        rows.append(minute(one.end - MINUTE_US, CODE, 0, 1200))
        rows += [minute(one.end, CODE, 600, 600), minute(one.end + MINUTE_US, CODE, 600)]
    assert all(len(row) == len(MINUTE.columns) for row in rows)
    return sorted(rows, key=lambda row: (str(row[1]), int(str(row[0]))))


def run_of_year(
    incidents: list[Incident], rows: list[Row], known_from: int = START, *, rate: int = 10, end: int = END
) -> Run:
    """The run in memory."""
    ledger = MemoryLedger()
    _fill(ledger, incidents, rows, Period(START, end, known_from), rate)
    return ledger.snapshot()


def write_run(folder: Path, incidents: list[Incident], rows: list[Row], note: str = "") -> Path:
    """The same run as a folder; with a note as one that was stopped."""
    contract = load_contract()
    info = RunInfo("year", scenario="a-year", contract=contract.name, contract_digest=contract.digest, note=note)
    with Ledger.create(folder, info, daily=False) as ledger:
        _fill(ledger, incidents, rows, Period(START, END, START), 10)
    return folder


def _fill(ledger: Ledger | MemoryLedger, incidents: list[Incident], rows: list[Row], period: Period, rate: int) -> None:
    for reported in history_rows(incidents, period):
        ledger.events.append(reported)
    for code in (CODE, OTHER):
        ledger.events.append((period.start, "tier", code, None, f'{{"rate_per_s": {rate}}}'))
    for row in rows:
        ledger.minute.append(row)
