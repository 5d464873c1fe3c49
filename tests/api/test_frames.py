"""Tables in every library hold the same values, types and instants, as results and as input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import simbench
from simbench import Frame
from simbench.base.errors import BadInput

PARIS = "Europe/Paris"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "code": ["36010", "36020", None],
    "count": [1, 2, 3_000_000_000],
    "share": [0.1, None, 1e-9],
    "planned": [True, False, None],
    "euros": [Decimal("580.00"), Decimal("-1.05"), Decimal("0.00")],
    "at": [NOON, NOON + timedelta(microseconds=1), None],
}


def plain(cells: list[Any]) -> list[Any]:
    """Cells of any library as Python's own, nothing as None."""
    return [None if cell is None or pd.isna(cell) else cell for cell in cells]


def test_arrow_pandas_and_polars_hold_the_same_values() -> None:
    frame = Frame.of(COLUMNS, "all kinds")
    assert {name: frame[name] for name in frame.columns} == COLUMNS
    pandas, polars = frame.to_pandas(), frame.to_polars()
    assert list(pandas.columns) == polars.columns == frame.columns == list(COLUMNS)
    assert len(pandas) == len(polars) == len(frame) == 3
    for name, cells in COLUMNS.items():
        assert plain(polars[name].to_list()) == cells, name
        assert plain([getattr(one, "to_pydatetime", lambda one=one: one)() for one in pandas[name]]) == cells, name
    assert [dict(row) for row in frame.rows()][1] == {name: cells[1] for name, cells in COLUMNS.items()}


def test_instants_are_in_utc_to_the_microsecond_in_each_library() -> None:
    run = simbench.simulate("year/03_six_hour_outage")
    minutes, incidents = run.minutes, run.incidents
    for frame, name in ((minutes, "at"), (incidents, "start"), (incidents, "end")):
        assert frame.arrow.schema.field(name).type == pa.timestamp("us", "UTC")
        assert str(frame.to_pandas()[name].dtype) == "datetime64[us, UTC]"
        assert frame.to_polars()[name].dtype == pl.Datetime("us", "UTC")
        first = frame[name][0]
        assert first == frame.to_pandas()[name].iloc[0] == frame.to_polars()[name][0]
        assert first.utcoffset() == timedelta(0)
    (outage,) = incidents.rows()
    assert outage["end"] - outage["start"] == timedelta(hours=6)
    assert outage["planned"] is False
    assert pa.types.is_integer(minutes.arrow.schema.field("delivered").type)


def test_any_library_reads_a_frame_without_a_hint_of_its_kind() -> None:
    frame = Frame.of(COLUMNS, "all kinds")
    assert pa.table(frame).equals(frame.arrow)
    assert pl.DataFrame(frame).equals(frame.to_polars())
    assert pd.DataFrame.from_arrow(frame).equals(frame.to_pandas())


TICKETS: dict[str, Any] = {
    "start": [datetime(2025, 3, 4, 10, tzinfo=UTC), datetime(2025, 9, 2, 14, tzinfo=timezone(timedelta(hours=2)))],
    "end": [datetime(2025, 3, 4, 19, tzinfo=UTC), datetime(2025, 9, 2, 15, tzinfo=timezone(timedelta(hours=2)))],
    "scope": ["total", "total"],
    "planned": [False, False],
    "announced_at": [None, None],
}
SOURCES: dict[str, Any] = {
    "columns by name": lambda: Frame.of(TICKETS, "the DataFrame"),
    "arrow": lambda: pa.table(Frame.of(TICKETS).arrow),
    "polars": lambda: pl.DataFrame({name: cells for name, cells in TICKETS.items() if name != "announced_at"}),
    "pandas in UTC": lambda: pd.DataFrame(
        {
            **TICKETS,
            "start": pd.to_datetime(TICKETS["start"], utc=True),
            "end": pd.to_datetime(TICKETS["end"], utc=True),
        }
    ),
    "pandas in Paris": lambda: pd.DataFrame(
        {
            **TICKETS,
            "start": pd.to_datetime(TICKETS["start"], utc=True).tz_convert(PARIS),
            "end": pd.to_datetime(TICKETS["end"], utc=True).tz_convert(PARIS),
        }
    ),
    "pandas of texts": lambda: pd.DataFrame(
        {name: [None if one is None else str(one) for one in cells] for name, cells in TICKETS.items()}
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_tickets_of_any_library_and_zone_are_judged_the_same(source: str) -> None:
    period: Any = {"start": "2025-01-01T00:00+01:00", "end": "2026-01-01T00:00+01:00"}
    found = simbench.judge(SOURCES[source](), **period)
    expected = simbench.judge(SOURCES["columns by name"](), **period)
    assert list(found) == list(expected)
    assert found["sla.restoration"].measured == 9
    assert found["sla.restoration"].outcome == "fail"


def test_a_time_without_a_zone_needs_one_whatever_library_it_comes_from() -> None:
    naive = pd.DataFrame({**TICKETS, "start": [datetime(2025, 3, 4, 11)] * 2, "end": [datetime(2025, 3, 4, 20)] * 2})
    period: Any = {"start": "2025-01-01T00:00+01:00", "end": "2026-01-01T00:00+01:00"}
    for table in (naive, pl.from_pandas(naive.drop(columns="announced_at"))):
        with pytest.raises(BadInput, match="zone"):
            simbench.judge(table, **period)
        assert simbench.judge(table, **period, tz=PARIS)["sla.restoration"].measured == 9


@pytest.mark.parametrize(
    ("thing", "problem"),
    [
        (3, "t: is a int; expected a DataFrame of pandas or polars, an Arrow table, or columns by name"),
        ([1, 2], "t: is a list; expected a DataFrame"),
        ({"a": [1], "b": [1, 2]}, "t: cannot be read as a table: "),
        ({"a": [1, "x"]}, "t: cannot be read as a table: "),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(thing: Any, problem: str) -> None:
    with pytest.raises(BadInput) as seen:
        Frame.of(thing, "t")
    assert str(seen.value).startswith(problem)
    assert "\n" not in str(seen.value)


def test_an_unknown_column_or_table_names_those_there_are() -> None:
    frame = Frame.of(COLUMNS)
    with pytest.raises(KeyError, match="no column 'codes'; there are code, count"):
        frame["codes"]
    with pytest.raises(BadInput, match="one of wire, events"):
        simbench.simulate("year/01_quiet_day").table("minutes")
