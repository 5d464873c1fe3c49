"""Buffers of rows to be written: appended one by one as tuples, or many at once as columns.

Columns exist because a tuple for each row, converted to columns later, costs a busy SMSC more time than all its
decisions. `simbench.ledger.columns` converts the rows in the writer's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from simbench.ledger.rows import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Packed(msgspec.Struct, frozen=True, eq=False):
    """A column of texts or octets, packed: value `i` is `data[offsets[i]:offsets[i + 1]]`.

    `data`: array of uint8. `offsets`: array of int32, one longer than the rows, ascending, the first not negative.
    Texts are UTF-8.
    """

    data: NDArray[Any]
    offsets: NDArray[Any]

    def values(self) -> list[bytes]:
        """Return the octets of each row."""
        whole, edges = self.data.tobytes(), self.offsets.tolist()
        return [whole[start:end] for start, end in pairwise(edges)]


class Coded(msgspec.Struct, frozen=True, eq=False):
    """A column with few different values: value `i` is `names[index[i]]`. `index`: array of integers."""

    names: tuple[object, ...]
    index: NDArray[Any]


# One column of many rows. A list, `Packed`, `Coded` or numpy array has one value per row; anything else is the value of
# all rows. Arrays contain integers (for a column of integers at least as wide) or octets ("S"), which are ASCII text
# without NUL. Masked elements of a masked array are None.
Cells = object


class Block:
    """`count` rows as columns, in the order of their table's columns."""

    __slots__ = ("columns", "count")

    def __init__(self, count: int, columns: tuple[Cells, ...]) -> None:
        self.count, self.columns = count, columns

    def rows(self, octets: frozenset[int] = frozenset()) -> Iterator[Row]:
        """Iterate over the rows as tuples; `octets` are the positions of columns that hold octets instead of text."""
        return zip(
            *(
                _values(cells, text=place not in octets) if has_many(cells) else repeat(cells, self.count)
                for place, cells in enumerate(self.columns)
            ),
            strict=False,
        )


def has_many(cells: Cells) -> TypeGuard[list[Any] | NDArray[Any] | Packed | Coded]:
    """Return whether a column has one value per row instead of one value for all rows."""
    return isinstance(cells, (list, Packed, Coded)) or hasattr(cells, "dtype")  # numpy itself is not needed here


def _values(cells: list[Any] | NDArray[Any] | Packed | Coded, *, text: bool) -> list[Any]:
    if isinstance(cells, list):
        return cells
    if isinstance(cells, Coded):
        return [cells.names[index] for index in cells.index.tolist()]
    if isinstance(cells, Packed):
        return [value.decode() for value in cells.values()] if text else cells.values()
    values: list[Any] = cells.tolist()
    return [value.decode() for value in values] if cells.dtype.kind == "S" else values


Entry = Row | Block


class Buffer(list[Any]):
    """Rows and blocks (each an Entry) to be written, in the order in which they were appended."""

    __slots__ = ("_appended", "_taken")

    def __init__(self) -> None:
        super().__init__()
        # Rows in blocks beyond one per block: appended, and taken out. Each count is changed by one thread only.
        self._appended = self._taken = 0

    def append_columns(self, count: int, columns: tuple[Cells, ...]) -> None:
        """Append `count` rows at once, without an object per row: one entry of `columns` for each column of the table.

        The order is that of `simbench.ledger.rows`, without `n`. A column is

        * one value for all rows: `"accepted"`, `36`, `None`;
        * an array of integers, one per row (any integer dtype that fits the column's without loss); a nullable column
          masks the rows without a value;
        * an array of dtype `S`: text of ASCII without NUL, filled up with NUL;
        * `Packed(data, offsets)`: texts (UTF-8) or octets of any length, as one array of octets and their offsets;
        * `Coded(names, index)`: few different values, by number;
        * a list with one value per row, which may be None in a nullable column.

        The ledger keeps the arrays, without a copy, until its thread has written them: pass a copy of an array that is
        used again. Rows that do not fit their table are reported and left out, as with `append`.
        """
        self._appended += count - 1
        self.append(Block(count, columns))

    def waiting(self) -> int:
        """Return the number of rows in the buffer."""
        return len(self) + self._appended - self._taken

    def head(self, most: int, most_rows: int, octets: int = -1, most_octets: int = 0) -> list[Entry]:
        """Return the oldest entries: at most `most`, with at most `most_rows` rows (the first entry may have more).

        `octets` is the position of a column of octets; single rows are taken up to `most_octets` of it, but at least
        one entry.
        """
        entries, rows, size = self[:most], 0, 0
        for number, entry in enumerate(entries):
            if type(entry) is Block:
                rows += entry.count
            else:
                rows += 1
                if octets >= 0 and len(entry) > octets:
                    size += len(entry[octets])
            if number and (rows > most_rows or size > most_octets > 0):
                return entries[:number]
        return entries

    def drop(self, entries: list[Entry]) -> None:
        """Remove the entries that `head` returned."""
        del self[: len(entries)]  # atomic, like `append`: both are one operation in C
        self._taken += sum(entry.count - 1 for entry in entries if type(entry) is Block)


class Memory(list[Row]):
    """Rows kept in memory; columns become rows. `octets`: the positions of the table's columns of octets."""

    __slots__ = ("_octets",)

    def __init__(self, octets: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self._octets = octets

    def append_columns(self, count: int, columns: tuple[Cells, ...]) -> None:
        """Append many rows at once (see `Buffer.append_columns`)."""
        self.extend(Block(count, columns).rows(self._octets))
