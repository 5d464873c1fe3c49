"""Reads one sheet of an XLSX workbook, row by row, with the formula results stored when it was saved."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO, Final
from zipfile import BadZipFile, ZipFile

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.inputs import open_input
from simbench.base.toml_files import choice, label
from simbench.tables.rows import Remark

MAGIC: Final = b"PK\x03\x04"
MOST_ROWS: Final = 1_048_576  # that a sheet can have
UNZIPPED: Final = 50  # octets inside the archive for each of its own; sheets have about ten
FEW_OCTETS: Final = 16_000_000  # allowed in an archive of any size
LARGE: Final = ("xl/worksheets/", "xl/sharedStrings.xml")  # parts that grow with the table
MOST_BESIDE: Final = 4_000_000  # octets of any other part; each takes a multiple of them in memory


class Workbook:
    """A workbook: the headings of its sheet, its rows, and a remark if other sheets contain data."""

    def __init__(self, path: Path, sheet: str = "") -> None:
        self.path = path
        self.remarks: tuple[Remark, ...] = ()
        self._rows = self._read(sheet)
        self.names = ["" if cell is None else str(cell).strip() for cell in next(self._rows, (1, []))[1]]
        if not any(self.names):
            raise BadInput(label(path), "is empty", "a row of column names")

    def rows(self) -> Generator[tuple[int, list[Any]], None, None]:
        """Iterate over row number and cells of every non-empty row."""
        return self._rows

    def _read(self, sheet: str) -> Generator[tuple[int, list[Any]], None, None]:
        """Yield the rows, headings first; close the file afterwards."""
        number = 0
        with open_input(self.path) as file:
            try:
                for number, cells in enumerate(self._sheet(file, sheet).iter_rows(values_only=True), 1):
                    if number > MOST_ROWS:
                        raise BadInput(
                            label(self.path), f"has a row beyond {MOST_ROWS:,}", "rows that a sheet can have"
                        )
                    if any(cell is not None and str(cell).strip() for cell in cells):
                        yield number, list(cells)
            except BadInput:
                raise
            except Exception as problem:  # openpyxl passes on errors of zip, XML and its own descriptors
                raise self._damaged(problem, number) from None

    def _sheet(self, file: BinaryIO, sheet: str) -> Any:
        need("xlsx", f"{label(self.path)}, an XLSX workbook")
        import openpyxl  # noqa: PLC0415 - an extra

        self._check_size(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that openpyxl does not know
            sheets = openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets
        names = [one.title for one in sheets]
        if sheet and sheet not in names:
            raise BadInput(f"{label(self.path)}: sheet", f"no sheet {sheet!r}", choice(sheet, names))
        if not names:
            raise BadInput(label(self.path), "has no sheet of cells", "a table")
        chosen = sheets[names.index(sheet) if sheet else 0]
        others = ", ".join(repr(name) for name in names if name != chosen.title)
        if others and not sheet:
            self.remarks = (Remark(0, f"sheet {chosen.title!r} was read, {others} not (`sheet` of the map)"),)
        return chosen

    def _check_size(self, file: BinaryIO) -> None:
        """Raise BadInput for an archive that would take more memory than its size allows."""
        with ZipFile(file) as archive:
            parts = archive.infolist()
        size = file.seek(0, SEEK_END)
        file.seek(0)
        most, whole = FEW_OCTETS + UNZIPPED * size, sum(part.file_size for part in parts)
        if whole > most:
            raise BadInput(label(self.path), f"holds {whole:,} octets in {size:,}", f"at most {most:,}")
        for part in parts:
            if part.file_size > MOST_BESIDE and not part.filename.startswith(LARGE):
                problem = f"{part.filename!a:.60} has {part.file_size:,} octets"
                raise BadInput(label(self.path), problem, f"at most {MOST_BESIDE:,} besides its cells and texts")

    def _damaged(self, problem: Exception, row: int) -> BadInput:
        zipped = isinstance(problem, BadZipFile)
        why = "is not a complete ZIP archive" if zipped else f"cannot be read ({type(problem).__name__})"
        place = f"{label(self.path)}: after row {row}" if row else label(self.path)
        return BadInput(place, f"the workbook {why}", "an XLSX workbook as a spreadsheet saves it")
