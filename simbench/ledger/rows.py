"""The six tables of a ledger, as data: names, columns and types, in the order in which hot code builds its tuples.

Rows are plain tuples, checked when they are written. While a run is written each table is a stream of Arrow batches
(TABLE-NUMBER.arrows); when it has ended, Parquet (TABLE-NUMBER.parquet).

Every table also has a last column `n`, the order of appending within the table, which the writer adds.
The instant a row is filed and sorted under is its first column (microseconds since the Unix epoch, UTC).
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

ColumnType = Literal["i64", "i32", "str", "octets", "bool"]
Row = tuple[object, ...]


class Column(msgspec.Struct, frozen=True):
    """One column: its name, its type, and whether None may stand in it."""

    name: str
    type: ColumnType
    nullable: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table: its name, which is also the origin of its rows, and its columns in the order of the tuples."""

    name: str
    columns: tuple[Column, ...]

    @property
    def instant(self) -> str:
        """Name of the column that rows are sorted by."""
        return self.columns[0].name


class Rows(Protocol):
    """The interface of a table for hot code: bind `append` once and call it with one tuple a row."""

    def append(self, row: Row, /) -> None:
        """Take one row, a tuple in column order."""

    def __len__(self) -> int: ...


def _table(name: str, *columns: tuple[str, ColumnType], nullable: tuple[str, ...] = ()) -> Table:
    return Table(name, tuple(Column(column, kind, column in nullable) for column, kind in columns))


# What was read and written, as it was. direction: "open" (octets = the peer's address, as text), "in", "out",
# "close" (octets = the reason, as text).
WIRE = _table("wire", ("at", "i64"), ("session", "i32"), ("direction", "str"), ("octets", "octets"))

# What the bench made happen, written before it takes effect ("outage", "maintenance", "subscriber", "limit", "fault",
# "tier", "clock"...), and what a capture records about itself. `until` is the announced end, where there is one; what
# else an event has is JSON in `detail`. The kinds are the classes of `simbench.ledger.events`, one closed union.
EVENTS = _table(
    "events",
    ("at", "i64"),
    ("kind", "str"),
    ("subject", "str"),
    ("until", "i64"),
    ("detail", "str"),
    nullable=("until",),
)

# What the client was asked ("send", "announcement"), what it reported ("accepted", "withheld", "delivered", "mo",
# "error"...; "probe-ok" and "probe-lost" for its own probes), and messages on the wire without a request ("seen").
# `token` is the short text found again in the message. What else a stimulus has is JSON in `detail`. The kinds are the
# classes of `simbench.ledger.stimuli`, one closed union.
STIMULI = _table(
    "stimuli",
    ("at", "i64"),
    ("kind", "str"),
    ("token", "str"),
    ("code", "str"),
    ("recipient", "str"),
    ("text", "str"),
    ("traffic_class", "str"),
    ("brand", "str"),
    ("opted_in", "bool"),
    ("detail", "str"),
)

# What the centre decided: "accepted", "refused", "held", "delivered", "undelivered", "buffered", "notification",
# "acknowledged", "mo", "login", "logout"... `value` is the error code or reason, `scts` the instant behind the SCTS.
# "accepted" also says what the message asked for: `notify` is its NT mask, `valid_until` the minute in which its
# validity was to end, as an instant, 0 for the default. Both are 0 in every other row.
CENTRE = _table(
    "centre",
    ("at", "i64"),
    ("kind", "str"),
    ("session", "i32"),
    ("code", "str"),
    ("recipient", "str"),
    ("message", "i64"),
    ("attempt", "i32"),
    ("value", "i32"),
    ("scts", "i64"),
    ("segments", "i32"),
    ("notify", "i32"),
    ("valid_until", "i64"),
    nullable=("scts",),
)

# Every lateness of the bench's own clockwork: when it began and ended, how much, and where.
TIMING_ERROR = _table("timing_error", ("started", "i64"), ("ended", "i64"), ("size_us", "i64"), ("place", "str"))

# Runs in virtual time may keep counts of the `centre` rows by code and minute instead of the rows (detail = "minute"):
# what was asked of the client, what the centre was asked and did, what of it the client knows, and how many deliveries
# took how long (delivered less SCTS, at most so many seconds; the last column: longer). `expired` is part of
# `undelivered`; `refused` counts what was discarded too; `backlog` is what was asked and neither accepted nor refused
# by the end of the minute. Minutes in which nothing happened and nothing waits are left out.
EXPIRED_REASONS = frozenset({10, 105, 107, 116})  # Rsn of a message that only the end of its validity ended
WITHIN_S = (5, 10, 30, 60, 300, 3600, 14_400, 86_400)
COUNTED = (
    "offered", "submitted", "accepted", "refused", "held", "delivered", "undelivered", "buffered", "expired",
    "notifications", "mo",
)  # fmt: skip
TIMES = (*(f"within_{seconds}s" for seconds in WITHIN_S), "beyond")
MINUTE = _table(
    "minute", ("at", "i64"), ("code", "str"), *((name, "i32") for name in (*COUNTED, *TIMES)), ("backlog", "i64")
)

TABLES: dict[str, Table] = {table.name: table for table in (WIRE, EVENTS, STIMULI, CENTRE, TIMING_ERROR, MINUTE)}
ORDINAL = Column("n", "i64")


def octet_columns(table: Table) -> frozenset[int]:
    """The places of a table's columns of octets."""
    return frozenset(place for place, column in enumerate(table.columns) if column.type == "octets")
