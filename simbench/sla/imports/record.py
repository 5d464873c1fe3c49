"""Imported data as a run in memory that any rule can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simbench.ledger import MemoryLedger, Run
from simbench.ledger.events import EventRow
from simbench.ledger.incidents import BEGINS, ENDS, PERIOD, Incident, Period, incident_rows, period_row
from simbench.ledger.reader import rows_of
from simbench.ledger.rows import TABLES, Row


def run_of(
    incidents: Iterable[Incident],
    period: Period,
    *,
    centre: Iterable[Row] = (),
    probes: Iterable[Row] = (),
    timing_error: Iterable[Row] = (),
) -> Run:
    """Return a run with a period, its incidents, and the given rows of the other tables."""
    ledger = MemoryLedger()
    ledger.events.extend(history_rows(incidents, period))
    ledger.centre.extend(centre)
    ledger.stimuli.extend(probes)
    ledger.timing_error.extend(timing_error)
    return ledger.snapshot()


def retold(run: Run, incidents: Iterable[Incident], period: Period, probes: Sequence[Row] = ()) -> Run:
    """Return the same run in memory with other incidents, another period, and more rows of `stimuli`."""
    others = (row for row in run.events.to_pylist() if row["kind"] not in {*BEGINS.values(), ENDS, PERIOD})
    kept: list[Row] = [tuple(row[column.name] for column in TABLES["events"].columns) for row in others]
    fresh = {"events": sorted([*kept, *history_rows(incidents, period)], key=_instant)}
    if probes:
        names = [column.name for column in TABLES["stimuli"].columns]
        fresh["stimuli"] = [*(tuple(row[name] for name in names) for row in run.stimuli.to_pylist()), *probes]
    load = rows_of(fresh)
    parts = {name: paths for name, paths in run.parts.items() if name not in fresh}
    return Run(run.info, lambda table: load(table) if table.name in fresh else run.table(table.name), parts)


def history_rows(incidents: Iterable[Incident], period: Period) -> list[EventRow]:
    """Return the events by time; at the same instant, ends precede beginnings."""
    rows = [period_row(period), *(row for one in incidents for row in incident_rows(one))]
    return sorted(rows, key=lambda row: (row[0], row[1] != ENDS))


def _instant(row: Row) -> tuple[int, bool]:
    return int(str(row[0])), row[1] != ENDS
