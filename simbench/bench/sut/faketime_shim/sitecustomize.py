"""Makes `time.sleep` work in Python programs under libfaketime. Imported by them at their start, never by the bench.

From 3.11 on Python sleeps until an absolute deadline of the monotonic clock. libfaketime 0.9.10 treats this as a
deadline of the civil clock, and `time.sleep` fails with EINVAL. It does not change `select`.
"""

from __future__ import annotations

import select
import sys
import time
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    """Replace `time.sleep`."""
    seconds = seconds if isinstance(seconds, float) else seconds.__index__()
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select((), (), (), seconds)


try:
    time.sleep(1e-6)
except OSError:
    time.sleep = _sleep

# The program's own sitecustomize, if any, is imported as well.
_elsewhere = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]
_theirs = PathFinder.find_spec("sitecustomize", _elsewhere)
if _theirs is not None and _theirs.loader is not None:
    _theirs.loader.exec_module(module_from_spec(_theirs))
