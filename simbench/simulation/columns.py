"""What the bulk way writes of one code: rows of table "centre", or counts by minute, in columns. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fake_smsc.core.records import BUFFERED, DELIVERED, UNDELIVERED
from simbench.base.units import MINUTE_US, NEVER
from simbench.ledger.columns import schema
from simbench.ledger.rows import CENTRE, COUNTED, MINUTE, TIMES, WITHIN_S
from simbench.simulation.bulk import Batch, columns
from simbench.simulation.kernels.delivery import (
    ATTEMPT,
    BUFFERED_AT,
    BUFFERED_FOR,
    BUFFERED_TRY,
    DISCARDED,
    END_AT,
    REASON,
    STREAM_SHIFT,
    Laws,
    carried,
)
from simbench.simulation.kernels.submission import DECIDED, LOST, SENT_AT
from simbench.simulation.kernels.tally import Columns, tally, tally_batch
from simbench.simulation.minutes import PLACE, TEMPORARY, WIDTH
from simbench.simulation.plan import Link, World

Integers = NDArray[Any]
MOST_REASONS = 1000
KINDS = {DELIVERED: "delivered", UNDELIVERED: "undelivered", BUFFERED: "buffered"}
BIT = {DELIVERED: 1, UNDELIVERED: 2, BUFFERED: 4}
OF_THE_ACCOUNT = ("login", "logout")  # rows that name no code


class Happening(msgspec.Struct, frozen=True):
    """Rows of one kind. A single number stands for all of them; `scts` None: none has a stamp."""

    kind: str
    at: Integers
    session: Integers | int
    recipient: Integers | str
    message: Integers | int = 0
    attempt: Integers | int = 0
    value: Integers | int = 0
    scts: Integers | None = None
    segments: int = 1

    def only(self, which: NDArray[np.bool_]) -> Happening:
        """Some of the rows."""
        if which.all():
            return self
        cut: dict[str, Any] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            cut[name] = value[which] if isinstance(value, np.ndarray) else value
        return Happening(**cut)


class Output(Protocol):
    """Who takes what happens to a code."""

    def offered(self, at: Integers) -> None:
        """Messages the client was asked to send."""

    def batch(self, batch: Batch) -> None:
        """Messages the client sent, and what became of them."""

    def take(self, happening: Happening) -> None:
        """Other rows."""


class RowColumns:
    """Writes rows of table "centre" as they come; `write` gets Arrow tables."""

    def __init__(self, world: World, code: str, laws: Laws, write: Callable[[pa.Table], object]) -> None:
        self._code, self._end, self._write = code, world.end, write
        self._link, self._notify, self._validity_us = world.link(code), laws.notify, laws.validity_us

    def offered(self, at: Integers) -> None:
        """Leaves no row."""

    def batch(self, batch: Batch) -> None:
        """Write the centre's decisions, outcomes and the notices of them."""
        at, decided, session = batch.sent[SENT_AT], batch.sent[DECIDED], self._link.first_session + batch.session
        held = (decided > at) | (decided == LOST)
        sent = Happening("held", at, session, batch.recipient)
        self.take(sent.only(held))
        decided = np.where(decided >= 0, decided, at)
        answered = Happening("refused", decided, session, batch.recipient, value=batch.codes)
        self.take(answered.only(batch.codes > 0))
        discarded = Happening("discarded", decided, session, batch.recipient)
        self.take(discarded.only(batch.codes == DISCARDED))
        terms = self._terms(batch)
        asked = Happening("accepted", decided, session, batch.recipient, batch.entity, value=terms, scts=batch.scts)
        self.take(asked.only(batch.codes == 0))
        final = batch.fates[:, (END_AT, REASON, ATTEMPT)].T
        over, failed = final[0] != NEVER, final[1] != 0
        told = batch.fates[:, (BUFFERED_AT, BUFFERED_FOR, BUFFERED_TRY)].T
        for outcome, (instant, reason, attempt), which in (
            (BUFFERED, told, told[0] != NEVER), (UNDELIVERED, final, over & failed), (DELIVERED, final, over & ~failed)
        ):  # fmt: skip
            rows = Happening(
                KINDS[outcome], instant, session, batch.recipient, batch.entity, attempt, reason, batch.scts
            ).only(which)
            self.take(rows)
            self._notices(rows, outcome)

    def _terms(self, batch: Batch) -> Integers:
        """What each message asked for, as an accepted row has it."""
        stream = batch.entity >> STREAM_SHIFT
        validity_us = self._validity_us[stream]
        ends = np.where(validity_us > 0, (batch.sent[SENT_AT] + validity_us) // MINUTE_US, 0)
        terms: Integers = self._notify[stream] | ends << 3
        return terms

    def _notices(self, rows: Happening, outcome: int) -> None:
        assert isinstance(rows.message, np.ndarray)
        asked = rows.only((self._notify[rows.message >> STREAM_SHIFT] & BIT[outcome]) > 0)
        self.take(taken("notice", asked, outcome, self._link))

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
            scts, _number(h.segments, size, np.int32),
        ]  # fmt: skip
        self._write(pa.Table.from_arrays(arrays, names=[column.name for column in CENTRE.columns]))


class MinuteColumns:
    """Counts what happens by minute."""

    def __init__(self, world: World, code: str, laws: Laws) -> None:
        self._code, self._period, self._laws = code, (world.start, world.end), laws
        self._up = columns(world.link(code).up)
        self._counts = np.zeros((-(-(world.end - world.start) // MINUTE_US), WIDTH), np.int32)
        self._columns = Columns(**{name: PLACE[name] for name in Columns._fields[:-1]}, times=len(COUNTED))
        self._temporary = np.isin(np.arange(MOST_REASONS), list(TEMPORARY)).astype(np.int32)

    def offered(self, at: Integers) -> None:
        """Count them."""
        tally(at, PLACE["offered"], *self._period, self._counts)

    def batch(self, batch: Batch) -> None:
        """Count decisions, outcomes and notices."""
        tally_batch(
            batch.sent, batch.entity, batch.codes, batch.scts, batch.fates, self._laws, self._up, self._columns,
            np.array(WITHIN_S), self._temporary, self._period, self._counts,
        )  # fmt: skip

    def take(self, happening: Happening) -> None:
        """Count them, as far as minutes tell of their kind."""
        if happening.kind in PLACE:
            tally(happening.at, PLACE[happening.kind], *self._period, self._counts)

    def table(self) -> pa.Table:
        """The rows of table "minute", without those in which nothing happened and nothing waits."""
        settled = self._counts[:, PLACE["accepted"]].astype(np.int64) + self._counts[:, PLACE["refused"]]
        backlog = np.cumsum(self._counts[:, PLACE["offered"]] - settled)
        rows = np.flatnonzero(self._counts.any(axis=1) | (backlog != 0))
        arrays = [pa.array(self._period[0] + rows * MINUTE_US), _text(self._code, len(rows))]
        arrays += [pa.array(self._counts[rows, place]) for place in range(WIDTH)]
        arrays.append(pa.array(backlog[rows]))
        assert len(COUNTED) + len(TIMES) == WIDTH
        return pa.Table.from_arrays(arrays, schema=pa.schema(list(schema(MINUTE))[:-1]))


def taken(kind: str, posted: Happening, outcome: int, link: Link) -> Happening:
    """Notices of rows, as the client takes them: at once, or after its next login."""
    found = np.empty((len(posted.at), 2), np.int64)
    carried(posted.at, columns(link.up), found)
    rows = Happening(
        kind, found[:, 0], link.first_session + found[:, 1], posted.recipient, posted.message, value=outcome,
        scts=posted.scts, segments=0,
    )  # fmt: skip
    return rows.only(found[:, 0] != NEVER)


def _text(text: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int8)), [text]).cast(pa.string())


def _number(number: Integers | int, size: int, kind: Any) -> pa.Array:
    return pa.array(np.full(size, number, kind) if isinstance(number, int) else number.astype(kind))
