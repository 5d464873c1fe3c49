"""Looking keys up in the cells of a `Table`, for compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from simbench.kernels.table import HEAD, PROBES, SPARSE


def home_of(cells: Any, key: Any) -> Any:
    """Return the index in `cells` at which a key (a word) is sought first."""
    return HEAD + 2 * np.int64((key * cells[1]) >> cells[2])


def cell_of(cells: Any, key: Any) -> Any:
    """Return the index in `cells` of a key (a word), or the index of the cell for it, negated; 0: no cell near enough.

    For compiled code. The value is in the next cell.
    """
    at = home_of(cells, key)
    for _ in range(PROBES):
        held = cells[at]
        if held == key:
            return at
        if held == 0:
            return -at
        at += 2
        if at == len(cells):
            at = HEAD
    return 0


def held_at(cells: Any, key: Any) -> Any:
    """Return the value of a key (a word), 0 if there is none. For compiled code."""
    cell = cell_of(cells, key)
    return np.int64(cells[cell + 1]) if cell > 0 else np.int64(0)


def is_full(cells: Any) -> Any:
    """Tell whether another key needs more cells. For compiled code."""
    return (np.int64(cells[0]) + 1) * SPARSE > (len(cells) - HEAD) // 2
