"""NetRevenu, the dial-up offer: minutes of calls generated, carried, accounted and settled.

The public functions are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbench.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from simbench.dialup.public import Settlement, judge, settle, simulate, span

__all__ = ["Settlement", "judge", "settle", "simulate", "span"]


if not TYPE_CHECKING:  # checkers know the names above, and no others
    __getattr__, __dir__ = lazy_names(__name__, {"simbench.dialup.public": __all__})
