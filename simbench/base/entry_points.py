"""Clients, rules, contracts and reports of other installed packages, found by entry points.

A package that cannot be loaded is a mistake of the installation: one line that names it.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from simbench.base.errors import BadInput


def shipped(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name. Raises BadInput where two packages ship different things of one name."""
    found: dict[str, EntryPoint] = {}
    for one in entry_points(group=group):
        other = found.setdefault(one.name, one)
        if other.value != one.value:
            problem = f"its {group} {one.name!r} is also one of {place_of(other)}"
            raise BadInput(place_of(one), problem, "one of the two")
    return found


def loaded(entry: EntryPoint) -> Any:
    """The object that an entry point names. Raises BadInput with its package for any failure."""
    try:
        return entry.load()
    except Exception as error:  # of a package of somebody else's
        said = (str(error).splitlines() or [""])[0]
        problem = f"its entry point {entry.name} = {entry.value} of {entry.group} cannot be loaded"
        raise BadInput(place_of(entry), f"{problem}: {type(error).__name__}: {said}", "a package that works") from None


def place_of(entry: EntryPoint) -> str:
    """The package of an entry point, as an error names it."""
    return f"package {entry.dist.name if entry.dist is not None else 'unknown'}"
