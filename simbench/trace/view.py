"""Views: rows of one kind read from a ledger, one by one or as columns.

Columns are numpy arrays of int64, bool or objects. A lazy column becomes an array when it is read; rows are made when
they are read, because ten million would not fit in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeAlias, TypeVar, cast, overload
from weakref import ref

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.trace.lazy import Coded, Lazy, Made, Numbers, Spelt
from simbench.trace.stores import Packed, numbered

Row_co = TypeVar("Row_co", bound=msgspec.Struct, covariant=True)
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Objects: TypeAlias = NDArray[np.object_]
Column: TypeAlias = NDArray[np.generic]
Index: TypeAlias = NDArray[np.signedinteger]
Chosen: TypeAlias = Ints | Bools | Sequence[int] | slice
_AT_ONCE = 4_096  # rows that are made together
_MANY, _KEPT = 1 << 20, 2
_LONG: deque[tuple[ref[View[msgspec.Struct]], str]] = deque()  # long columns made last; older ones are dropped
_DTYPES: dict[object, type[np.generic]] = {int: np.int64, bool: np.bool_}


class View(Generic[Row_co]):
    """Rows, and each of their fields as a column of the same name.

    A view is created from rows or from columns; the other form is made on first use and kept. A view made by `where`
    takes both from the view it was chosen from.
    """

    _row: ClassVar[type[msgspec.Struct]]
    _types: ClassVar[dict[str, type[np.generic]]]
    _seen: ClassVar[type[_Seen]]

    def __init_subclass__(cls, row: type[msgspec.Struct]) -> None:
        super().__init_subclass__()
        cls._row = row
        cls._seen = _seen_as(row)
        cls._types = {field.name: _DTYPES.get(field.type, np.object_) for field in msgspec.structs.fields(row)}

    def __init__(self, rows: Iterable[Row_co] = ()) -> None:
        self._rows: list[Row_co] | None = list(rows)
        self._columns: dict[str, Column | Lazy] = {}
        self._made: dict[str, Column] = {}  # arrays of lazy columns; of long ones only the last few
        self._length = len(self._rows)
        self._source: tuple[Self, Ints] | None = None

    @classmethod
    def of_columns(cls, columns: Mapping[str, Column | Lazy]) -> Self:
        """Create a view from columns. Raises ValueError unless there is one for each field, all of equal length."""
        if set(columns) != set(cls._types) or len({len(column) for column in columns.values()}) != 1:
            raise ValueError(f"columns {sorted(columns)} of one length are {sorted(cls._types)}")
        view = cls()
        view._rows, view._columns = None, dict(columns)
        view._length = len(next(iter(columns.values())))
        return view

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Row_co]:
        return iter(self.rows())

    def rows(self) -> Sequence[Row_co]:
        """Return the rows, in order."""
        if self._rows is None and self._source is not None and self._source[0]._rows is not None:
            rows, places = self._source[0]._rows, self._source[1]
            self._rows = [rows[place] for place in places.tolist()]
        return _Rows(self) if self._rows is None else self._rows

    def column(self, name: str) -> Column:
        """Return a field of every row. Raises AttributeError for an unknown field."""
        lazy = self._columns.get(name)
        if isinstance(lazy, np.ndarray):
            return lazy
        if name in self._made:
            return self._made[name]
        found = lazy.whole() if isinstance(lazy, Packed | Numbers) else self.values(name, np.arange(self._length))
        self._made[name] = found
        if self._length > _MANY:
            _LONG.append((ref(self), name))
        while len(_LONG) > _KEPT:
            view, oldest = _LONG.popleft()
            if (holder := view()) is not None:
                del holder._made[oldest]
        return found

    def values(self, name: str, places: Ints) -> Column:
        """Return a field of the rows at these positions only. Raises AttributeError for an unknown field."""
        found = self._made.get(name, self._columns.get(name))
        if found is not None:
            return found[places] if isinstance(found, np.ndarray) else found.at(places)
        if name not in self._types:
            raise AttributeError(f"no column {name!r}; there are {sorted(self._types)}")
        if self._source is not None:
            return self._source[0].values(name, self._source[1][places])
        assert self._rows is not None
        chosen = (getattr(self._rows[place], name) for place in places.tolist())
        return np.fromiter(chosen, self._types[name], len(places))

    def lazy(self, name: str) -> Lazy:
        """Return a field as a lazy column for another view."""
        return _Field(self, name)

    def distinct(self, name: str) -> tuple[list[object], Index]:  # noqa: PLR0911 - one way for each kind of column
        """Return the different values of a field, and the index of each row's value in the narrowest type."""
        found = self._columns.get(name)
        if isinstance(found, _Field):
            return found.view.distinct(found.name)
        if isinstance(found, Coded):
            return found.names.tolist(), found.index
        if isinstance(found, Numbers) and found.base is not None:
            return found.base.tolist(), found.narrow
        if isinstance(found, Spelt):
            return found.distinct()
        if found is None and self._source is not None:
            whole = self._source[0]._columns.get(name)
            if isinstance(whole, Spelt):
                return whole.taken(self._source[1]).distinct()
            names, all_ = self._source[0].distinct(name)
            used, which = numbered(all_[self._source[1]])
            return [names[number] for number in used.tolist()], which
        if self._types.get(name) is np.bool_:
            return [False, True], self.column(name).view(np.int8)
        numbers: dict[object, int] = {}
        each = [numbers.setdefault(value, len(numbers)) for value in self.column(name).tolist()]
        return list(numbers), np.array(each, np.int64)

    def texts(self, name: str) -> tuple[list[str], Index]:
        """Return `distinct` of a field of texts."""
        return cast(tuple[list[str], Index], self.distinct(name))

    def numbers(self, name: str) -> tuple[list[int], Index]:
        """Return `distinct` of a field of integers."""
        return cast(tuple[list[int], Index], self.distinct(name))

    def whole(self, name: str, places: Ints) -> Ints:
        """Return `values` of a field of integers."""
        return cast(Ints, self.values(name, places))

    def equal(self, name: str, value: object) -> Bools:
        """Return which rows have this value in a field."""
        if name not in self._columns and self._source is not None:
            return self._source[0].equal(name, value)[self._source[1]]
        found = self._columns.get(name)
        if isinstance(found, _Field):
            return found.view.equal(found.name, value)
        if isinstance(found, Coded | Numbers | Spelt):
            return found.equal(value)
        column = self.column(name)
        if column.dtype == np.object_:  # numpy itself would cut zeros off the end of octets
            return np.array([each == value for each in column.tolist()], np.bool_)
        return cast(Bools, column == value)

    def among(self, name: str, values: Collection[str]) -> Bools:
        """Return which rows have one of these texts in a field."""
        found = self._columns.get(name)
        if isinstance(found, Spelt):
            return found.among(values)
        wanted = set(values)
        return np.array([each in wanted for each in self.column(name).tolist()], np.bool_)

    def has(self, name: str) -> Bools:
        """Return which rows may have a non-empty text in a field."""
        if name not in self._columns and self._source is not None:
            return self._source[0].has(name)[self._source[1]]
        found = self._columns.get(name)
        return found.filled() if isinstance(found, Made) else ~self.equal(name, "")

    def where(self, chosen: Chosen) -> Self:
        """Return a view of these rows: by flags, positions, or a slice."""
        if isinstance(chosen, slice):
            places = np.arange(self._length)[chosen]
        else:
            array = np.asarray(chosen)
            places = np.flatnonzero(array) if array.dtype == np.bool_ else array.astype(np.int64)
        view = type(self)()
        view._rows, view._source, view._length = None, (self, places), len(places)
        return view

    if not TYPE_CHECKING:  # views declare their columns for type checkers

        def __getattr__(self, name: str) -> Column:
            if name.startswith("_"):
                raise AttributeError(name)
            return self.column(name)


class _Field:
    """A field of a view as a lazy column."""

    def __init__(self, view: View[msgspec.Struct], name: str) -> None:
        self.view, self.name = view, name

    def __len__(self) -> int:
        return len(self.view)

    def at(self, places: Ints) -> NDArray[np.generic]:
        """Return the values at these places."""
        return self.view.values(self.name, places)


class _Seen:
    """A row whose fields are read from its view."""

    __slots__ = ("_piece", "_place")

    def __init__(self, piece: _Piece, place: int) -> None:
        self._piece, self._place = piece, place

    def __eq__(self, other: object) -> bool:
        """Compare the fields, as the row class does."""
        names: tuple[str, ...] = self.__class__.__struct_fields__  # type: ignore[attr-defined]  # it says it is a row
        return self.__class__ is other.__class__ and all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]  # like a struct that may change

    def __repr__(self) -> str:
        names: tuple[str, ...] = self.__class__.__struct_fields__  # type: ignore[attr-defined]  # as above
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__name__}({fields})"


class _Piece:
    """Consecutive rows of a view; a field is made for all of them when one of them reads it."""

    def __init__(self, view: View[msgspec.Struct], places: Ints) -> None:
        self._view, self._places = view, places

    def __getattr__(self, name: str) -> list[object]:
        values: list[object] = self._view.values(name, self._places).tolist()
        setattr(self, name, values)
        return values


class _Rows(Sequence[Row_co]):
    """The rows of a view that has columns, each made when it is read."""

    def __init__(self, view: View[Row_co]) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def __iter__(self) -> Iterator[Row_co]:
        for first in range(0, len(self), _AT_ONCE):
            yield from self[first : first + _AT_ONCE]

    @overload
    def __getitem__(self, place: int) -> Row_co: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row_co]: ...
    def __getitem__(self, place: int | slice) -> Row_co | Sequence[Row_co]:
        if not isinstance(place, slice):
            one = np.array([range(len(self))[place]])
            return cast(Row_co, self._view._seen(_Piece(self._view, one), 0))
        places = np.arange(*place.indices(len(self)))
        piece, seen = _Piece(self._view, places), self._view._seen
        return [cast(Row_co, seen(piece, number)) for number in range(len(places))]


def _seen_as(row: type[msgspec.Struct]) -> type[_Seen]:
    """Return a class whose instances have the fields of a row class and are instances of it."""

    def field(name: str) -> property:
        return property(lambda seen: getattr(seen._piece, name)[seen._place])

    fields = {name: field(name) for name in row.__struct_fields__}
    return type(f"{row.__name__}Seen", (_Seen,), {"__slots__": (), "__class__": property(lambda _: row), **fields})
