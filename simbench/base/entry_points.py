"""Finds clients, rules, contracts and reports of other installed packages by their entry points.

A package that cannot be loaded raises BadInput, which names the package.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from simbench.base.errors import BadInput


def shipped(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name.

    Raises BadInput if two packages use one name for different objects.
    """
    found: dict[str, EntryPoint] = {}
    for one in entry_points(group=group):
        other = found.setdefault(one.name, one)
        if other.value != one.value:
            problem = f"its {group} {one.name!r} is also one of {place_of(other)}"
            raise BadInput(place_of(one), problem, "one of the two")
    return found


def loaded(entry: EntryPoint) -> Any:
    """Load the object an entry point names. Raises BadInput, which names the package, for any failure."""
    try:
        return entry.load()
    except Exception as error:  # code of another package may raise anything
        said = (str(error).splitlines() or [""])[0]
        problem = f"its entry point {entry.name} = {entry.value} of {entry.group} cannot be loaded"
        raise BadInput(place_of(entry), f"{problem}: {type(error).__name__}: {said}", "a package that works") from None


def place_of(entry: EntryPoint) -> str:
    """Return the package of an entry point as errors name it."""
    return f"package {entry.dist.name if entry.dist is not None else 'unknown'}"
