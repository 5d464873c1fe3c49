"""Finds every mistake of a table: each wrong value is replaced by a valid one, until the table can be read.

`toml_files.as_typed` stops at the first one.
"""

from __future__ import annotations

import copy
from datetime import date
from typing import Any, Final, TypeVar

from msgspec import inspect as types

from simbench.base.toml_files import UNKNOWN_KEY, Keys, Mistake, Shape, typed

T = TypeVar("T")

MOST = 200  # mistakes reported


def every_mistake(table: dict[str, Any], kind: type[T]) -> tuple[T | None, list[Mistake]]:
    """Return the table's content, with valid values in place of wrong ones, and all mistakes.

    The content is None if a value cannot be replaced.
    """
    mistakes: list[Mistake] = []
    repaired = table
    while True:
        content, mistake = typed(repaired, kind)
        if mistake is None:
            return content, mistakes
        seen = any(mistake.keys == other.keys for other in mistakes)
        if not seen:
            mistakes.append(mistake)
        if repaired is table:
            repaired = copy.deepcopy(table)
        if seen or len(mistakes) == MOST or not _repair(repaired, kind, mistake):
            return None, mistakes


def _repair(table: dict[str, Any], kind: type[Any], mistake: Mistake) -> bool:
    """Remove an unknown key, or replace a wrong value by a valid one; return False if that is not possible."""
    if not mistake.keys:
        return False
    holder: Any = table
    for key in mistake.keys[:-1]:
        holder = holder[key]
    if mistake.problem == UNKNOWN_KEY:
        del holder[mistake.keys[-1]]
        return True
    right = [sample(each) for each in Shape(kind, mistake.keys).types]
    if not right:
        return False
    holder[mistake.keys[-1]] = right[0]
    return True


def sample(kind: types.Type) -> Any:
    """Return a value that a type accepts, the smallest for ordered types."""
    found: Any = None
    match kind:
        case types.Metadata():
            found = sample(kind.type)
        case types.UnionType():
            found = sample(kind.types[0])
        case types.IntType() | types.FloatType():
            found = kind.ge if kind.ge is not None else kind.gt + 1 if kind.gt is not None else 0
        case types.StrType():
            found = "x" * (kind.min_length or 0)
        case types.LiteralType():
            found = kind.values[0]
        case types.StructType():
            found = {field.encode_name: sample(field.type) for field in kind.fields if field.required}
        case types.VarTupleType() | types.ListType():
            found = [sample(kind.item_type) for _ in range(kind.min_length or 0)]
        case _:
            found = _SAMPLES.get(type(kind))
    return found


_SAMPLES: Final[dict[type[types.Type], object]] = {
    types.BoolType: False, types.DecimalType: "1", types.DateType: date(2000, 1, 1), types.DictType: {},
}  # fmt: skip


def under(keys: Keys, wrong: list[Mistake]) -> bool:
    """Return whether a value lies in a wrong value, or contains one."""
    return any(keys[: len(one.keys)] == one.keys or one.keys[: len(keys)] == keys for one in wrong)
