"""Fill tables of a ledger by a query, for benchmarks with too many rows to append singly."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from simbench.ledger.rows import ORDINAL, TABLES

_SQL_TYPES = {"i64": "bigint", "i32": "integer", "str": "varchar", "octets": "blob", "bool": "boolean"}


def fill(folder: Path, table: str, query: str) -> int:
    """Replace a table's rows by the result of a query with the same column names; return the number of rows."""
    columns = ", ".join(
        f'cast("{column.name}" as {_SQL_TYPES[column.type]}) as "{column.name}"'
        for column in (*TABLES[table].columns, ORDINAL)
    )
    path = folder / f"{table}-0001.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {columns} from ({query})) to '{path}' (format parquet, compression zstd)")  # noqa: S608 - our own query
        (rows,) = connection.execute(f"select count(*) from '{path}'").fetchone() or (0,)  # noqa: S608 - our own file
    info = json.loads((folder / "run.json").read_text("utf-8"))
    info["rows"][table] = rows
    (folder / "run.json").write_text(json.dumps(info), "utf-8")
    return int(rows)
