"""Integers as unsigned 64-bit numbers, the same in plain Python and compiled.

Compiled code that mixes signed and unsigned numbers continues with signed ones, whose shifts extend the sign: entities
of draws pass through `word` first.
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
    """`word(number)`: the number modulo 2^64 in Python, only a change of type in compiled code."""

    def __call__(self, number: int) -> int:
        return int(number) & MASK

    @cached_property
    def compiled(self) -> Any:
        """The form called by compiled functions."""
        if not jit.compiles():
            return _plain
        return jit.compiled(_unsigned)


word = _Word(_plain)
