"""A view: named columns of one length, as rules read them.

Numbers are numpy arrays of int64, everything else arrays of objects; `view.at` is the column `at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]


class View:
    """Columns by name. `where` keeps rows, `rows` reads them one by one."""

    def __init__(self, **columns: Sequence[Any] | Column) -> None:
        self._columns = {name: _as_column(values) for name, values in columns.items()}
        lengths = {len(column) for column in self._columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")

    def __getattr__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise AttributeError(f"no column {name!r}; there are {sorted(self._columns)}") from None

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self._columns)

    def where(self, rows: Column | Sequence[int] | slice) -> View:
        """Only these rows: by booleans, positions, or a slice."""
        chosen = np.array(rows, dtype=np.int64) if isinstance(rows, list | tuple) else rows
        return View(**{name: column[chosen] for name, column in self._columns.items()})

    def rows(self) -> Iterator[Any]:
        """Each row as a named tuple."""
        row = NamedTuple("Row", [(name, Any) for name in self._columns])  # type: ignore[misc]  # columns are data
        for values in zip(*(column.tolist() for column in self._columns.values()), strict=True):
            yield row(*values)


def view_of(names: Sequence[str], records: Sequence[Sequence[Any]]) -> View:
    """A view from records, each a sequence in the order of `names`."""
    columns: Sequence[Sequence[Any]] = list(zip(*records, strict=True)) if records else [()] * len(names)
    return View(**dict(zip(names, columns, strict=True)))


def _as_column(values: Sequence[Any] | Column) -> Column:
    if isinstance(values, np.ndarray):
        return values
    if values and all(type(value) is int for value in values):
        return np.array(values, dtype=np.int64)
    if values and all(type(value) is bool for value in values):
        return np.array(values, dtype=np.bool_)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
