"""The functions of `chance` over arrays: the same numbers bit by bit, at a tenth of the cost.

Arrays are of numpy's uint64, whose arithmetic is modulo 2^64 like that of `chance`. For code that draws many numbers at
once and cannot wait for a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from simbench.kernels import chance

Words = NDArray[np.uint64]

_GAMMA, _FIRST, _SECOND = (np.uint64(word) for word in (chance.GAMMA, chance.FIRST, chance.SECOND))
_1, _16, _27, _30, _31, _32 = (np.uint64(bits) for bits in (1, 16, 27, 30, 31, 32))
_FRACTION: Final = np.uint64(0xFFFF)


def mixed(words: Words) -> Words:
    """`chance.mixed` of each."""
    words = words + _GAMMA
    words = (words ^ (words >> _30)) * _FIRST
    words = (words ^ (words >> _27)) * _SECOND
    return words ^ (words >> _31)


def draws(key: int, entities: Words) -> Words:
    """`chance.draw_with` of each."""
    return mixed(entities ^ np.uint64(key))


def quantile_table(table: Sequence[int]) -> Words:
    """Return a table of quantiles (not negative) in the form `quantiles` needs: with its last entry repeated."""
    return np.array([*table, table[-1]], np.uint64)


def quantiles(law: Words, drawn: Words) -> Words:
    """`chance.quantile` of each, with a table made by `quantile_table`."""
    place = (drawn >> _32) * np.uint64(len(law) - 2)
    index = place >> _32
    low = law[index]
    step = law[index + _1] - low
    return cast(Words, low + (step * ((place >> _16) & _FRACTION) >> _16))
