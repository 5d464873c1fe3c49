"""What the bulk way writes: rows of table "centre", or counts by minute, as Arrow columns. Decides nothing.

Both take the same happenings: a kind, instants, and what else a row of that kind says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simbench.kernels.delivery import tally, tally_times
from simbench.ledger.columns import schema
from simbench.ledger.rows import CENTRE, COUNTED, MINUTE, TIMES, WITHIN_S
from simbench.world.minutes import ALIKE, PLACE, TEMPORARY, WIDTH

Integers = NDArray[Any]
MINUTE_US = 60_000_000
OF_THE_ACCOUNT = ("login", "logout")  # rows that name no code


class Happening(msgspec.Struct, frozen=True):
    """Rows of one kind, of one code. A single number stands for all of them; `scts` None: none has a stamp."""

    kind: str
    at: Integers
    session: Integers | int
    recipient: Integers | str
    message: Integers | int = 0
    attempt: Integers | int = 0
    value: Integers | int = 0
    scts: Integers | None = None
    segments: int = 1

    def before(self, end: int) -> Happening:
        """Those that come before an instant."""
        keep = self.at < end
        if keep.all():
            return self
        cut: dict[str, Any] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            cut[name] = value[keep] if isinstance(value, np.ndarray) else value
        return Happening(**cut)


class Output(Protocol):
    """Who takes what happens."""

    def offered(self, at: Integers) -> None:
        """Messages the client was asked to send."""

    def submitted(self, at: Integers) -> None:
        """Messages the client sent."""

    def take(self, happening: Happening) -> None:
        """Rows of the centre."""


class RowColumns:
    """Writes rows of table "centre" of one code as they come; `write` gets Arrow tables."""

    def __init__(self, code: str, end: int, write: Callable[[pa.Table], object]) -> None:
        self._code, self._end, self._write = code, end, write

    def offered(self, at: Integers) -> None:
        """Leaves no row."""

    def submitted(self, at: Integers) -> None:
        """Leaves no row: the decision does."""

    def take(self, happening: Happening) -> None:
        """Write rows."""
        h = happening.before(self._end)
        size = len(h.at)
        if not size:
            return
        recipient = (
            _text(h.recipient, size) if isinstance(h.recipient, str) else pc.cast(pa.array(h.recipient), "string")
        )
        scts = pa.nulls(size, pa.int64()) if h.scts is None else pa.array(h.scts, pa.int64())
        columns = [
            pa.array(h.at, pa.int64()), _text(h.kind, size), _number(h.session, size, np.int32),
            _text("" if h.kind in OF_THE_ACCOUNT else self._code, size), recipient, _number(h.message, size, np.int64),
            _number(h.attempt, size, np.int32), _number(h.value, size, np.int32), scts,
            _number(h.segments, size, np.int32),
        ]  # fmt: skip
        self._write(pa.Table.from_arrays(columns, names=[column.name for column in CENTRE.columns]))


class MinuteColumns:
    """Counts what happens to one code by minute."""

    def __init__(self, code: str, start: int, end: int) -> None:
        self._code, self._start, self._end = code, start, end
        self._counts = np.zeros((-(-(end - start) // MINUTE_US), WIDTH), np.int32)

    def offered(self, at: Integers) -> None:
        """Count them."""
        self._tally(at, "offered")

    def submitted(self, at: Integers) -> None:
        """Count them."""
        self._tally(at, "submitted")

    def take(self, happening: Happening) -> None:
        """Count them."""
        name = ALIKE.get(happening.kind, happening.kind)
        if name not in PLACE:
            return
        self._tally(happening.at, name)
        if name == "delivered":
            tally_times(happening.at, happening.scts, np.array(WITHIN_S), len(COUNTED), self._start, self._counts)
        elif name == "undelivered":
            self._tally(happening.at[np.isin(happening.value, list(TEMPORARY))], "expired")

    def table(self) -> pa.Table:
        """The rows of table "minute", without those in which nothing happened and nothing waits."""
        settled = self._counts[:, PLACE["accepted"]].astype(np.int64) + self._counts[:, PLACE["refused"]]
        backlog = np.cumsum(self._counts[:, PLACE["offered"]] - settled)
        rows = np.flatnonzero(self._counts.any(axis=1) | (backlog != 0))
        columns = [pa.array(self._start + rows * MINUTE_US), _text(self._code, len(rows))]
        columns += [pa.array(self._counts[rows, place]) for place in range(WIDTH)]
        columns.append(pa.array(backlog[rows]))
        assert len(COUNTED) + len(TIMES) == WIDTH
        return pa.Table.from_arrays(columns, schema=pa.schema(list(schema(MINUTE))[:-1]))

    def _tally(self, at: Integers, name: str) -> None:
        tally(at, PLACE[name], self._start, self._end, self._counts)


def _text(text: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int8)), [text]).cast(pa.string())


def _number(number: Integers | int, size: int, kind: Any) -> pa.Array:
    return pa.array(np.full(size, number, kind) if isinstance(number, int) else number.astype(kind))
