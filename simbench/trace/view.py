"""A view: the rows of one kind that the judge reads out of a ledger, one by one or as columns.

Columns are numpy arrays: whole numbers int64, truth values bool, anything else objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeAlias, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

Row = TypeVar("Row", bound=msgspec.Struct)
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Objects: TypeAlias = NDArray[np.object_]
Column: TypeAlias = NDArray[np.generic]
Chosen: TypeAlias = Ints | Bools | Sequence[int] | slice
_DTYPES: dict[object, type[np.generic]] = {int: np.int64, bool: np.bool_}


class View(Generic[Row]):
    """Rows, and each of their fields as a column of the same name.

    A view is made of rows or of columns; either is made of the other when it is first asked for, and kept. One that
    `where` chooses takes both from the view it was chosen from.
    """

    _row: ClassVar[type[msgspec.Struct]]
    _types: ClassVar[dict[str, type[np.generic]]]

    def __init_subclass__(cls, row: type[msgspec.Struct]) -> None:
        super().__init_subclass__()
        cls._row = row
        cls._types = {field.name: _DTYPES.get(field.type, np.object_) for field in msgspec.structs.fields(row)}

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: list[Row] | None = list(rows)
        self._columns: dict[str, Column] = {}
        self._length = len(self._rows)
        self._source: tuple[Self, Ints] | None = None

    @classmethod
    def of_columns(cls, columns: Mapping[str, Column]) -> Self:
        """A view made of every column of its rows. Raises ValueError for others, or of different lengths."""
        if set(columns) != set(cls._types) or len({len(column) for column in columns.values()}) != 1:
            raise ValueError(f"columns {sorted(columns)} of one length are {sorted(cls._types)}")
        view = cls()
        view._rows, view._columns = None, dict(columns)
        view._length = len(next(iter(columns.values())))
        return view

    def __len__(self) -> int:
        return self._length

    def rows(self) -> list[Row]:
        """Each row, in order."""
        if self._rows is None:
            if self._source is not None:
                source, places = self._source
                rows = source.rows()
                self._rows = [rows[place] for place in places.tolist()]
            else:
                values = zip(*(self._columns[name].tolist() for name in self._types), strict=True)
                self._rows = [cast(Row, self._row(*each)) for each in values]
        return self._rows

    def column(self, name: str) -> Column:
        """A field of every row. Raises AttributeError where rows have no such field."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._built(name)
        return found

    def where(self, chosen: Chosen) -> Self:
        """Only these rows: by truth values, places, or a slice."""
        if isinstance(chosen, slice):
            places = np.arange(self._length)[chosen]
        else:
            array = np.asarray(chosen)
            places = np.flatnonzero(array) if array.dtype == np.bool_ else array.astype(np.int64)
        view = type(self)()
        view._rows, view._source, view._length = None, (self, places), len(places)
        return view

    def _built(self, name: str) -> Column:
        if name not in self._types:
            raise AttributeError(f"no column {name!r}; there are {sorted(self._types)}")
        if self._source is not None:
            source, places = self._source
            return source.column(name)[places]
        return np.fromiter((getattr(row, name) for row in self.rows()), self._types[name], self._length)

    if not TYPE_CHECKING:  # views declare the columns they are read by

        def __getattr__(self, name: str) -> Column:
            if name.startswith("_"):
                raise AttributeError(name)
            return self.column(name)
