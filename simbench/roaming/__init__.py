"""EU roaming: fair-use envelopes and what they cost.

The public functions are loaded when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simbench.api.roaming import Travels, allowance, judge, simulate

__all__ = ["Travels", "allowance", "judge", "simulate"]


if not TYPE_CHECKING:  # checkers know the names above, and no others

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("simbench.api.roaming"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
