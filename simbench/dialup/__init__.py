"""NetRevenu, the dial-up offer: minutes of calls generated, carried, accounted and settled.

The public functions are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simbench.api.dialup import Settlement, judge, settle, simulate, span

__all__ = ["Settlement", "judge", "settle", "simulate", "span"]


if not TYPE_CHECKING:  # checkers know the names above, and no others

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("simbench.api.dialup"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
