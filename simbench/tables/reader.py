"""Reads tables as rows of named cells: frames, and files of delimited text, Parquet or XLSX.

The format of a file is detected by its first octets. An unusable row is rejected with its line and the reason; an
unusable table raises an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.base.text import count
from simbench.base.toml_files import label
from simbench.tables import parquet, workbook
from simbench.tables.columns import UNMAPPED, Columns, check_needed, folded, places_of
from simbench.tables.delimited import read_delimited
from simbench.tables.frames import Frame
from simbench.tables.rows import UNREADABLE, Kind, RejectedRow, Row, Table, closing_on_error
from simbench.tables.writer import unguarded

_Records = Iterator[tuple[int, list[Any] | RejectedRow]]

EXPECTED = "a table as delimited text (CSV), Parquet or XLSX"


def read_table(
    path: Path | Frame, kinds: Mapping[str, Kind], mapping: Columns | None = None, needed: Iterable[str] = (), *,
    whole_rows: bool = False,
) -> Table:  # fmt: skip
    """Open a table; `kinds` names the wanted columns and the kind of their values.

    A text row with fewer cells than headings lacks the last ones; with `whole_rows` it is rejected.

    Raises BadInput if the table is unreadable, lacks a needed column, has one twice, or one of an unsuitable type.
    """
    mapping = mapping or UNMAPPED
    if isinstance(path, Frame):
        return _arrow(parquet.FrameTable(path), kinds, mapping, needed)
    try:
        with open_input(path) as file:
            magic = file.read(4)
        if magic == parquet.MAGIC:
            return _arrow(parquet.ParquetTable(path), kinds, mapping, needed)
        if magic == workbook.MAGIC:
            return _workbook(path, kinds, mapping, needed)
        return _text(path, kinds, mapping, needed, whole_rows=whole_rows)
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", EXPECTED) from None


def read_records(path: Path, headings: Collection[str]) -> Iterator[tuple[int, list[Any] | RejectedRow]]:
    """Yield line and cells, unchanged, of every record of a table whose first record may not be headings.

    `headings` help to detect the delimiter. Raises BadInput if the file is unreadable.
    """
    try:
        with open_input(path) as file:
            magic = file.read(4)
        if magic == parquet.MAGIC:
            table = parquet.ParquetTable(path)
            kinds: dict[int, Kind] = dict.fromkeys(table.fitting("text"), "text")
            return chain([(0, list(table.names))], table.rows(kinds))
        if magic == workbook.MAGIC:
            book = workbook.Workbook(path)
            return chain([(1, list(book.names))], book.rows())
        found = read_delimited(path, UNMAPPED, lambda names: sum(folded(name) in headings for name in names))
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", EXPECTED) from None
    return chain([(found.line, list(found.names))], found.records)


def _arrow(table: parquet.ArrowTable, kinds: Mapping[str, Kind], mapping: Columns, needed: Iterable[str]) -> Table:
    places = places_of(table.names, kinds, mapping, table.path)
    check_needed(places, needed, mapping, table.path)
    rows = table.rows({place: kinds[name] for name, place in places.items()})
    return Table(table.path, _named(rows, places, kinds, mapping), (), tuple(places))


def _workbook(path: Path, kinds: Mapping[str, Kind], mapping: Columns, needed: Iterable[str]) -> Table:
    book = workbook.Workbook(path, mapping.sheet)
    places = places_of(book.names, kinds, mapping, path)
    check_needed(places, needed, mapping, path)
    rows = _named(book.rows(), places, kinds, mapping, width=len(book.names))
    return Table(path, rows, book.remarks, tuple(places))


def _text(path: Path, kinds: Mapping[str, Kind], mapping: Columns, needed: Iterable[str], *, whole_rows: bool) -> Table:
    wanted = {folded(mapping.columns.get(name, name)) for name in kinds}
    found = read_delimited(path, mapping, lambda names: sum(folded(name) in wanted for name in names))
    with closing_on_error(found.records):
        places = places_of(found.names, kinds, mapping, path)
        check_needed(places, needed, mapping, path)
    records = _whole(found.records, len(found.names)) if whole_rows else found.records
    rows = _named(records, places, kinds, mapping, width=len(found.names), comma=found.delimiter == ";")
    return Table(path, rows, found.remarks, tuple(places), found.octets_read, found.records)


def _whole(records: Iterator[tuple[int, list[Any] | RejectedRow]], width: int) -> _Records:
    """Yield records; those with fewer cells than headings are rejected, as from a truncated file or another table."""
    for line, cells in records:
        if isinstance(cells, list) and len(cells) < width:
            yield line, RejectedRow(line, f"{count(len(cells), 'cell')} under {count(width, 'column')}", "columns")
        else:
            yield line, cells


def _named(
    records: Iterator[tuple[int, list[Any] | RejectedRow]] | Iterator[tuple[int, list[Any]]],
    places: Mapping[str, int], kinds: Mapping[str, Kind], mapping: Columns, *, width: int = 0, comma: bool = False,
) -> Iterator[Row | RejectedRow]:  # fmt: skip
    """Yield records as rows with our names and mapped words; cells beyond the headings must be empty."""
    words = {name: {folded(theirs): ours for theirs, ours in mapped.items()} for name, mapped in mapping.values.items()}
    wanted = [(name, place, kinds[name] != "note", words.get(name)) for name, place in places.items()]
    for line, cells in records:
        if isinstance(cells, RejectedRow):
            yield cells
            continue
        if width and len(cells) > width and any(_is_filled(cell) for cell in cells[width:]):
            yield RejectedRow(line, f"{count(len(cells), 'cell')} under {count(width, 'column')}", "columns")
            continue
        values: dict[str, Any] = {name: word for name, word in mapping.defaults.items() if word}  # as an empty cell
        broken = ""
        size = len(cells)
        for name, place, strict, mapped in wanted:
            cell = cells[place] if place < size else None
            if isinstance(cell, str):
                cell = cell.strip()
                if not cell:
                    continue
                if cell[0] == "'":
                    cell = unguarded(cell)
                if strict and UNREADABLE in cell:
                    broken = broken or name
            elif cell is None:
                continue
            values[name] = cell if mapped is None else mapped.get(folded(str(cell)), cell)
        if broken:
            yield RejectedRow(line, f"{broken}: holds octets that are not of the encoding", "encoding")
        else:
            yield Row(line, values, comma)


def _is_filled(cell: Any) -> bool:
    return cell is not None and not (isinstance(cell, str) and (not cell or cell.isspace()))
