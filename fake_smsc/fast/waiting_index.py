"""Finds the rows of a recipient among all that wait for delivery, for operations on waiting messages.

Kernels record every new row in `fresh`. Until the first query nothing else is done; the first query reads all rows
once. From then on each full `fresh` is sorted by recipient and kept until its rows must have been delivered, so that a
query costs one binary search in each of these runs, and one look at all keys of `fresh`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fake_smsc.fast.kernels import layout as lay

FRESH_ROWS: Final = 1 << 14

Run = tuple[int, NDArray[np.int64], NDArray[np.int64]]  # when its last row was entered, keys in order, rows


class WaitingIndex:
    """The rows by recipient. `longest_us`: the longest wait of a row, and how long the index is kept after a query."""

    def __init__(self, longest_us: int) -> None:
        self.fresh = np.zeros((2, FRESH_ROWS), np.int64)  # keys, rows
        self._longest_us = longest_us
        self._runs: list[Run] = []
        self._asked_at = -1  # the instant of the last query; -1: no index is kept

    def roll(self, count: int, now: int) -> None:
        """Move the first rows of `fresh` to the index, and empty it."""
        if self._asked_at < 0:
            return
        if now - self._asked_at > self._longest_us:
            self._asked_at = -1
            self._runs.clear()
            return
        self._runs = [run for run in self._runs if now - run[0] <= self._longest_us]
        keys, rows = self.fresh[:, :count]
        order = keys.argsort(kind="stable")
        self._runs.append((now, keys[order], rows[order]))

    def find(self, keys: list[int], rows: NDArray[np.int64], state: NDArray[np.int64], now: int) -> list[int]:
        """Return the waiting rows of these recipients, in the order of their numbers."""
        if self._asked_at < 0 or now - self._asked_at > self._longest_us:
            self._scan(rows[: state[lay.ROWS_USED]], now)
            state[lay.ENTERED] = 0
        self._asked_at = now
        found = {
            int(row)
            for _, held, held_rows in self._runs
            for key in keys
            for row in held_rows[held.searchsorted(key) : held.searchsorted(key, "right")]
        }
        fresh, fresh_rows = self.fresh[:, : state[lay.ENTERED]]  # not sorted: queries may come after every row
        found.update(int(row) for key in keys for row in fresh_rows[fresh == key])
        live = [row for row in found if rows[row, lay.R_KEY] in keys and rows[row, lay.R_NUMBER] > 0]
        return sorted(live, key=lambda row: int(rows[row, lay.R_NUMBER]))

    def _scan(self, rows: NDArray[np.int64], now: int) -> None:
        waiting = np.flatnonzero((rows[:, lay.R_KEY] != 0) & (rows[:, lay.R_NUMBER] > 0))
        keys = rows[waiting, lay.R_KEY]
        order = keys.argsort(kind="stable")
        self._runs = [(now, keys[order], waiting[order])]
