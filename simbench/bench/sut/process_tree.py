"""Memory of a program and its descendants, and how long they waited for a processor, as the kernel reports them.

The descendants are found through the children of each process: a scan of all processes would make the SMSC late.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


def tree_rss_kib(parent: int, proc: Path = PROC) -> int:
    """Resident memory (KiB) of a process and its descendants."""
    total = 0
    for place in _tree(parent, proc):
        with suppress(OSError, IndexError):  # the process has just ended
            total += int((place / "statm").read_text("ascii").split()[1])
    return total * (os.sysconf("SC_PAGE_SIZE") // 1024)


def processor_wait_s(parent: int, proc: Path = PROC) -> float:
    """The longest time (s) for which a thread of a process or of a descendant was ready and had no processor."""
    longest = 0
    for place in _tree(parent, proc):
        for thread in place.glob("task/*/schedstat"):
            with suppress(OSError, IndexError, ValueError):
                longest = max(longest, int(thread.read_text("ascii").split()[1]))
    return longest / 1e9


def _tree(parent: int, proc: Path) -> Iterator[Path]:
    """The folder of a process and of each descendant."""
    wanted = [parent]
    while wanted:
        place = proc / str(wanted.pop())
        yield place
        for thread in place.glob("task/*/children"):
            with suppress(OSError):
                wanted += map(int, thread.read_text("ascii").split())
