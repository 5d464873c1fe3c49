"""Tables of a ledger filled by a query, for benches with more rows than would be appended one by one."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from simbench.ledger.rows import ORDINAL, TABLES

_SQL_TYPES = {"i64": "bigint", "i32": "integer", "str": "varchar", "octets": "blob", "bool": "boolean"}


def fill(folder: Path, table: str, query: str) -> int:
    """Put what a query gives, by the table's column names, in the place of a table's rows; how many rows."""
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
