"""Writes tables as CSV or XLSX; no cell becomes a formula in a spreadsheet.

In CSV, a text that begins with =, +, -, @, tab or a line end gets an apostrophe, unless it is a number. So does each
part of a text after a comma, semicolon, bar, tab or line end, because a spreadsheet with other separators begins a cell
there. In XLSX, texts are stored as texts. The same tables give the same octets.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from simbench.base.extras import need
from simbench.base.terminal import harmless

Cell = str | int | float | Decimal | date | bool | None
# The beginning of a cell, for any separator, with a character that begins a formula; numbers are excluded.
_RISKY: Final = re.compile(
    r"(?:\A|(?<=[,;|\t\r\n]))(?=\"*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])"
    r"(?![+-]?\d+(?:[.,]\d+)?(?:[,;|\t\r\n]|\Z))"
)
_GUARDED: Final = re.compile(r"\A'(?=[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n])")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONGEST_CELL: Final = 32_767
_EPOCH: Final = datetime(2000, 1, 1)
_NOT_IN_A_TITLE: Final = re.compile(r"[\[\]:*?/\\]")


class Sheet(msgspec.Struct, frozen=True):
    """A table: its name, its headings, its rows of cells."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def guarded(text: str) -> str:
    """Return a text with apostrophes against formulas; numbers are unchanged."""
    return _RISKY.sub("'", text)


def unguarded(text: str) -> str:
    """Return a text read from CSV without the apostrophe that `guarded` put before it."""
    return _GUARDED.sub("", text)


def csv_cell(cell: Cell) -> object:
    """Return a cell as CSV writes it: texts guarded and escaped, booleans as true or false, None as an empty text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return guarded(_shown(cell)) if isinstance(cell, str) else cell


def _shown(text: str) -> str:
    """Return a text with the characters escaped that control a terminal."""
    return text if text.isprintable() else harmless(text)


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[Cell]], *, end: str = "\n") -> str:
    """Return headings (if any) and rows as CSV."""
    return "".join(csv_lines(columns, rows, end=end))


def csv_lines(columns: Sequence[str], rows: Iterable[Iterable[Cell]], *, end: str = "\n") -> Iterator[str]:
    """Yield headings and rows as lines of CSV, for tables of any length."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")  # so that both characters are quoted within a cell
    for row in chain([columns] if columns else [], rows):
        writer.writerow([csv_cell(cell) for cell in row])
        yield buffer.getvalue().removesuffix("\r\n") + end
        buffer.seek(0)
        buffer.truncate()


def sheet_csv(sheet: Sheet) -> bytes:
    """Return a table as the octets of a CSV file."""
    return csv_text(sheet.columns, sheet.rows).encode("utf-8", "backslashreplace")


def workbook(sheets: Sequence[Sheet], place: str = "--xlsx") -> bytes:
    """Return an XLSX workbook with a sheet for each table. Raises BadInput at `place` without the extra `xlsx`."""
    need("xlsx", place)
    import openpyxl  # noqa: PLC0415 - an extra

    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.created = book.properties.modified = _EPOCH
    for sheet in sheets:
        page = book.create_sheet(_NOT_IN_A_TITLE.sub(" ", sheet.name)[:31])
        page.freeze_panes = "A2"
        for number, row in enumerate((sheet.columns, *sheet.rows), 1):
            for place_, value in enumerate(row, 1):
                cell = page.cell(number, place_)
                if isinstance(value, str):
                    cell.value = _ILLEGAL.sub("?", _shown(value))[:_LONGEST_CELL]
                    cell.data_type = "s"  # whatever it begins with
                else:
                    cell.value = value
    buffer = io.BytesIO()
    book.save(buffer)
    return _undated(buffer)


def _undated(archive: io.BytesIO) -> bytes:
    """Return the archive with one fixed date for every member and property."""
    fresh = io.BytesIO()
    with ZipFile(archive) as old, ZipFile(fresh, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            octets = old.read(name)
            if name == "docProps/core.xml":
                octets = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2000-01-01T00:00:00Z", octets)
            new.writestr(ZipInfo(name), octets, ZIP_DEFLATED)
    return fresh.getvalue()
