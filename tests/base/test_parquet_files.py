"""Small files that would take much memory are refused by what they say of themselves; ordinary ones are opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simbench.base.errors import BadInput, LedgerError
from simbench.base.parquet_files import FEW_OCTETS, FEW_ROWS, open_parquet
from simbench.ledger.columns import schema
from simbench.ledger.packing import open_packed
from simbench.ledger.rows import TABLES
from simbench.tables.parquet import ParquetTable


def one_text(rows: int, text: str) -> pa.Table:
    return pa.table({"text": pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))})


BOMBS: dict[str, tuple[pa.Table, dict[str, Any], str]] = {
    "rows": (pa.table({"at": np.zeros(3 * FEW_ROWS, np.int64)}), {}, r"holds 3,000,000 rows in [\d,]+ octets"),
    "a text": (one_text(100_000, "x" * 10_000), {}, "more than .* octets of values"),
    "a text, plain": (
        pa.table({"text": pa.array(["x" * 10_000] * 20_000)}), {"use_dictionary": False, "compression": "zstd"},
        "more than .* octets of values",
    ),
    "several groups": (one_text(100_000, "x" * 2_000), {"row_group_size": 10_000}, "more than .* octets of values"),
}  # fmt: skip


@pytest.fixture(params=sorted(BOMBS))
def bomb(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    table, options, problem = BOMBS[request.param]
    path = tmp_path / "small.parquet"
    pq.write_table(table, path, **options)
    assert path.stat().st_size < FEW_OCTETS / 200
    return path, problem


def test_a_small_file_that_takes_much_memory_is_refused_before_it_is_read(bomb: tuple[Path, str]) -> None:
    path, problem = bomb
    before = pa.total_allocated_bytes()
    with pytest.raises(ValueError, match=problem):
        open_parquet(path)
    with pytest.raises(BadInput, match=problem):
        ParquetTable(path)
    assert pa.total_allocated_bytes() - before < FEW_OCTETS


def test_a_ledger_of_that_kind_is_refused(tmp_path: Path) -> None:
    table = TABLES["wire"]
    columns = [
        pa.nulls(3 * FEW_ROWS, field.type).fill_null(0 if pa.types.is_integer(field.type) else b"")
        if not pa.types.is_string(field.type)
        else pa.array(["in"]).take(pa.array(np.zeros(3 * FEW_ROWS, np.int32)))
        for field in schema(table)
    ]
    path = tmp_path / "wire-0001.parquet"
    pq.write_table(pa.table(columns, schema=schema(table)), path)
    del columns
    with pytest.raises(LedgerError, match="rows in"):
        open_packed(path, table, sized=False)


def test_a_ledger_of_a_flood_of_equal_frames_is_opened(tmp_path: Path) -> None:
    rows, table = 20_000, TABLES["wire"]
    whole: dict[str, pa.Array] = {
        "at": pa.array(np.arange(rows)), "session": pa.array(np.ones(rows, np.int32)),
        "direction": pa.array(["in"] * rows), "octets": pa.array([b"x" * 8_000] * rows, pa.binary()),
    }  # fmt: skip
    columns = [whole.get(field.name, pa.array(np.arange(rows))).cast(field.type) for field in schema(table)]
    path = tmp_path / "wire-0001.parquet"
    pq.write_table(pa.table(columns, schema=schema(table)), path, compression="zstd")
    with pytest.raises(ValueError, match="octets of values"):
        open_parquet(path)
    open_packed(path, table, sized=False).close()


@pytest.mark.parametrize(
    "table",
    [
        one_text(500_000, "accepted"),
        pa.table({"text": [f"{number} of many" for number in range(50_000)]}),
        pa.table({"text": pa.array([], pa.string()), "at": pa.array([], pa.int64())}),
        pa.table({"text": pa.array([None] * 1_000, pa.string())}),
    ],
    ids=["few words", "many words", "no rows", "nothing in them"],
)
def test_ordinary_files_are_opened(table: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "ordinary.parquet"
    pq.write_table(table, path)
    with open_parquet(path) as file:
        assert file.read().num_rows == table.num_rows
