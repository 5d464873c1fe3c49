"""Tables in memory: data frames as input, Arrow, pandas or polars as output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.notebook import html_table
from simbench.tables.writer import Sheet

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

EXPECTED = "a DataFrame of pandas or polars, an Arrow table, or columns by name"


class ArrowStream(Protocol):
    """A table of any library that exports Arrow, such as pandas (from 2.2), polars or Arrow itself."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the table as an Arrow stream."""


class Frame:
    """A table in memory, available as Arrow, pandas or polars.

    `arrow` is the `pyarrow.Table`, `name` the table's name in messages.

    >>> frame = Frame.of({"code": ["36010", "36020"], "rate_per_s": [10, 20]}, "rates")
    >>> frame
    <Frame rates: 2 rows of code, rate_per_s>
    >>> frame["rate_per_s"]
    [10, 20]
    """

    def __init__(self, arrow: pa.Table, name: str = "table") -> None:
        self.arrow = arrow
        self.name = name

    @classmethod
    def of(cls, thing: object, name: str = "table") -> Frame:
        """Create a frame from a DataFrame (pandas, polars), any object that exports Arrow, or columns by name.

        Raises BadInput for anything else, and for columns of unequal lengths or mixed types.
        """
        if isinstance(thing, Frame):
            return thing
        import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

        try:
            if isinstance(thing, pa.Table):
                table = thing
            elif isinstance(thing, Mapping):
                table = pa.table({str(column): list(cells) for column, cells in thing.items()})
            elif is_table(thing):
                table = pa.table(thing)
            else:
                raise BadInput(name, f"is a {type(thing).__name__}", EXPECTED)
        except (pa.ArrowException, TypeError, ValueError) as problem:
            raise BadInput(
                name, f"cannot be read as a table: {' '.join(str(problem).split()):.100}", EXPECTED
            ) from None
        return cls(_plain(table), name)

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.arrow.column_names)

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __getitem__(self, column: str) -> list[Any]:
        if column not in self.columns:
            raise KeyError(f"no column {column!r}; there are {', '.join(self.columns)}")
        return list(self.arrow.column(column).to_pylist())

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as values by column, in order."""
        for batch in self.arrow.to_batches(max_chunksize=10_000):
            yield from batch.to_pylist()

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame. Raises BadInput, with the install command, if pandas is not installed."""
        need("pandas", "to_pandas")
        return self.arrow.to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """Return a polars DataFrame. Raises BadInput, with the install command, if polars is not installed."""
        need("polars", "to_polars")
        import polars as pl  # noqa: PLC0415 - an optional extra

        frame = pl.from_arrow(self.arrow)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the table as an Arrow stream, which other libraries read without a copy."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<Frame {self.name}: {len(self):,} rows of {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        rows: Iterator[Sequence[object]] = (tuple(row.values()) for row in self.rows())
        return html_table(self.columns, rows, len(self), self.name)


def frame_of(sheet: Sheet) -> Frame:
    """Convert a sheet of a report to a frame."""
    columns: dict[str, list[Any]] = {name: [row[at] for row in sheet.rows] for at, name in enumerate(sheet.columns)}
    mixed = {name for name, cells in columns.items() if len({type(one) for one in cells if one is not None}) > 1}
    texts = {name: [None if one is None else str(one) for one in columns[name]] for name in mixed}
    return Frame.of({**columns, **texts}, sheet.name)


def place_of(source: Path | Frame) -> str:
    """Return the name of a table in messages: its path, or the name of a frame."""
    return source.name if isinstance(source, Frame) else str(source)


def is_table(thing: object) -> bool:
    """Return whether an object is a table in memory: a frame, an Arrow table, or a DataFrame of pandas or polars."""
    if isinstance(thing, Frame) or hasattr(thing, "__arrow_c_stream__"):
        return True
    return type(thing).__name__ == "DataFrame" and hasattr(thing, "columns")


def _plain(table: pa.Table) -> pa.Table:
    """Convert text columns to Arrow strings, because libraries export several kinds of them."""
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

    fields = [
        pa.field(one.name, pa.string() if pa.types.is_string_view(one.type) else one.type) for one in table.schema
    ]
    return table.cast(pa.schema(fields)) if any(pa.types.is_string_view(one.type) for one in table.schema) else table
