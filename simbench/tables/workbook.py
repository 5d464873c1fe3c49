"""XLSX: one sheet of a workbook, row by row, with the values that its formulas had when it was saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice, label
from simbench.tables.rows import Remark

MAGIC: Final = b"PK\x03\x04"


class Workbook:
    """A workbook: the headings of its sheet, its rows, and a remark where other sheets hold something."""

    def __init__(self, path: Path, sheet: str = "") -> None:
        try:
            import openpyxl  # noqa: PLC0415 - an extra
        except ImportError:
            raise BadInput(
                label(path), "is an XLSX workbook, which needs openpyxl", "pip install 'telecom-simbench[xlsx]'"
            ) from None
        self.path = path
        self._book = self._opened(openpyxl)
        names = [one.title for one in self._book.worksheets]
        if sheet and sheet not in names:
            raise BadInput(f"{label(path)}: sheet", f"no sheet {sheet!r}", choice(sheet, names))
        if not names:
            raise BadInput(label(path), "has no sheet of cells", "a table")
        chosen = self._book.worksheets[names.index(sheet) if sheet else 0]
        others = [name for name in names if name != chosen.title]
        told = f"sheet {chosen.title!r} was read, {', '.join(map(repr, others))} not (`sheet` of the map)"
        self.remarks = (Remark(0, told),) if others and not sheet else ()
        self._rows = self._guarded(chosen)
        first = next(self._rows, (1, []))[1]
        self.names = ["" if cell is None else str(cell).strip() for cell in first]
        if not any(self.names):
            raise BadInput(label(path), "is empty", "a row of column names")

    def rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Row number and cells of every row that is not empty."""
        return self._rows

    def _opened(self, openpyxl: Any) -> Any:
        try:
            return openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        except Exception as problem:  # openpyxl raises whatever zip, XML and its own descriptors raise
            raise self._damaged(problem) from None

    def _guarded(self, sheet: Any) -> Iterator[tuple[int, list[Any]]]:
        number = 0
        try:
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                if any(cell is not None and str(cell).strip() for cell in cells):
                    yield number, list(cells)
        except Exception as problem:  # as above
            raise self._damaged(problem, number) from None

    def _damaged(self, problem: Exception, row: int = 0) -> BadInput:
        why = (
            "is no whole ZIP archive"
            if isinstance(problem, BadZipFile)
            else f"cannot be read ({type(problem).__name__})"
        )
        place = f"{label(self.path)}: after row {row}" if row else label(self.path)
        return BadInput(place, f"the workbook {why}", "an XLSX workbook as a spreadsheet saves it")
