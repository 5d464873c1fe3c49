"""How to read a table: a mapping of columns and words, an encoding, and the mapping file that sets them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice, label, read_toml, shown


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to read one kind of table.

    `columns` maps our column names to headings of the table, such as `start = "Début"`. `values` maps, for each of our
    columns, words of the table to our words, such as `planned = { oui = "true" }`. `defaults` gives values for empty
    cells and missing columns.

    `time` is a `strptime` pattern (empty: ISO 8601 or seconds since 1970), `tz` the zone of times without one, such as
    "Europe/Paris". `encoding` and `delimiter` are detected if empty; a byte-order mark and a `sep=` line take
    precedence over them. `sheet` is the sheet of a workbook (empty: the first).
    """

    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str] = {}
    delimiter: str = ""
    encoding: Literal["", "utf-8", "latin-1", "cp1252", "utf-16"] = ""
    time: str = ""
    tz: str = ""
    sheet: str = ""


UNMAPPED: Final = Columns()
"""For tables of a kind that no mapping file describes."""
MAPPED: Final = ", or a mapping file (--map)"


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file: one mapping for each kind of table."""

    outages: Columns = Columns()
    traffic: Columns = Columns()
    probes: Columns = Columns()


def read_mapping(path: Path | None, known: Mapping[str, Iterable[str]]) -> MappingFile:
    """Read a mapping file; `known` lists our columns of each kind. Raises BadInput for an unknown column."""
    if path is None:
        return MappingFile()
    mapping = read_toml(path, MappingFile, BadInput)
    for kind, names in known.items():
        _check(getattr(mapping, kind), list(names), f"{label(path)}: {kind}")
    return mapping


def _check(columns: Columns, names: list[str], place: str) -> None:
    for table in ("columns", "values", "defaults"):
        for name in getattr(columns, table):
            if name not in names:
                raise BadInput(f"{place}.{table}.{name}", "no such column", choice(name, names))
    if len(columns.delimiter) > 1:
        raise BadInput(f"{place}.delimiter", f"is {shown(columns.delimiter)}", "one character")


def folded(text: str) -> str:
    """Return a heading or word for comparison: case, width, apostrophes and runs of spaces are ignored."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").casefold().split())


def places_of(names: list[str], wanted: Iterable[str], mapping: Columns, path: Path) -> dict[str, int]:
    """Return the positions of our columns in a table, for those of `wanted` that it has.

    An exact heading takes precedence over one that differs in case. Raises BadInput for a wanted heading that occurs
    twice.
    """
    exact, alike = _by_name(names), _by_name([folded(name) for name in names])
    found = {}
    for ours in wanted:
        theirs = mapping.columns.get(ours, ours)
        places = exact.get(theirs) or alike.get(folded(theirs), [])
        if len(places) > 1:
            raise BadInput(label(path), f"{len(places)} columns are called {shown(theirs)}", "each name used once")
        if places:
            found[ours] = places[0]
    return found


def _by_name(names: list[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return places


def check_needed(found: Mapping[str, int], needed: Iterable[str], mapping: Columns, path: Path) -> None:
    """Raise BadInput for a required column that the table has neither as a column nor as a default."""
    for name in needed:
        if name not in found and name not in mapping.defaults:
            problem = f"no column {shown(mapping.columns.get(name, name))}"
            raise BadInput(label(path), problem, f"one for {name}" + ("" if mapping is UNMAPPED else MAPPED))
