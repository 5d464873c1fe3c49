"""How a command runs its event loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from simbench.base.extras import missing

T = TypeVar("T")
SPARED: Final = (200_000, 100, 100)  # thresholds of garbage collection while serving


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a new event loop: uvloop's, two to four times as fast, if the extra `fast` is installed."""
    if "uvloop" in missing("fast"):
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415 - optional

    return uvloop.run(main)


@contextmanager
def sparing_collector() -> Iterator[None]:
    """Collect garbage rarely within the block: rows and messages are many and contain no cycles.

    With the interpreter's defaults a busy server spends a third of its time collecting garbage. After the block, all
    objects are collected again, as libraries expect when the process ends.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SPARED)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
