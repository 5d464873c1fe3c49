"""What hot code appends to: rows one by one, or many that came together as one block of columns.

Converts nothing. A block exists because a tuple a row, and turning those tuples into columns again, costs a busy SMSC
more than all its decisions: what a hundred messages have in common is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from simbench.ledger.rows import Row

Cells = object  # of a block's column: a list with one value a row, or the value all rows have


class Block:
    """`count` rows as columns in the order of their table; a column that is no list holds one value for all rows."""

    __slots__ = ("columns", "count")

    def __init__(self, count: int, columns: tuple[Cells, ...]) -> None:
        self.count, self.columns = count, columns

    def rows(self) -> Iterator[Row]:
        """The same rows one by one."""
        return zip(
            *(cells if isinstance(cells, list) else repeat(cells, self.count) for cells in self.columns), strict=False
        )


Entry = Row | Block


class Buffer(list[Any]):
    """Rows and blocks (each an Entry) on their way to the disk, in the order in which they were appended."""

    __slots__ = ("_taken", "_told")

    def __init__(self) -> None:
        super().__init__()
        # What blocks hold beyond one row each. Two counts, each changed by one thread only.
        self._told = self._taken = 0

    def add(self, block: Block) -> None:
        """Take many rows at once."""
        self._told += block.count - 1
        self.append(block)

    def waiting(self) -> int:
        """How many rows wait."""
        return len(self) + self._told - self._taken

    def head(self, most: int, most_rows: int) -> list[Entry]:
        """The oldest entries: at most so many, and (but for the first) no more than so many rows."""
        entries, rows = self[:most], 0
        for number, entry in enumerate(entries):
            rows += entry.count if type(entry) is Block else 1
            if rows > most_rows and number:
                return entries[:number]
        return entries

    def drop(self, entries: list[Entry]) -> None:
        """Remove what `head` gave."""
        del self[: len(entries)]  # in C, as appending is: neither can come between the other's halves
        self._taken += sum(entry.count - 1 for entry in entries if type(entry) is Block)


class Memory(list[Row]):
    """The same where rows stay: a block becomes its rows."""

    __slots__ = ()

    def add(self, block: Block) -> None:
        """Take many rows at once."""
        self.extend(block.rows())
