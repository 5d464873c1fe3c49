"""Lists of phone numbers in files: one number per line, or a column of a table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import label, shown
from simbench.numbering.plan import NumberingPlan
from simbench.tables.columns import folded
from simbench.tables.reader import read_records
from simbench.tables.rows import RejectedRow, check_rejected

HEADINGS: Final = frozenset(
    {"number", "msisdn", "recipient", "phone", "mobile", "to", "numero", "numéro", "destinataire", "telephone",
     "téléphone", "portable"}
)  # fmt: skip
"""Headings of the column with the numbers."""


class Numbers(msgspec.Struct, frozen=True):
    """Canonical numbers, and the rejected rows."""

    numbers: frozenset[str]
    notes: tuple[RejectedRow, ...] = ()


def listed(written: Iterable[str], plan: NumberingPlan, place: str) -> Numbers:
    """Return the numbers listed in a file of campaigns. Raises BadInput for the first invalid one."""
    found = set()
    for number, text in enumerate(written):
        one = plan.read(text)
        if one is None:
            raise BadInput(f"{place}[{number}]", f"{shown(text)} is not a number", "a telephone number")
        found.add(one)
    return Numbers(frozenset(found))


def read_numbers(path: Path, plan: NumberingPlan) -> Numbers:
    """Read a list. Its first record may be headings; a row that is not a number is rejected with its line.

    Raises BadInput if the file cannot be read or contains no number.
    """
    found: set[str] = set()
    notes: list[RejectedRow] = []
    columns: list[int] | None = None
    for place, (line, cells) in enumerate(read_records(path, HEADINGS)):
        if isinstance(cells, RejectedRow):
            notes.append(cells)
            check_rejected(path, len(notes), len(found), notes[0])
            continue
        if columns is None:
            columns = _columns(cells, plan)
            if place == 0 and not any(character.isdigit() for cell in cells for character in str(cell)):
                columns = columns or None
                continue  # headings
        written = [cells[one] for one in columns or [0] if one < len(cells)]
        for cell in written:
            numbers = _numbers(cell, plan)
            found.update(numbers)
            if not numbers and str(cell or "").strip():
                notes.append(RejectedRow(line, f"{label(path)}: {shown(str(cell))} is not a valid phone number"))
                check_rejected(path, len(notes), len(found), notes[0])
    if notes and not found:
        raise BadInput(label(path), f"none of {len(notes)} lines is a telephone number: {notes[0]}")
    return Numbers(frozenset(found), tuple(notes))


def _columns(cells: list[Any], plan: NumberingPlan) -> list[int]:
    """Return the columns that hold numbers, by the headings or by the first record with numbers; none if unknown."""
    named = [place for place, cell in enumerate(cells) if folded(str(cell)) in HEADINGS]
    return named[:1] or [place for place, cell in enumerate(cells) if _numbers(cell, plan)]


def _numbers(cell: Any, plan: NumberingPlan) -> list[str]:
    """Return the numbers in one cell: one, or several separated by spaces; none if anything else is in it."""
    one = None if cell is None else plan.read(cell)
    if one is not None:
        return [one]
    several = [plan.read(part) for part in str(cell or "").split()]
    return [number for number in several if number is not None] if None not in several else []
