"""What hot code appends to: rows one by one, or many that came together as one block of columns.

Converts nothing. A block exists because a tuple a row, and turning those tuples into columns again, costs a busy SMSC
more than all its decisions: what a hundred messages have in common is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeGuard

from simbench.ledger.rows import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of a block's column: a list or an array of numpy's with one value a row (integers, or octets that are ASCII text
# without NUL), or the value all rows have.
Cells = object


class Block:
    """`count` rows as columns in the order of their table; what is no list or array holds one for all."""

    __slots__ = ("columns", "count")

    def __init__(self, count: int, columns: tuple[Cells, ...]) -> None:
        self.count, self.columns = count, columns

    def rows(self) -> Iterator[Row]:
        """The same rows one by one."""
        return zip(
            *(_values(cells) if has_many(cells) else repeat(cells, self.count) for cells in self.columns), strict=False
        )


def has_many(cells: Cells) -> TypeGuard[list[Any] | NDArray[Any]]:
    """Whether these are a value a row."""
    return isinstance(cells, list) or hasattr(cells, "dtype")  # numpy itself is not needed here


def _values(cells: list[Any] | NDArray[Any]) -> list[Any]:
    if isinstance(cells, list):
        return cells
    values: list[Any] = cells.tolist()
    return [value.decode() for value in values] if cells.dtype.kind == "S" else values


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
