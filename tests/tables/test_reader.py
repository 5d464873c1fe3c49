"""The one reader of tables: what spreadsheets and programs write, and what of it is read, remarked on, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from simbench.base.errors import BadInput
from simbench.tables.cells import digits_of, number_of, truth_of, whole_of
from simbench.tables.columns import Columns
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Row, collect
from tests.tables.samples import parquet, workbook

KINDS: dict[str, Kind] = {"start": "instant", "scope": "text", "cause": "note"}
PLAIN = "start,scope\n2025-03-01,total\n"


def rows(folder: Path, octets: bytes, mapping: Columns | None = None) -> list[Row | RejectedRow]:
    path = folder / "table"
    path.write_bytes(octets)
    return list(read_table(path, KINDS, mapping, ("start", "scope")).rows)


def cells(folder: Path, octets: bytes, mapping: Columns | None = None) -> list[dict[str, object]]:
    found = rows(folder, octets, mapping)
    assert all(isinstance(row, Row) for row in found), found
    return [dict(row.cells) for row in found if isinstance(row, Row)]


@pytest.mark.parametrize(
    "octets",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.rstrip().encode(),
        ("\n\n" + PLAIN).encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode("utf-16"),
        ("sep=;\r\n" + PLAIN.replace(",", ";")).encode(),
        ("sep=|\n" + PLAIN.replace(",", "|")).encode("utf-8-sig"),
        b"start;scope;;\n2025-03-01;total;;\n",
        b"start,scope\n2025-03-01,total,,\n",
        b"start,scope,Labels,Labels\n2025-03-01,total,a,b\n",
        b"Start , SCOPE\n 2025-03-01 , total \n",
        b'"start","sc\xc3\xb6pe","scope"\n"2025-03-01","a,b","total"\n',
    ],
)
def test_one_row_is_read_alike_however_it_is_written(tmp_path: Path, octets: bytes) -> None:
    assert cells(tmp_path, octets) == [{"start": "2025-03-01", "scope": "total"}]


def test_a_mark_and_a_sep_line_outrank_what_the_map_says(tmp_path: Path) -> None:
    mapping = Columns(encoding="utf-8", delimiter=",")
    octets = ("sep=;\n" + PLAIN.replace(",", ";")).encode("utf-16")
    assert cells(tmp_path, octets, mapping) == [{"start": "2025-03-01", "scope": "total"}]


def test_text_that_is_not_utf_8_is_windows_1252_and_a_remark_notes_it(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes("Début;scope\n2025;réduit\n".encode("cp1252"))
    table = read_table(path, KINDS, Columns(columns={"start": "Début"}))
    assert [dict(row.cells) for row in table.rows if isinstance(row, Row)] == [{"start": "2025", "scope": "réduit"}]
    assert "read as Windows-1252" in str(table.remarks[0])


def test_a_broken_octet_costs_the_row_only_where_somebody_reads_it(tmp_path: Path) -> None:
    text = b"start,scope,cause,other\n2025,total,\xc3,\xff\n2025,to\xc3tal,,\n"
    first, second = rows(tmp_path, text, Columns(encoding="utf-8"))
    assert isinstance(first, Row)
    assert second == RejectedRow(3, "scope: holds octets that are not of the encoding", "encoding")


def test_values_of_a_map_match_in_any_case(tmp_path: Path) -> None:
    mapping = Columns(columns={"scope": "Portée"}, values={"scope": {"Totale": "total"}})
    text = "START;PORTÉE\n1;TOTALE\n2; totale \n".encode()
    assert [row["scope"] for row in cells(tmp_path, text, mapping)] == ["total", "total"]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("start,scope,start\n1,2,3\n", '2 columns are called "start"'),
        ("start\n1\n", 'no column "scope"; expected one for scope'),
        ("\n \n", "is empty"),
        ('"start,scope\n1,2\n', "line 1: unexpected end of data"),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path: Path, text: str, reported: str) -> None:
    with pytest.raises(BadInput, match=reported):
        rows(tmp_path, text.encode())


def test_cells_beyond_the_headings_and_quotes_that_never_end_reject_their_rows_and_no_others(tmp_path: Path) -> None:
    found = rows(tmp_path, b'start,scope\n1,2,3\n4,"5\n6,7\n8,"9"x\n"10\n11",12\n13,14\n')
    assert [(row.line, isinstance(row, Row)) for row in found] == [
        (2, False), (3, False), (4, True), (5, False), (6, True), (8, True),
    ]  # fmt: skip
    assert found[0] == RejectedRow(2, "3 cells under 2 columns", "columns")


def test_a_workbook_is_read_with_its_dates_and_numbers(tmp_path: Path) -> None:
    octets = workbook(("start", "scope", None), (datetime(2025, 3, 1, 10), 36010), (None, None), (None, "x", None))
    assert cells(tmp_path, octets) == [{"start": datetime(2025, 3, 1, 10), "scope": 36010}, {"scope": "x"}]
    with pytest.raises(BadInput, match=r"sheet: no sheet 'Feuil2'; expected .*Sheet"):
        rows(tmp_path, octets, Columns(sheet="Feuil2"))


@pytest.mark.parametrize(
    ("start", "type_"),
    [
        ([date(2025, 3, 1)], "date32[day]"),
        ([True], "bool"),
        ([["a"]], "list<element: string>"),
        ([b"2025"], "binary"),
        (pa.array([1], pa.duration("s")), "duration[s]"),
    ],
)
def test_a_column_of_a_type_that_cannot_be_an_instant_is_refused(tmp_path: Path, start: object, type_: str) -> None:
    with pytest.raises(BadInput) as refused:
        rows(tmp_path, parquet(start=start, scope=["total"]))
    assert f'column "start" is of type {type_}; expected timestamps, texts' in str(refused.value)


def test_columns_that_nobody_reads_may_be_of_any_type(tmp_path: Path) -> None:
    octets = parquet(start=[datetime(2025, 3, 1, tzinfo=UTC)], scope=["total"], tags=[["a", "b"]], when=[date.min])
    assert cells(tmp_path, octets)[0]["scope"] == "total"


def test_an_instant_beyond_the_calendar_rejects_its_row(tmp_path: Path) -> None:
    start = pa.array([1 << 62, 0], pa.timestamp("us", "UTC"))
    first, second = rows(tmp_path, parquet(start=start, scope=["a", "b"]))
    assert first == RejectedRow(1, "start: holds octets that are not of the encoding", "encoding")
    assert isinstance(second, Row)


def test_a_table_none_of_whose_rows_can_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text(PLAIN)

    def refuse(row: Row) -> None:
        raise BadInput("start", "is wrong")

    with pytest.raises(BadInput, match=r"no usable row among 1: line 2: start: is wrong"):
        collect(read_table(path, KINDS), refuse)


@pytest.mark.parametrize("word", ["true", "YES", "Oui", "VRAI", "1", "1.0", True, 1, "o", "Y"])
def test_yes_in_two_languages_and_any_case(word: object) -> None:
    assert truth_of(word, "x") is True


@pytest.mark.parametrize("word", ["False", "NO", "non", "FAUX", "0", 0, False, 0.0])
def test_no_in_two_languages_and_any_case(word: object) -> None:
    assert truth_of(word, "x") is False


@pytest.mark.parametrize("word", ["", "perhaps", "2", None])
def test_what_is_neither_yes_nor_no_is_refused(word: object) -> None:
    with pytest.raises(BadInput, match=r"x: is .*; expected true or false"):
        truth_of(word, "x")


@pytest.mark.parametrize(
    ("cell", "comma", "value"),
    [
        ("0,5", False, "0.5"), ("0.5", True, "0.5"), ("50%", False, "0.5"), ("50 %", True, "0.5"),
        ("410\u00a0000", True, "410000"), ("410\u202f000,25", True, "410000.25"), ("1,600", True, "1.6"),
        ("1,600.00", False, "1600"), ("1.600,00", True, "1600"), ("1,234,567", False, "1234567"),
        ("1.234.567", True, "1234567"), ("0,030", False, "0.03"), ("-12,5", False, "-12.5"), (0.25, False, "0.25"),
        (7, False, "7"), (Decimal("1.10"), False, "1.1"), ("12.", False, "12"), (".5", False, "0.5"),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(cell: object, comma: bool, value: str) -> None:
    assert number_of(cell, "x", decimal_comma=comma) == Decimal(value)


@pytest.mark.parametrize("cell", ["1e3", "NaN", "inf", "", "12a", "--1", True, float("nan"), "1 600 EUR", "१२"])
def test_what_is_no_number_is_refused(cell: object) -> None:
    with pytest.raises(BadInput):
        number_of(cell, "x")


def test_a_comma_before_three_digits_is_refused_where_the_table_leaves_it_open() -> None:
    with pytest.raises(BadInput, match=r'"1,600" is 1600 or 1\.600; expected a number without thousands separators'):
        number_of("1,600", "x")


@pytest.mark.parametrize("cell", ["36010", "36010.0", 36010, 36010.0, "'36010", "36 010", "36010,0"])
def test_a_code_as_a_spreadsheet_makes_it(cell: object) -> None:
    assert digits_of(cell) == "36010"


def test_whole_numbers_have_bounds() -> None:
    assert whole_of("2,0", "x", 1, 255, decimal_comma=True) == 2
    for cell in ("0", "256", "1.5", "many"):
        with pytest.raises(BadInput, match=r"x: is .*; expected a whole number from 1 to 255"):
            whole_of(cell, "x", 1, 255)
