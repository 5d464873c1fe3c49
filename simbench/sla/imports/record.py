"""Imported data as a run in memory that any rule can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simbench.ledger import MemoryLedger, Run
from simbench.ledger.events import StoryRow
from simbench.ledger.incidents import BEGINS, ENDS, PERIOD, Incident, Period, period_row, to_story
from simbench.ledger.reader import rows_of
from simbench.ledger.rows import TABLES, Row


def run_of(
    incidents: Iterable[Incident],
    period: Period,
    *,
    centre: Iterable[Row] = (),
    asked: Iterable[Row] = (),
    grain: Iterable[Row] = (),
) -> Run:
    """A run with a period, its incidents, and rows of the other tables as they are."""
    ledger = MemoryLedger()
    ledger.story.extend(story_of(incidents, period))
    ledger.centre.extend(centre)
    ledger.asked.extend(asked)
    ledger.grain.extend(grain)
    return ledger.snapshot()


def retold(run: Run, incidents: Iterable[Incident], period: Period, asked: Sequence[Row] = ()) -> Run:
    """The same run in memory with other incidents, another period, and further rows of `asked`."""
    others = (row for row in run.story.to_pylist() if row["kind"] not in {*BEGINS.values(), ENDS, PERIOD})
    kept: list[Row] = [tuple(row[column.name] for column in TABLES["story"].columns) for row in others]
    fresh = {"story": sorted([*kept, *story_of(incidents, period)], key=_instant)}
    if asked:
        names = [column.name for column in TABLES["asked"].columns]
        fresh["asked"] = [*(tuple(row[name] for name in names) for row in run.asked.to_pylist()), *asked]
    load = rows_of(fresh)
    parts = {name: paths for name, paths in run.parts.items() if name not in fresh}
    return Run(run.info, lambda table: load(table) if table.name in fresh else run.table(table.name), parts)


def story_of(incidents: Iterable[Incident], period: Period) -> list[StoryRow]:
    """Events by time; of one instant, ends come before beginnings."""
    rows = [period_row(period), *(row for one in incidents for row in to_story(one))]
    return sorted(rows, key=lambda row: (row[0], row[1] != ENDS))


def _instant(row: Row) -> tuple[int, bool]:
    return int(str(row[0])), row[1] != ENDS
