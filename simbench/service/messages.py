"""The index of messages: what the wire says was submitted and answered, and what became of it; for searching.

Derived from the ledger and rebuilt from it; the ledger stays the truth. Works in threads of its own, off the loop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from simbench.gateway.times import seconds_of
from simbench.ledger import AnyLedger
from simbench.numbering.plan import classify, spellings
from simbench.service.log import EventLog, frame_id
from simbench.ucp import alphabet, content
from simbench.ucp.fields import At

COLUMNS: Final = ("number", "at", "session", "trn", "code", "recipient", "text", "outcome", "ec", "scts", "frame")
_TYPES: Final = ("bigint", "bigint", "integer", "varchar", "varchar", "varchar", "varchar", "varchar", "varchar",
                 "varchar", "blob")  # fmt: skip
FATES: Final = {
    "buffered": "buffered", "delivered": "delivered", "undelivered": "undelivered", "deleted": "deleted",
}  # fmt: skip
BREATH_READS: Final = 4  # after so many the loop has the interpreter: it answers clients meanwhile
BREATH_S: Final = 20e-6
BATCH_ROWS: Final = 20_000  # of the wire, taken in at once
_FIELDS: Final = 4  # of a frame before its data
OUTCOME, EC, SCTS = 7, 8, 9


class Query(msgspec.Struct, frozen=True):
    """What is looked for; "" is anything. `text` may stand anywhere in the message, in either case."""

    recipient: str = ""
    code: str = ""
    text: str = ""
    outcome: str = ""
    limit: int = 50
    offset: int = 0


class MessageIndex:
    """Messages (operations 51) of one run in a database of their own: a file in `folder`, or memory without one."""

    def __init__(self, ledger: AnyLedger, log: EventLog, folder: Path | None = None) -> None:
        self._ledger, self._log = ledger, log
        self._path = folder / "messages.duckdb" if folder is not None else None
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._first = {"wire": 0, "centre": 0}
        self._count = 0
        self._rests: dict[tuple[int, str], bytes] = {}
        self._waiting: dict[tuple[int, str], int] = {}  # (session, TRN) of a 51 to the number of its row
        self._on_the_way: dict[tuple[str, int], int] = {}  # (recipient, stamp in s) of an accepted message, likewise

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        for path in (self._path, self._path and self._path.with_name(self._path.name + ".wal")):
            if path is not None:
                path.unlink(missing_ok=True)

    # Searching -------------------------------------------------------------------------------------------------

    def search(self, query: Query) -> tuple[list[dict[str, Any]], int]:
        """The messages that match, the latest first, and how many there are in all."""
        where, values = _conditions(query)
        names = [name for name in COLUMNS if name != "frame"]
        columns = ", ".join(f'"{name}"' for name in names)
        cursor = self._opened().cursor()
        # Numbers first, in the narrow columns; the wide ones only of what is shown.
        wanted = f"select number from messages{where} order by number desc limit ? offset ?"  # noqa: S608 - our own words
        rows = cursor.execute(
            f"select {columns} from messages where number in ({wanted}) order by number desc",  # noqa: S608
            [*values, query.limit, query.offset],
        )
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()], self._count

    def frame(self, session: int, at: int, trn: str) -> bytes | None:
        """The octets of one submission, None where there is no such frame."""
        found = self._opened().cursor().execute(
            "select frame from messages where \"at\" = ? and session = ? and trn = ?", [at, session, trn]
        ).fetchone()  # fmt: skip
        return bytes(found[0]) if found else None

    def _opened(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            return self._open()

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            config: dict[str, Any] = {"threads": 1, "memory_limit": "1GB"}
            self._connection = duckdb.connect(self._path or ":memory:", config=config)
            self._connection.execute("set enable_progress_bar = false")
            columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(COLUMNS, _TYPES, strict=True))
            self._connection.execute(f"create table messages ({columns})")
        return self._connection

    # Following the ledger --------------------------------------------------------------------------------------

    def catch_up(self, *, flush: bool = True) -> None:
        """Take in what the ledger has got since the last time; with `flush`, everything up to this moment."""
        if flush:
            self._ledger.flush()
        with self._lock:
            until = dict(self._ledger.written)
            # The centre first: whatever it decided of, the wire has brought before.
            decided = self._ledger.tail("centre", self._first["centre"], ["kind", "recipient", "scts"])
            self._first["centre"] += decided.num_rows
            while self._first["wire"] < until["wire"]:
                wire = self._ledger.tail("wire", self._first["wire"], ["at", "session", "direction", "octets"])
                for piece in wire.to_batches(max_chunksize=BATCH_ROWS):
                    self._take(piece)
                self._first["wire"] += wire.num_rows
            self._settle(decided)

    def _take(self, wire: pa.RecordBatch) -> None:
        rows: list[list[Any]] = []
        answered: list[list[Any]] = []
        begun = self._count
        chunks = zip(*(column.to_pylist() for column in wire.columns), strict=True)
        for done, (at, session, direction, octets) in enumerate(chunks):
            if done % BREATH_READS == 0:
                time.sleep(BREATH_S)
            if direction == "in":
                for parts, frame in self._frames(session, direction, octets):
                    if parts[3] == b"51" and parts[2] == b"O" and len(parts) > At.XSER + _FIELDS:
                        rows.append(self._submit(at, session, parts, frame))
            elif direction == "out":
                for parts, _ in self._frames(session, direction, octets):
                    number = self._waiting.pop((session, parts[0].decode("latin-1")), -1) if _is_result(parts) else -1
                    if number >= 0:
                        row = rows[number - begun] if number >= begun else [number, *[None] * 10]
                        self._answer(row, parts)
                        if number < begun:
                            answered.append(row)
            elif direction == "close":
                for way in ("in", "out"):
                    self._rests.pop((session, way), None)
        self._write(rows, answered)

    def _frames(self, session: int, direction: str, octets: bytes) -> Iterator[tuple[list[bytes], bytes]]:
        """Each whole frame that ends here, cut at its slashes; what is left waits for the next read."""
        *whole, rest = (self._rests.pop((session, direction), b"") + octets).split(b"\x03")
        if rest:
            self._rests[session, direction] = rest[-8_192:]
        for piece in whole:
            frame = piece[piece.rfind(b"\x02") + 1 :]
            parts = frame.split(b"/")
            if len(parts) > _FIELDS:
                yield parts, b"\x02" + frame + b"\x03"

    def _submit(self, at: int, session: int, parts: list[bytes], frame: bytes) -> list[Any]:
        number, self._count = self._count, self._count + 1
        trn, recipient, code = (parts[at_].decode("latin-1") for at_ in (0, _FIELDS, _FIELDS + 1))
        self._waiting.setdefault((session, trn), number)
        return [number, at, session, trn, code, recipient, _text(parts), "pending", "", "", frame]

    def _answer(self, row: list[Any], parts: list[bytes]) -> None:
        if parts[_FIELDS] != b"A":
            row[OUTCOME], row[EC], row[SCTS] = "refused", parts[_FIELDS + 1].decode("latin-1"), ""
            self._log_refusal(row)
            return
        named = parts[_FIELDS + 2].decode("latin-1") if len(parts) > _FIELDS + 2 else ""
        recipient, _, scts = named.rpartition(":")
        row[OUTCOME], row[EC], row[SCTS] = "accepted", "", scts
        for second in seconds_of(scts):
            self._on_the_way[recipient, second] = row[0]

    def _log_refusal(self, row: list[Any]) -> None:
        if self._log.enabled and row[1] is not None:
            id_ = frame_id(row[2], row[1], row[3])
            self._log.event("refused", id=id_, at=row[1], code=row[4], recipient=row[5], ec=row[EC])

    def _settle(self, decided: pa.Table) -> None:
        """What the centre says became of messages that were accepted."""
        fates: dict[int, str] = {}
        for kind, recipient, scts in zip(*(column.to_pylist() for column in decided.columns), strict=True):
            fate = FATES.get(kind)
            if fate is not None and scts is not None:
                key = (recipient, scts)
                number = self._on_the_way.get(key, -1) if fate == "buffered" else self._on_the_way.pop(key, -1)
                if number >= 0:
                    fates[number] = fate
        if fates:
            incoming = pa.table({"number": list(fates), "outcome": list(fates.values())})
            self._update("outcome = incoming.outcome", incoming)

    def _write(self, rows: Sequence[list[Any]], answered: Sequence[list[Any]]) -> None:
        if rows:
            self._open().register("incoming", _arrow(COLUMNS, rows))
            self._open().execute("insert into messages select * from incoming")
            self._open().unregister("incoming")
        if answered:
            picked = [[row[0], row[OUTCOME], row[EC], row[SCTS]] for row in answered]
            self._update(
                "outcome = incoming.outcome, ec = incoming.ec, scts = incoming.scts",
                _arrow(("number", "outcome", "ec", "scts"), picked),
            )

    def _update(self, changes: str, incoming: pa.Table) -> None:
        connection = self._open()
        connection.register("incoming", incoming)
        connection.execute(f"update messages set {changes} from incoming where messages.number = incoming.number")  # noqa: S608 - our own words
        connection.unregister("incoming")


def _arrow(names: Sequence[str], rows: Iterable[list[Any]]) -> pa.Table:
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _is_result(parts: list[bytes]) -> bool:
    return parts[2] == b"R" and parts[3] == b"51" and len(parts) > _FIELDS + 1


def _text(parts: list[bytes]) -> str:
    """The text of a 51; "" for what is none."""
    data = parts[_FIELDS:]
    try:
        if data[At.MT] == b"3" and not data[At.XSER]:
            return alphabet.decode(bytes.fromhex(data[At.MSG].decode("ascii")))
        return content.read([field.decode("latin-1") for field in data[:-1]]).text or ""
    except (ValueError, IndexError):
        return ""


def _conditions(query: Query) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if query.recipient:
        conditions.append("list_contains(?, recipient)")
        values.append([query.recipient, *spellings(classify(query.recipient))])
    if query.code:
        conditions.append("code = ?")
        values.append(query.code)
    if query.text:
        conditions.append("contains(lower(text), lower(?))")
        values.append(query.text)
    if query.outcome:
        conditions.append("outcome = ?")
        values.append(query.outcome)
    return (" where " + " and ".join(conditions) if conditions else ""), values
