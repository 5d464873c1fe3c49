"""Whole numbers as 64 bits without a sign, the same in plain Python and compiled. Draws nothing.

Compiled code that mixes signed and unsigned numbers goes on with signed ones, whose shifts drag the sign along: what
becomes an entity of a draw passes through `word` first.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from simbench.kernels import jit
from simbench.kernels.chance import MASK


def _plain(number: int) -> int:
    return int(number) & MASK


def _unsigned(number: Any) -> Any:
    return np.uint64(number)


class _Word(jit.Kernel[[int], int]):
    """`word(number)`: plain where Python calls it, a mere change of type where compiled code does."""

    def __call__(self, number: int) -> int:
        return int(number) & MASK

    @cached_property
    def compiled(self) -> Any:
        """The form that compiled functions call."""
        if not jit.compiles():
            return _plain
        return jit.compiled(_unsigned)


word = _Word(_plain)
