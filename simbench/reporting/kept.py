"""Collects the figures of a page by name while they are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KEPT: ContextVar[dict[str, Figure] | None] = ContextVar("kept figures", default=None)


@contextmanager
def keeping_figures() -> Iterator[dict[str, Figure]]:
    """Collect the figures drawn within the block; the second figure of a name gets the suffix 2, and so on."""
    found: dict[str, Figure] = {}
    token = _KEPT.set(found)
    try:
        yield found
    finally:
        _KEPT.reset(token)


def keep(name: str, figure: Figure) -> None:
    """Add a figure to the collection, if there is one."""
    found = _KEPT.get()
    if found is None:
        return
    number, unique = 2, name
    while unique in found:
        number, unique = number + 1, f"{name}-{number}"
    found[unique] = figure
