"""How a command runs its event loop, and threads and processes beside it."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
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


async def run_beside(command: Sequence[str]) -> None:
    """Run a command silently in a process of its own until it ends. When cancelled, the process is killed.

    Its standard input is a pipe that ends with this process.
    """
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet)
    try:
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()


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


class _SwitchInterval:
    """The interval of the interpreter's threads: the shortest of those wanted at present."""

    def __init__(self) -> None:
        self._lock, self._wanted, self._before_s = threading.Lock(), list[float](), 0.0

    def want(self, seconds: float) -> None:
        """Count one that wants this interval; the first one keeps the present interval."""
        with self._lock:
            if not self._wanted:
                self._before_s = sys.getswitchinterval()
            self._wanted.append(seconds)
            sys.setswitchinterval(min(self._wanted))

    def leave(self, seconds: float) -> None:
        """Count one less; the last one restores the interval."""
        with self._lock:
            self._wanted.remove(seconds)
            sys.setswitchinterval(min(self._wanted, default=self._before_s))


_INTERVAL: Final = _SwitchInterval()


@contextmanager
def quick_switches(seconds: float) -> Iterator[None]:
    """Within the block a thread keeps the interpreter from the others for `seconds` at most. Blocks may overlap."""
    _INTERVAL.want(seconds)
    try:
        yield
    finally:
        _INTERVAL.leave(seconds)
