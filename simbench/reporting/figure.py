"""A figure on a page: its conclusion in words, the SVG element, a note."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """One picture: the conclusion in words, the SVG element, and what to know when reading it."""

    heading: str
    svg: str
    note: str = ""
