"""Reads the wanted columns of Parquet files and Arrow tables, batch by batch, and checks their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simbench.base.errors import BadInput
from simbench.base.toml_files import label, shown
from simbench.tables.frames import Frame
from simbench.tables.rows import Kind

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC: Final = b"PAR1"
BATCH_ROWS: Final = 65_536
EXPECTED: Final[dict[Kind, str]] = {
    "instant": "timestamps, texts, or numbers of seconds since 1970",
    "text": "texts or whole numbers",
    "note": "texts",
    "truth": "booleans, texts, or 1 and 0",
    "number": "numbers or texts",
}


class ArrowTable:
    """A table of Arrow columns: their names, and the wanted cells by row. `path` names it in messages."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self.names: list[str] = list(schema.names)

    def fitting(self, kind: Kind) -> list[int]:
        """Return the positions of the columns whose type can hold a kind."""
        return [place for place, one in enumerate(self._schema.types) if _fits(one, kind)]

    def rows(self, wanted: dict[int, Kind]) -> Iterator[tuple[int, list[Any]]]:
        """Iterate over row number and cells of the wanted columns (others None). Raises BadInput for a wrong type."""
        import pyarrow as pa  # noqa: PLC0415 - as above

        known = Counter(self.names)
        for place, kind in wanted.items():
            field = self._schema.field(place)
            if known[field.name] > 1:
                problem = f"{known[field.name]} columns are called {shown(field.name)}"
                raise BadInput(label(self.path), problem, "each name used once")
            if not _fits(field.type, kind):
                problem = f"column {shown(field.name)} is of type {field.type}"
                raise BadInput(label(self.path), problem, EXPECTED[kind])
        return self._read(pa, wanted)

    def _read(self, pa: Any, wanted: dict[int, Kind]) -> Iterator[tuple[int, list[Any]]]:
        names, number = self.names, 0
        with _refusing(self.path):
            for batch in self._batches(list({names[place] for place in wanted})):
                columns = {place: _cells(pa, batch.column(names[place])) for place in wanted}
                for row in range(batch.num_rows):
                    number += 1
                    yield number, [columns[p][row] if p in columns else None for p in range(len(names))]

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError


class ParquetTable(ArrowTable):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        from simbench.base.parquet_files import open_parquet  # noqa: PLC0415 - Arrow is slow to load

        with _refusing(path):
            self._file = open_parquet(path)
            super().__init__(path, self._file.schema_arrow)

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with self._file:
            yield from self._file.iter_batches(BATCH_ROWS, columns=columns)


class FrameTable(ArrowTable):
    """A table in memory."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(Path(frame.name), frame.arrow.schema)
        self._arrow = frame.arrow

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        yield from self._arrow.select(columns).to_batches(max_chunksize=BATCH_ROWS)


class _refusing:  # noqa: N801 - a context manager, read as a word
    """Converts Arrow's errors for a damaged file to one line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, _: object) -> None:
        import pyarrow as pa  # noqa: PLC0415 - as above

        if isinstance(problem, (pa.ArrowException, OSError, ValueError)) and not isinstance(problem, BadInput):
            words = " ".join(str(problem).split())
            raise BadInput(label(self.path), f"cannot be read as Parquet: {words:.100}") from None


def _fits(type_: pa.DataType, kind: Kind) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - as above

    types = pa.types
    while types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_null(type_) or types.is_string(type_) or types.is_large_string(type_):
        return True
    whole, real = types.is_integer(type_), types.is_floating(type_) or types.is_decimal(type_)
    fits: dict[Kind, bool] = {
        "instant": types.is_timestamp(type_) or whole or real,
        "text": whole or real or types.is_boolean(type_),
        "note": True,
        "truth": types.is_boolean(type_) or whole,
        "number": whole or real,
    }
    return fits[kind]


def _cells(pa: Any, column: Any) -> list[Any]:
    """Return the values; those that Python cannot represent (years above 9999, invalid UTF-8) become the text "�"."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError, pa.ArrowException):
        return [_cell(pa, one) for one in column]


def _cell(pa: Any, scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError, pa.ArrowException):
        return "�"
