"""Figures on a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """One picture: its conclusion as a heading, the SVG element, and a note on how to read it."""

    heading: str
    svg: str
    note: str = ""
