"""EU roaming: fair-use envelopes and their costs.

The public functions are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbench.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from simbench.roaming.public import Travels, allowance, judge, simulate

__all__ = ["Travels", "allowance", "judge", "simulate"]


if not TYPE_CHECKING:  # checkers know the names above, and no others
    __getattr__, __dir__ = lazy_names(__name__, {"simbench.roaming.public": __all__})
