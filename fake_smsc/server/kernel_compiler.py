"""`python -m fake_smsc.server.kernel_compiler`: compile the kernels into the cache, unless another process does.

Ends as soon as its standard input does, that is with the process that started it.
"""

from __future__ import annotations

import fcntl
import os
import sys
import threading

from fake_smsc.fast import compiled
from simbench.kernels import jit

LOCK = "lock"  # file in the cache's folder


def main() -> None:
    """Wait for the lock of the cache, and compile what is not in it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with (jit.cache_folder() / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not compiled.is_cached():
            compiled.load()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
