"""Workbooks that unpack to far more than their size, or name rows that no sheet has."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.tables.reader import read_table
from tests.tables.samples import workbook

SHEET = "xl/worksheets/sheet1.xml"
SPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
HEAD = b'<?xml version="1.0"?><worksheet ' + SPACE + b"><sheetData>"
FIRST = b'<row><c t="inlineStr"><is><t>start</t></is></c><c t="inlineStr"><is><t>end</t></is></c></row>'
ROW = b'<row><c t="inlineStr"><is><t>a</t></is></c></row>'
END = b"</sheetData></worksheet>"
LACE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%b">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefgh"
)


def changed(name: str, octets: bytes) -> bytes:
    """A workbook with another content of one part."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(("start", "end"), (1, 2)))) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for each in old.namelist():
            new.writestr(each, octets if each == name else old.read(each))
    return packed.getvalue()


def rows(folder: Path, octets: bytes) -> int:
    path = folder / "table.xlsx"
    path.write_bytes(octets)
    return sum(1 for _ in read_table(path, {"start": "text", "end": "text"}).rows)


@pytest.mark.parametrize(
    ("part", "octets", "problem"),
    [
        (SHEET, HEAD + FIRST + ROW * 600_000 + END, r"holds [\d,]+ octets in [\d,]+; expected at most"),
        (SHEET, HEAD + FIRST + b"<row><c><v>" + b"1" * 20_000_000 + b"</v></c></row>" + END, "holds .* octets in"),
        ("xl/styles.xml", b"<styleSheet>" + b"<xf/>" * 1_000_000 + b"</styleSheet>", "'xl/styles.xml' has .* octets"),
        (SHEET, HEAD + FIRST + b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>' + END, "has a row"),
        (SHEET, HEAD + FIRST + b"<row>" * 50_000 + b"</row>" * 50_000 + END + b"<", "cannot be read"),
        (SHEET, LACE + b"]>" + HEAD[21:] + FIRST + b"<row><c><v>&h;</v></c></row>" + END, "cannot be read"),
    ],
    ids=["many rows", "a long cell", "styles", "a row far away", "nested rows", "entities"],
)
def test_a_small_workbook_that_takes_much_memory_is_refused(
    part: str, octets: bytes, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=problem):
        rows(tmp_path, changed(part, octets))


def test_rows_as_wide_as_a_sheet_are_read_one_by_one(tmp_path: Path) -> None:
    cells = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(2, 12))
    assert rows(tmp_path, changed(SHEET, HEAD + FIRST + cells + END)) == 10


def test_a_dimension_that_lies_reads_what_is_there(tmp_path: Path) -> None:
    lying = HEAD.replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    assert rows(tmp_path, changed(SHEET, lying + FIRST + ROW + END)) == 1
