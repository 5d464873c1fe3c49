"""Integers as unsigned 64-bit numbers, the same in plain Python and compiled.

Compiled code that mixes signed and unsigned numbers continues with signed ones, whose shifts extend the sign: entities
of draws pass through `word` first.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from simbench.kernels import jit
from simbench.kernels.chance import MASK


def _plain(number: int) -> int:
    return int(number) & MASK


class _Word(jit.Kernel[[int], int]):
    """`word(number)`: the number modulo 2^64 in Python, only a change of type in compiled code."""

    def __call__(self, number: int) -> int:
        return int(number) & MASK

    @cached_property
    def compiled(self) -> Any:
        """The form called by compiled functions."""
        if not jit.compiles():
            return _plain
        from simbench.kernels.unsigned import unsigned  # noqa: PLC0415 - numpy, which a small server does without

        return jit.compiled(unsigned)


word = _Word(_plain)
