"""The change of type that compiled code makes of `words.word`."""

from __future__ import annotations

from typing import Any

import numpy as np


def unsigned(number: Any) -> Any:
    """Return an integer as an unsigned 64-bit number."""
    return np.uint64(number)
