"""Reads tables given in Python instead of a TOML file, with the same types, checks and errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from os import PathLike, fspath
from typing import Any, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import as_typed

T = TypeVar("T")


def built(kind: type[T], tables: Mapping[str, Any], error: type[BadInput], place: str) -> T:
    """Return a struct built from tables by name, without those that are None.

    Raises `error` like the reader of a file.
    """
    given = {name: plain(value) for name, value in tables.items() if value is not None}
    return as_typed(given, kind, error, lambda _keys: place)


def plain(value: Any) -> Any:
    """Convert a value to what TOML can hold: structs and mappings to tables, sequences to lists, times to ISO 8601."""
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return fspath(value) if isinstance(value, PathLike) else value
