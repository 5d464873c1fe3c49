"""The durable spool: the requested messages and the state of each segment, in one SQLite file.

The shell stores the events of one read or turn in a single transaction before it writes the next octets, so that a
killed client neither loses a message nor repeats one it knows to be received.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from simbench.base.errors import BadInput, Trouble
from simbench.client import messages as m

VERSION = 1
MAGIC = b"SQLite format 3\0"
RING_ROWS = 4_096  # departures kept per code; more than any rate needs for its last second

SCHEMA = """
CREATE TABLE message (
    number INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, code TEXT NOT NULL, recipient TEXT NOT NULL,
    text TEXT NOT NULL, traffic TEXT NOT NULL, brand TEXT NOT NULL, oadc TEXT, validity_s INTEGER,
    reference INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '');
CREATE INDEX unfinished ON message (code) WHERE state IN ('queued', 'accepted');
CREATE TABLE segment (
    ref TEXT NOT NULL, part INTEGER NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL DEFAULT 0,
    scts TEXT NOT NULL DEFAULT '', PRIMARY KEY (ref, part)) WITHOUT ROWID;
CREATE TABLE departure (code TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (code, place)) WITHOUT ROWID;
CREATE TABLE served (code TEXT NOT NULL, brand TEXT NOT NULL, PRIMARY KEY (code, brand)) WITHOUT ROWID;
CREATE TABLE stop (scope TEXT NOT NULL, sender TEXT NOT NULL, PRIMARY KEY (scope, sender)) WITHOUT ROWID;
"""

PART_STATE = "UPDATE segment SET state = ?, at = ?, scts = ? WHERE ref = ? AND part = ?"
PART_BACK = "UPDATE segment SET state = ? WHERE ref = ? AND part = ?"
END = "UPDATE message SET state = ?, reason = ? WHERE ref = ?"

Statement = tuple[str, tuple[Any, ...]]

# The changes for each event; other events need not survive the process.
CHANGES: dict[type, Callable[[Any], list[Statement]]] = {
    m.Sent: lambda e: [(PART_STATE, ("sent", e.at, "", e.token, e.part))],
    m.Accepted: lambda e: [
        (PART_STATE, ("accepted", e.at, e.scts, e.token, e.part)),
        *([(END, ("accepted", "", e.token))] if e.complete else []),
    ],
    m.Refused: lambda e: [
        (PART_BACK, ("refused" if e.final else "queued", e.token, e.part)),
        *([(END, ("refused", e.ec, e.token))] if e.final else []),
    ],
    m.Notified: lambda e: [(PART_BACK, ("delivered" if e.delivered else "undelivered", e.token, e.part))],
    m.Delivered: lambda e: [(END, ("delivered", e.reason, e.token))],
    m.Undelivered: lambda e: [(END, ("undelivered", e.reason, e.token))],
    m.Withheld: lambda e: [(END, ("withheld", e.reason, e.token))],
    m.Stopped: lambda e: [("INSERT OR IGNORE INTO stop VALUES (?, ?)", (scope, e.sender)) for scope in e.scopes],
}


def _open(path: str) -> sqlite3.Connection:
    """Open or create the database of a spool; a file of another kind is left untouched."""
    expected = "a spool, or a path for a new one"
    try:
        with open(path, "rb") as file:
            head = file.read(len(MAGIC))
        if head and head != MAGIC:
            raise BadInput(path, "cannot be used as a spool (not a database)", expected)
    except OSError:
        pass  # the file does not exist yet, or the database will report the problem
    try:
        db = sqlite3.connect(path, isolation_level=None)
        [version] = db.execute("PRAGMA user_version").fetchone()
        [tables] = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version != VERSION and (version or tables):
            db.close()
            raise BadInput(path, f"database of another kind, or spool of version {version}", f"version {VERSION}")
        db.execute("PRAGMA journal_mode = WAL")
        # The system's cache survives a kill; waiting for the disk would delay paced segments, which would then be sent
        # in a burst.
        db.execute("PRAGMA synchronous = OFF")
        if not tables:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    except sqlite3.Error as error:
        raise BadInput(path, f"cannot be used as a spool ({error})", expected) from None
    return db


class Spool:
    """One SQLite file (or ":memory:") for all links of a client. Raises BadInput for a file that is not a spool."""

    def __init__(self, path: str) -> None:
        self._departed: Counter[str] = Counter()
        self._claimed: set[str] = set()
        self._db = _open(path)

    def record(self, code: str, events: Iterable[m.Event]) -> None:
        """Store the events of the link of `code` in one transaction. Raises Trouble if that fails."""
        run = self._db.execute
        try:
            run("BEGIN IMMEDIATE")
            for event in events:
                if isinstance(event, m.Queued):
                    self._take_in(code, event)
                elif isinstance(event, m.Sent):
                    self._departed[code] += 1
                    place = self._departed[code] % RING_ROWS
                    run("INSERT OR REPLACE INTO departure VALUES (?, ?, ?)", (code, place, event.at))
                change = CHANGES.get(type(event))
                for statement, values in change(event) if change else ():
                    run(statement, values)
            run("COMMIT")
        except sqlite3.OperationalError as error:  # a full or failing disk: nothing may continue unrecorded
            raise Trouble(f"the spool cannot be written: {error}") from None
        finally:
            if self._db.in_transaction:
                run("ROLLBACK")

    def _take_in(self, code: str, event: m.Queued) -> None:
        asked = event.message
        self._claimed.discard(asked.token)
        self._db.execute(
            "INSERT INTO message (ref, code, recipient, text, traffic, brand, oadc, validity_s, reference, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')",
            (
                *(asked.token, code, asked.recipient, asked.text, asked.traffic_class, asked.brand),
                *(asked.oadc, asked.validity_s),
                event.reference,
            ),
        )
        for part in range(1, event.parts + 1):
            self._db.execute("INSERT INTO segment (ref, part, state) VALUES (?, ?, 'queued')", (asked.token, part))
        if asked.brand and asked.traffic_class == m.MARKETING:
            self._db.execute("INSERT OR IGNORE INTO served VALUES (?, ?)", (code, asked.brand))

    def claim(self, token: str) -> bool:
        """Reserve the token of a new message. Returns False if it was used before."""
        if token in self._claimed or self._db.execute("SELECT 1 FROM message WHERE ref = ?", (token,)).fetchone():
            return False
        self._claimed.add(token)
        return True

    def states(self) -> dict[str, str]:
        """Return the state of every message by token: queued, accepted, refused, delivered, undelivered or withheld."""
        return dict(self._db.execute("SELECT ref, state FROM message ORDER BY number"))

    def stops(self) -> list[tuple[str, str]]:
        """Return every opt-out as (short code or brand, subscriber)."""
        return list(self._db.execute("SELECT scope, sender FROM stop"))

    def memory(self, code: str, rate_per_s: int) -> m.Memory:
        """Return what the core of that code needs after a restart: unfinished messages in order, and its ring."""
        rows = self._db.execute(
            "SELECT ref, code, recipient, text, traffic, brand, oadc, validity_s, reference FROM message"
            " WHERE code = ? AND state IN ('queued', 'accepted') ORDER BY number",
            (code,),
        ).fetchall()
        kept = tuple(m.Kept(m.Outgoing(*row[:8]), row[8], self._parts(row[0])) for row in rows)
        departures = [at for (at,) in self._db.execute("SELECT at FROM departure WHERE code = ? ORDER BY at", (code,))]
        brands = tuple(brand for (brand,) in self._db.execute("SELECT brand FROM served WHERE code = ?", (code,)))
        last = self._db.execute("SELECT reference FROM message WHERE code = ? ORDER BY number DESC LIMIT 1", (code,))
        self._departed[code] = self._place_after(code)
        return m.Memory(kept, tuple(departures[-rate_per_s:]), brands, (last.fetchone() or (0,))[0])

    def _parts(self, token: str) -> tuple[m.KeptPart, ...]:
        rows = self._db.execute("SELECT part, state, at, scts FROM segment WHERE ref = ? ORDER BY part", (token,))
        return tuple(m.KeptPart(*row) for row in rows)

    def _place_after(self, code: str) -> int:
        """Return the position of the latest row in the ring of departures."""
        row = self._db.execute(
            "SELECT place FROM departure WHERE code = ? ORDER BY at DESC, place DESC LIMIT 1", (code,)
        ).fetchone()
        return row[0] if row else 0

    def close(self) -> None:
        """Close the file."""
        self._db.close()
