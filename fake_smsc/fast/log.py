"""Rows of the ledger that kernels wrote into arrays, before they are appended."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fake_smsc.core.delivery import KINDS
from fake_smsc.core.records import DELIVERED
from fake_smsc.fast.book import Book
from fake_smsc.fast.kernels import layout as lay
from simbench.ledger import AnyLedger
from simbench.ledger.buffer import Coded, Packed

FEW: Final = 24  # rows that are cheaper as tuples than as columns
ROWS: Final = 4096
ROW_KINDS: Final = ("accepted", "refused", "discarded", KINDS[DELIVERED])
LONGEST_ADDRESS: Final = 16


class Log:
    """Arrays for rows of the centre's table: `cells` by field and row, their recipients in `text` up to `offsets`."""

    def __init__(self, sink: AnyLedger, book: Book) -> None:
        self._append, self._append_columns = sink.centre.append, sink.centre.append_columns
        self._book = book
        self.make_room(ROWS)

    def make_room(self, rows: int) -> None:
        """Allocate empty arrays for that many rows."""
        self.room = rows
        self.cells = np.zeros((lay.LOG_WIDTH, rows), np.int64)
        self.text = np.zeros(LONGEST_ADDRESS * rows, np.uint8)
        self.offsets = np.zeros(rows + 1, np.int32)

    def hand_over(self, count: int, now: int | None) -> None:
        """Append rows to the ledger. `now`: the instant of all (us); None: each has its own, and all are deliveries."""
        if count <= FEW:
            self._rows(count)
        else:
            self._columns(count, now)

    def _rows(self, count: int) -> None:
        names, append, edges = self._book.code_names, self._append, self.offsets[: count + 1].tolist()
        text = self.text[: edges[-1]].tobytes().decode()
        for place, (at, kind, session, code, entity, value, scts, notify, valid_until) in enumerate(
            self.cells[:, :count].T.tolist()
        ):
            recipient = text[edges[place] : edges[place + 1]]
            append(
                (at, ROW_KINDS[kind], session, names[code], recipient, entity, int(kind == lay.DELIVERED), value,
                 scts or None, 1, notify, valid_until)
            )  # fmt: skip

    def _columns(self, count: int, now: int | None) -> None:
        cells, offsets = self.cells, self.offsets[: count + 1].copy()
        kinds = cells[lay.L_KIND, :count]
        recipients = Packed(self.text[: offsets[-1]].copy(), offsets)
        sessions = cells[lay.L_SESSION, :count].astype(np.int32)
        codes = Coded(self._book.code_names, cells[lay.L_CODE, :count].astype(np.int32))
        entities: Any = cells[lay.L_ENTITY, :count].copy()
        kind: Any = ROW_KINDS[int(kinds[0])]
        scts: Any = cells[lay.L_SCTS, :count].copy()
        values: Any = cells[lay.L_VALUE, :count].astype(np.int32)
        notify: Any = cells[lay.L_NOTIFY, :count].astype(np.int32)
        valid_until: Any = cells[lay.L_VALID_UNTIL, :count].copy()
        if now is not None and (kinds != lay.ACCEPTED).any():
            kind = Coded(ROW_KINDS, kinds.astype(np.int32))
            scts = np.ma.masked_equal(scts, 0)
        at: Any = cells[lay.L_AT, :count].copy() if now is None else now
        attempt = 1 if now is None else 0
        self._append_columns(
            count, (at, kind, sessions, codes, recipients, entities, attempt, values, scts, 1, notify, valid_until)
        )  # fmt: skip
