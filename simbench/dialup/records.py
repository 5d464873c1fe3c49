"""Call records as files: CSV and Parquet, read with every invalid row set aside, and written.

Columns by name, in any order, others ignored: `start` or `start_us`; `end`, `end_us`, `duration_s` or `duration_us`;
`nas`, `port`, `user`, `session`, `cause`. Times are ISO 8601, without a zone in the offer's civil time (the first of
the two hours repeated in autumn), or whole microseconds since 1970, UTC, where the name ends in `_us`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput, NothingRead
from simbench.base.inputs import open_input
from simbench.base.outputs import replacing
from simbench.base.units import SECOND_US
from simbench.dialup.calls import Calls, cause_name
from simbench.dialup.columns import Progress
from simbench.dialup.csv_records import read_csv
from simbench.dialup.grid import Grid, grid_of, month_at, months_named
from simbench.dialup.offer import Offer
from simbench.dialup.radius.pairing import SAME_US, Paired
from simbench.dialup.validation import RejectedRows, vet
from simbench.tables.writer import Cell, csv_lines

_WRITTEN: Final = ("start", "duration_s", "nas", "port", "user", "session", "cause")


@dataclass(frozen=True)
class Records:
    """A file of call records: valid calls sorted by start, the rows set aside, and the months covered.

    `slack_us` is the overlap of two calls on a port that the source's rounding explains; `passed_over` counts by type
    the accounting records that are not about a call.
    """

    source: str
    rows: int
    calls: Calls
    aside: RejectedRows
    grid: Grid
    slack_us: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)


def read_records(path: Path, offer: Offer, months: str = "", progress: Progress = lambda _done, _all: None) -> Records:
    """Read call records for the months named ("": the month in which most calls begin).

    Raises BadInput for a missing file, header or column, or an invalid Parquet file.
    """
    aside = RejectedRows()
    try:
        with open_input(path) as file:
            parquet = file.read(4) == b"PAR1"
        if parquet:
            from simbench.dialup.parquet_records import read_parquet  # noqa: PLC0415 - slow to load

            rows, calls = read_parquet(path, offer.calendar, aside)
        else:
            rows, calls = read_csv(path, offer.calendar, aside, progress)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "call records as .csv or .parquet") from None
    return validated(Found(path, rows, calls, aside), offer, months)


@dataclass(frozen=True)
class Found:
    """The content of a source: its number of rows, its calls in order, and the rows set aside; `paired` for accounting
    records.
    """

    path: Path
    rows: int
    calls: Calls
    aside: RejectedRows
    paired: Paired | None = None


def validated(found: Found, offer: Offer, months: str = "") -> Records:
    """Keep the valid calls for the months named ("": the month in which most calls begin).

    Raises BadInput if no call shows the month, NothingRead if there is no row and no month is given.
    """
    names = months_named(months) if months else (_usual_month(found, offer),)
    grid = grid_of(names, offer)
    paired = found.paired
    slack_us, passed_over = (SAME_US, dict(paired.passed_over)) if paired else (0, {})
    calls = vet(found.calls, grid, offer, found.aside, slack_us, distinct=paired is not None)
    return Records(str(found.path), found.rows, calls, found.aside, grid, slack_us, passed_over)


def _usual_month(found: Found, offer: Offer) -> str:
    calls, path = found.calls, found.path
    if not len(calls) and not found.aside.total:
        raise NothingRead(f"{path}: nothing was read in it, so there is nothing to settle or to judge")
    if not len(calls):
        raise BadInput(str(path), "has no valid call, so its month is unknown", "--month")
    middle = int(np.sort(calls.start_us)[len(calls) // 2])
    try:
        return months_named(month_at(middle, offer.calendar))[0]
    except (OverflowError, ValueError):
        raise BadInput(str(path), "its calls are outside the calendar", "--month") from None


def write_records(path: Path, calls: Calls, calendar: Calendar) -> None:
    """Write calls as CSV, or as Parquet if the name ends so. Raises BadInput when the file cannot be written."""
    with replacing(path) as part:
        if path.suffix == ".parquet":
            _write_parquet(part, calls)
        else:
            with part.open("w", encoding="utf-8", newline="") as file:
                file.writelines(csv_lines(_WRITTEN, _csv_rows(calls, calendar), end="\r\n"))


def _csv_rows(calls: Calls, calendar: Calendar) -> Iterator[tuple[Cell, ...]]:
    for row in calls.rows():
        whole, part = divmod(row.duration_us, SECOND_US)
        lasts = f"{whole}.{part:06}" if part else whole
        yield (
            calendar.civil(row.start_us).isoformat(),
            lasts,
            row.nas,
            row.port,
            row.user,
            row.session,
            cause_name(row.cause),
        )


def _write_parquet(path: Path, calls: Calls) -> None:
    import pyarrow as pa  # noqa: PLC0415 - slow to load
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    session = calls.session if calls.session is not None else pa.array([f"{line:08X}" for line in calls.line.tolist()])
    users: Any = pa.array([calls.user_of(place) for place in range(len(calls))]) if calls.user_names else calls.user
    table = {
        "start_us": calls.start_us,
        "duration_us": calls.duration_us,
        "nas": pa.DictionaryArray.from_arrays(pa.array(calls.nas, mask=calls.nas < 0), list(calls.nas_names) or [""]),
        "port": calls.port,
        "user": users,
        "session": session,
        "cause": calls.cause,
    }
    pq.write_table(pa.table(table), path)
