"""Tables others wrote: CSV and Parquet as rows of named cells, through a mapping of columns. Knows no meaning.

A row that cannot be used is set aside with its line number and the reason; a table that cannot is refused in one line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Mapping_
from pathlib import Path
from typing import Any, Literal

import msgspec

from simbench.contract.typed import choice, label, read_toml, shown
from simbench.errors import BadInput

PARQUET = b"PAR1"
DELIMITERS = ",;\t|"


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our columns to theirs, their words to ours by column, and what stands where a column does not.

    `time` is a `strptime` pattern (empty: ISO 8601), `tz` the zone of times that say none.
    """

    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    delimiter: str = ""
    encoding: Literal["utf-8", "latin-1", "cp1252", "utf-16"] = "utf-8"
    time: str = ""
    tz: str = ""


class Aside(msgspec.Struct, frozen=True):
    """A row that was set aside: where it stood and why; `kept` when it is used all the same."""

    line: int
    reason: str
    kept: bool = False


class Row(msgspec.Struct, frozen=True):
    """One row under our names: its line, and its cells as texts, or as Parquet has them."""

    line: int
    cells: Mapping_[str, Any]


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file: one table for each kind of table there is to read."""

    outages: Columns = Columns()
    traffic: Columns = Columns()
    probes: Columns = Columns()


def read_mapping(path: Path | None, known: Mapping_[str, Iterable[str]]) -> Mapping:
    """Read a mapping file; `known` has our columns of each kind. BadInput when it names one that there is not."""
    if path is None:
        return Mapping()
    mapping = read_toml(path, Mapping, BadInput)
    for kind, names in known.items():
        _check(getattr(mapping, kind), list(names), f"{label(path)}: {kind}")
    return mapping


def _check(columns: Columns, names: list[str], place: str) -> None:
    for table in ("columns", "values", "defaults"):
        for name in getattr(columns, table):
            if name not in names:
                raise BadInput(f"{place}.{table}.{name}", "no such column", choice(name, names))
    if len(columns.delimiter) > 1:
        raise BadInput(f"{place}.delimiter", f"is {shown(columns.delimiter)}", "one character")


def read_rows(path: Path, mapping: Columns, needed: Iterable[str]) -> Iterator[Row | Aside]:
    """Every row of a CSV or Parquet file; BadInput when it cannot be read or lacks a column."""
    octets = _octets(path)
    parquet = octets.startswith(PARQUET)
    names, rows = _parquet(path) if parquet else _csv(path, octets, mapping)
    theirs = {name: place for place, name in enumerate(names)}
    if len(theirs) < len(names):
        twice = next(name for place, name in enumerate(names) if theirs[name] != place)
        raise BadInput(label(path), f"two columns are called {shown(twice)}", "each name once")
    for name in needed:
        if mapping.columns.get(name, name) not in theirs and name not in mapping.defaults:
            problem = f"no column {shown(mapping.columns.get(name, name))}"
            raise BadInput(label(path), problem, f"one for {name}, or a mapping file (--map)")
    ours = {theirs_: ours_ for ours_, theirs_ in mapping.columns.items()}
    headings = [ours.get(name, name if name not in mapping.columns else "") for name in names]
    for line, cells in rows:
        yield cells if isinstance(cells, Aside) else _row(line, headings, cells, mapping)


def refused(found: list[Aside], path: Path) -> BadInput:
    """What to raise when no row at all could be used."""
    return BadInput(label(path), f"none of {len(found)} rows can be used: line {found[0].line}: {found[0].reason}")


def _row(line: int, headings: list[str], cells: list[Any], mapping: Columns) -> Row | Aside:
    if len(cells) > len(headings):
        return Aside(line, f"{len(cells)} cells under {len(headings)} columns")
    told = dict(mapping.defaults)
    for heading, cell in zip(headings, cells, strict=False):
        value = cell.strip() if isinstance(cell, str) else cell
        if heading and value not in {"", None}:
            told[heading] = mapping.values.get(heading, {}).get(str(value), value)
    return Row(line, told)


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", "a CSV or Parquet file") from None


def _csv(path: Path, octets: bytes, mapping: Columns) -> tuple[list[str], Iterator[tuple[int, list[str] | Aside]]]:
    try:
        text = octets.removeprefix(b"\xef\xbb\xbf").decode(mapping.encoding, "surrogateescape")
    except UnicodeError:
        raise BadInput(label(path), f"is not {mapping.encoding}", "another `encoding` in the mapping file") from None
    first = text.partition("\n")[0]
    delimiter = mapping.delimiter or max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(reader, [])]
    except csv.Error as problem:
        raise BadInput(label(path), f"line 1: {problem}", "a line of column names") from None
    if not any(names):
        raise BadInput(label(path), "is empty", "a line of column names")
    return names, _lines(reader)


def _lines(reader: Any) -> Iterator[tuple[int, list[str] | Aside]]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield line, Aside(line, str(problem))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
            yield line, Aside(line, "holds octets that are not of the encoding")
            continue
        yield line, cells


def _parquet(path: Path) -> tuple[list[str], Iterator[tuple[int, list[Any] | Aside]]]:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        table = pq.read_table(path)
        columns = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError) as problem:
        told = " ".join(str(problem).split())
        raise BadInput(label(path), f"cannot be read as Parquet: {told:.100}") from None
    return table.column_names, ((n + 1, list(cells)) for n, cells in enumerate(zip(*columns, strict=True)))
