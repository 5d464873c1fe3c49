"""The six tables of a ledger: names, columns and types, in the order in which time-critical code builds its tuples.

Rows are plain tuples, checked when they are written. During a run each table is a stream of Arrow batches
(TABLE-NUMBER.arrows), after the run Parquet (TABLE-NUMBER.parquet).

The writer adds a last column `n` to every table, the order of appending within the table. Rows are sorted by their
first column, an instant (microseconds since the Unix epoch, UTC).
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

ColumnType = Literal["i64", "i32", "str", "octets", "bool"]
Row = tuple[object, ...]


class Column(msgspec.Struct, frozen=True):
    """One column: its name, its type, and whether it may contain None."""

    name: str
    type: ColumnType
    nullable: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table: its name, and its columns in the order of the tuples."""

    name: str
    columns: tuple[Column, ...]

    @property
    def instant(self) -> str:
        """The name of the column that rows are sorted by."""
        return self.columns[0].name


class Rows(Protocol):
    """The interface of a table for time-critical code: bind `append` once and call it with one tuple per row."""

    def append(self, row: Row, /) -> None:
        """Append one row, a tuple in column order."""

    def __len__(self) -> int: ...


def _table(name: str, *columns: tuple[str, ColumnType], nullable: tuple[str, ...] = ()) -> Table:
    return Table(name, tuple(Column(column, kind, column in nullable) for column, kind in columns))


# Octets read and written, unchanged. direction: "open" (octets = the peer's address, as text), "in", "out",
# "close" (octets = the reason, as text).
WIRE = _table("wire", ("at", "i64"), ("session", "i32"), ("direction", "str"), ("octets", "octets"))

# Actions of the bench, written before they take effect ("outage", "maintenance", "subscriber", "limit", "fault",
# "tier", "clock"...), and what a capture records about itself. `until` is the announced end, if any; the other fields
# are JSON in `detail`. The kinds are the classes of `simbench.ledger.events`, one closed union.
EVENTS = _table(
    "events",
    ("at", "i64"),
    ("kind", "str"),
    ("subject", "str"),
    ("until", "i64"),
    ("detail", "str"),
    nullable=("until",),
)

# Requests to the client ("send", "announcement"), its reports ("accepted", "withheld", "delivered", "mo", "error"...;
# "probe-ok" and "probe-lost" for its own probes), and messages on the wire without a request ("seen"). `token` is a
# short text by which a message is recognised. The other fields are JSON in `detail`. The kinds are the classes of
# `simbench.ledger.stimuli`, one closed union.
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

# Decisions of the centre: "accepted", "refused", "held", "delivered", "undelivered", "buffered", "notification",
# "acknowledged", "mo", "login", "logout"... `value` is the error code or reason, `scts` the instant behind the SCTS.
# "accepted" also has what the message requested: `notify` is its NT mask, `valid_until` the minute in which its
# validity ends, as an instant, 0 for the default. Both are 0 in every other row.
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

# Delays of the bench itself: start, end, size and place.
TIMING_ERROR = _table("timing_error", ("started", "i64"), ("ended", "i64"), ("size_us", "i64"), ("place", "str"))

# Runs in virtual time may keep counts of the `centre` rows by code and minute instead of the rows (detail = "minute"):
# messages requested of the client, the centre's decisions, notifications acknowledged by the client, and deliveries by
# their time (delivery minus SCTS, at most that many seconds; the last column: longer). `expired` is part of
# `undelivered`; `refused` includes discarded messages; `backlog` counts messages requested and neither accepted nor
# refused by the end of the minute. Minutes without events and without backlog are left out.
EXPIRED_REASONS = frozenset({10, 105, 107, 116})  # Rsn of a message whose validity ended before delivery
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
    """Return the positions of a table's columns of octets."""
    return frozenset(place for place, column in enumerate(table.columns) if column.type == "octets")
