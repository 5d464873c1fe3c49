"""The tables of a billing system in every form that the common reader knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simbench.roaming.billing import COLUMNS, NOTICES, RECORDS, SUBSCRIBERS, Billing, Notice, Record, read_billing
from simbench.tables.writer import csv_text
from tests.tables.samples import workbook

FIRST, LAST = date(2017, 6, 15), date(2032, 6, 30)
ROWS: dict[str, list[tuple[str, ...]]] = {
    SUBSCRIBERS: [("S1", "20.50", "0.2", "", "no", "no"), ("S2", "9", "0.055", "1.5", "yes", "no")],
    RECORDS: [
        ("S1", "2018-03-05", "presence", "abroad", "1", "0", "0", "EUR"),
        ("S1", "2018-03-05", "data", "abroad", "2048", "2", "0.0125", "EUR"),
    ],
    NOTICES: [("S1", "2018-03-05", "envelope", "1000000"), ("S2", "2018-03-06", "warning", "0")],
}
Write = Callable[[str, list[tuple[str, ...]], Path], object]


def plain(name: str, rows: list[tuple[str, ...]], path: Path) -> None:
    path.write_text(csv_text(COLUMNS[name], rows))


def semicolons(name: str, rows: list[tuple[str, ...]], path: Path) -> None:
    lines = [";".join(COLUMNS[name]), *(";".join(cell.replace(".", ",") for cell in row) for row in rows)]
    path.write_text("\r\n".join(lines), "utf-16")


def reversed_columns(name: str, rows: list[tuple[str, ...]], path: Path) -> None:
    path.write_text(csv_text(COLUMNS[name][::-1], [row[::-1] for row in rows]))


def parquet(name: str, rows: list[tuple[str, ...]], path: Path) -> None:
    columns: dict[str, Any] = dict(zip(COLUMNS[name], zip(*rows, strict=True), strict=True))
    if "day" in columns:
        columns["day"] = [date.fromisoformat(day) for day in columns["day"]]
    pq.write_table(pa.table({name: list(cells) for name, cells in columns.items()}), path)


def sheet(name: str, rows: list[tuple[str, ...]], path: Path) -> None:
    path.write_bytes(workbook(COLUMNS[name], *(tuple(map(typed, row)) for row in rows)))


def typed(value: str) -> Any:
    """Return the cell as a spreadsheet shows it."""
    if value[4:5] == "-":
        return datetime.fromisoformat(value)
    return float(value) if value.replace(".", "", 1).isdigit() else value


def read(folder: Path, write: Write, rows: dict[str, list[tuple[str, ...]]] = ROWS) -> Billing:
    for name in COLUMNS:
        write(name, rows[name], folder / name)
    return read_billing(folder, FIRST, LAST)


@pytest.mark.parametrize("write", [plain, semicolons, reversed_columns, parquet, sheet])
def test_every_form_of_table_gives_the_same_rows(write: Write, tmp_path: Path) -> None:
    found = read(tmp_path, write)
    assert not found.aside
    assert (found.rows, [*found.accounts]) == (6, ["S1", "S2"])
    first, second = found.accounts.values()
    assert (first.price_eur, first.vat_share, first.domestic_gb, first.prepaid) == (
        Decimal("20.5"), Decimal("0.2"), None, False
    )  # fmt: skip
    assert (second.domestic_gb, second.prepaid, second.agreed) == (Decimal("1.5"), True, False)
    day = date(2018, 3, 5)
    assert first.records[1] == Record(day, "data", "abroad", 2048, 2, Decimal("0.0125"))
    assert first.notices == [Notice(day, "envelope", 1_000_000)]


def test_a_name_that_the_export_guarded_is_read_as_it_was(tmp_path: Path) -> None:
    rows = {**ROWS, SUBSCRIBERS: [("=S1", *ROWS[SUBSCRIBERS][0][1:])], RECORDS: [], NOTICES: []}
    assert [*read(tmp_path, plain, rows).accounts] == ["=S1"]
    assert "'=S1" in (tmp_path / SUBSCRIBERS).read_text()


def test_a_quote_that_never_ends_loses_its_own_row_only(tmp_path: Path) -> None:
    read(tmp_path, plain)
    text = (tmp_path / RECORDS).read_text().splitlines()
    (tmp_path / RECORDS).write_text("\n".join([*text[:2], '"S1,2018-03-05', *text[2:]]) + "\n")
    found = read_billing(tmp_path, FIRST, LAST)
    assert [(one.file, one.line, one.reason) for one in found.aside] == [(RECORDS, 3, "unreadable")]
    assert len(found.accounts["S1"].records) == 2
