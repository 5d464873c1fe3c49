"""Tables as other programs read them: Python's csv and openpyxl are the oracles."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.tables.writer import Sheet, csv_cell, csv_text, guarded, sheet_csv, unguarded, workbook

RISKY = ["=1+1", "+SUM(A1)", "-cmd' /C calc'!A0", "@x", "\tx", "\rx", "\nx", '=HYPERLINK("x")', "\uff1d1+1"]
SEPARATORS = ",;|\t\r\n"

STEERS = {
    chr(n)
    for n in (*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


@pytest.mark.parametrize("text", RISKY)
def test_no_text_becomes_a_formula(text: str) -> None:
    sheet = Sheet("t", ("a", text), ((text, 1),))
    rows = list(csv.reader(io.StringIO(sheet_csv(sheet).decode(), newline="")))
    assert rows == [["a", f"'{text}"], [f"'{text}", "1"]]
    page = openpyxl.load_workbook(io.BytesIO(workbook([sheet]))).active
    assert page is not None
    assert page["A2"].data_type == page["B1"].data_type == "s"
    assert unguarded(guarded(text)) == text
    if "\r" not in text:  # XML reads a carriage return as a line feed
        assert page["A2"].value == text


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("text", RISKY)
def test_no_part_of_a_text_becomes_a_formula_where_other_separators_are_usual(text: str, separator: str) -> None:
    written = csv_text((), [["a", f"x{separator}{text}", f'x{separator}"{text}']])
    cells = [cell for line in re.split(r"[\r\n]", written) for cell in re.split(r"[,;|\t]", line)]
    assert not [cell for cell in cells if cell.lstrip('"')[:1] in set("=+-@\uff1d")]


@pytest.mark.parametrize("text", ["-12", "+33639980001", "-12.50", "3", "x=1", "", "é", "a - b", "1;-2.5;x", "a, -b"])
def test_numbers_and_harmless_texts_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


def test_cells_keep_their_kinds() -> None:
    row = (Decimal("-12.50"), -3, 0.25, date(2027, 1, 1), True, None, "x")
    assert csv_text((), [row]) == "-12.50,-3,0.25,2027-01-01,true,,x\n"
    page = openpyxl.load_workbook(io.BytesIO(workbook([Sheet("a/b:c", tuple("abcdefg"), (row,))]))).active
    assert page is not None
    assert page.title == "a b c"
    found = [cell.value for cell in page[2]]
    assert found[:3] == [-12.5, -3, 0.25]
    assert (found[3].date(), *found[4:]) == (date(2027, 1, 1), True, None, "x")


def test_the_same_tables_give_the_same_octets() -> None:
    sheet = Sheet("t", ("a",), (("x",), (1,)))
    assert workbook([sheet, Sheet("u", ("b",), ())]) == workbook([sheet, Sheet("u", ("b",), ())])


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_any_text_is_written_and_no_cell_begins_like_a_formula(rows: list[list[str]]) -> None:
    text = csv_text(("a", "b"), rows)
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [[csv_cell(cell) for cell in row] for row in rows] == read
    assert not set(text) & STEERS
    page = openpyxl.load_workbook(io.BytesIO(workbook([Sheet("t", ("a", "b"), tuple(map(tuple, rows)))]))).active
    assert page is not None
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
