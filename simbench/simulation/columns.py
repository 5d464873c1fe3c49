"""Output of the vectorised engine for one code: rows of table "centre", or counts by minute, in columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fake_smsc.core.records import BUFFERED, DELIVERED, UNDELIVERED
from simbench.base.units import MINUTE_US
from simbench.ledger.columns import schema
from simbench.ledger.rows import CENTRE, COUNTED, EXPIRED_REASONS, MINUTE, TIMES, WITHIN_S
from simbench.simulation.bulk import Batch, columns
from simbench.simulation.kernels.delivery import DeliveryTables, notifications_taken
from simbench.simulation.kernels.layout import (
    DISCARDED,
    LOST,
    NEVER,
    NOTIFY_BUFFERED,
    NOTIFY_DELIVERED,
    NOTIFY_UNDELIVERED,
    STREAM_SHIFT,
    TAKEN,
)
from simbench.simulation.kernels.tally import Columns, tally, tally_batch
from simbench.simulation.minutes import PLACE, WIDTH
from simbench.simulation.plan import Link, World

Integers = NDArray[Any]
MOST_REASONS = 1000
KINDS = {DELIVERED: "delivered", UNDELIVERED: "undelivered", BUFFERED: "buffered"}
NOTIFY_BIT = {DELIVERED: NOTIFY_DELIVERED, UNDELIVERED: NOTIFY_UNDELIVERED, BUFFERED: NOTIFY_BUFFERED}
OF_THE_ACCOUNT = ("login", "logout")  # kinds of rows without a code


class Happening(msgspec.Struct, frozen=True):
    """Rows of one kind. A single value applies to all rows; `scts` None: no row has a time stamp."""

    kind: str
    at: Integers
    session: Integers | int
    recipient: Integers | str
    message: Integers | int = 0
    attempt: Integers | int = 0
    value: Integers | int = 0
    scts: Integers | None = None
    segments: int = 1
    notify: Integers | int = 0
    valid_until: Integers | int = 0

    def only(self, which: NDArray[np.bool_]) -> Happening:
        """Return these rows only."""
        if which.all():
            return self
        cut: dict[str, Any] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            cut[name] = value[which] if isinstance(value, np.ndarray) else value
        return Happening(**cut)


class Output(Protocol):
    """The destination of a code's messages and events."""

    def offered(self, at: Integers) -> None:
        """Take the instants at which messages were requested."""

    def batch(self, batch: Batch) -> None:
        """Take messages that the client sent, with their outcomes."""

    def take(self, happening: Happening) -> None:
        """Take other rows."""


class RowColumns:
    """Writes rows of table "centre" in the order of events; `write` gets Arrow tables."""

    def __init__(self, world: World, code: str, tables: DeliveryTables, write: Callable[[pa.Table], object]) -> None:
        self._code, self._end, self._write = code, world.end, write
        self._link, self._notify, self._validity_us = world.link(code), tables.notify, tables.validity_us

    def offered(self, at: Integers) -> None:
        """Do nothing: the table has no rows for requests."""

    def batch(self, batch: Batch) -> None:
        """Write the SMSC's decisions, the outcomes, and their notifications."""
        at, decided = batch.sent.sent_at, batch.sent.decided
        session = self._link.first_session + batch.sent.session
        held = (decided > at) | (decided == LOST)
        sent = Happening("held", at, session, batch.recipient)
        self.take(sent.only(held))
        decided = np.where(decided >= 0, decided, at)
        answered = Happening("refused", decided, session, batch.recipient, value=batch.codes)
        self.take(answered.only(batch.codes > 0))
        discarded = Happening("discarded", decided, session, batch.recipient)
        self.take(discarded.only(batch.codes == DISCARDED))
        notify, valid_until = self._terms(batch)
        accepted = Happening(
            "accepted", decided, session, batch.recipient, batch.entity, scts=batch.scts, notify=notify,
            valid_until=valid_until,
        )  # fmt: skip
        self.take(accepted.only(batch.codes == 0))
        rows = batch.outcomes
        final, buffered = ("end_at", "reason", "attempt"), ("buffered_at", "buffered_reason", "buffered_attempt")
        over, failed = rows["end_at"] != NEVER, rows["reason"] != 0
        for outcome, names, which in (
            (BUFFERED, buffered, rows["buffered_at"] != NEVER),
            (UNDELIVERED, final, over & failed),
            (DELIVERED, final, over & ~failed),
        ):
            at, reason, attempt = (rows[name] for name in names)
            ended = Happening(
                KINDS[outcome], at, session, batch.recipient, batch.entity, attempt, reason, batch.scts
            ).only(which)
            self.take(ended)
            self._notify_of(ended, outcome)

    def _terms(self, batch: Batch) -> tuple[Integers, Integers]:
        """Return the notifications each message requests, and the minute its validity ends in (us; 0: default)."""
        stream = batch.entity >> STREAM_SHIFT
        validity_us = self._validity_us[stream]
        until = (batch.sent.sent_at + validity_us) // MINUTE_US * MINUTE_US
        return self._notify[stream], np.where(validity_us > 0, until, 0)

    def _notify_of(self, rows: Happening, outcome: int) -> None:
        assert isinstance(rows.message, np.ndarray)
        wanted = rows.only((self._notify[rows.message >> STREAM_SHIFT] & NOTIFY_BIT[outcome]) > 0)
        self.take(notifications("notification", wanted, outcome, self._link))

    def take(self, happening: Happening) -> None:
        """Write rows."""
        h = happening.only(happening.at < self._end)
        size = len(h.at)
        if not size:
            return
        text = isinstance(h.recipient, str)
        recipient = _text(str(h.recipient), size) if text else pc.cast(pa.array(h.recipient), "string")
        scts = pa.nulls(size, pa.int64()) if h.scts is None else pa.array(h.scts, pa.int64())
        arrays = [
            pa.array(h.at, pa.int64()), _text(h.kind, size), _number(h.session, size, np.int32),
            _text("" if h.kind in OF_THE_ACCOUNT else self._code, size), recipient,
            _number(h.message, size, np.int64), _number(h.attempt, size, np.int32), _number(h.value, size, np.int32),
            scts, _number(h.segments, size, np.int32), _number(h.notify, size, np.int32),
            _number(h.valid_until, size, np.int64),
        ]  # fmt: skip
        self._write(pa.Table.from_arrays(arrays, names=[column.name for column in CENTRE.columns]))


class MinuteColumns:
    """Counts messages and notifications by minute."""

    def __init__(self, world: World, code: str, tables: DeliveryTables) -> None:
        self._code, self._period, self._notify = code, (world.start, world.end), tables.notify
        self._logins, self._cuts = columns(world.link(code).up)
        self._counts = np.zeros((-(-(world.end - world.start) // MINUTE_US), WIDTH), np.int32)
        self._columns = Columns(**{name: PLACE[name] for name in Columns._fields[:-1]}, times=len(COUNTED))
        self._expired = np.isin(np.arange(MOST_REASONS), list(EXPIRED_REASONS)).astype(np.int32)

    def offered(self, at: Integers) -> None:
        """Count requests."""
        tally(at, PLACE["offered"], *self._period, self._counts)

    def batch(self, batch: Batch) -> None:
        """Count decisions, outcomes and notifications."""
        tally_batch(
            batch.sent, batch.entity, batch.codes, batch.scts, batch.outcomes, self._notify, self._logins,
            self._cuts, self._columns, np.array(WITHIN_S), self._expired, self._period, self._counts,
        )  # fmt: skip

    def take(self, happening: Happening) -> None:
        """Count rows if the table "minute" has a column for their kind."""
        if happening.kind in PLACE:
            tally(happening.at, PLACE[happening.kind], *self._period, self._counts)

    def table(self) -> pa.Table:
        """Return the rows of table "minute" with events or a backlog."""
        settled = self._counts[:, PLACE["accepted"]].astype(np.int64) + self._counts[:, PLACE["refused"]]
        backlog = np.cumsum(self._counts[:, PLACE["offered"]] - settled)
        rows = np.flatnonzero(self._counts.any(axis=1) | (backlog != 0))
        arrays = [pa.array(self._period[0] + rows * MINUTE_US), _text(self._code, len(rows))]
        arrays += [pa.array(self._counts[rows, place]) for place in range(WIDTH)]
        arrays.append(pa.array(backlog[rows]))
        assert len(COUNTED) + len(TIMES) == WIDTH
        return pa.Table.from_arrays(arrays, schema=pa.schema(list(schema(MINUTE))[:-1]))


def notifications(kind: str, posted: Happening, outcome: int, link: Link) -> Happening:
    """Return the notifications of rows when the client takes them: at once, or after its next login."""
    taken = np.empty(len(posted.at), TAKEN)
    notifications_taken(posted.at, *columns(link.up), taken)
    rows = Happening(
        kind, taken["at"], link.first_session + taken["session"], posted.recipient, posted.message, value=outcome,
        scts=posted.scts, segments=0,
    )  # fmt: skip
    return rows.only(taken["at"] != NEVER)


def _text(text: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int8)), [text]).cast(pa.string())


def _number(number: Integers | int, size: int, kind: Any) -> pa.Array:
    return pa.array(np.full(size, number, kind) if isinstance(number, int) else number.astype(kind))
