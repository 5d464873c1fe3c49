"""Kernels that a server loads while it serves: a separate process compiles them, once per version and machine.

Compiling takes the interpreter some ten seconds and more memory than a server needs for everything else, which the
process never gives back. The server only reads the result from the cache on the disk.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from simbench.base.worker_processes import python_module
from simbench.kernels import jit

_LOCK = "compiling.lock"  # one process at a time, because a server needs the processor meanwhile


class Ahead:
    """Kernels that are used together, under a name in the cache. `load` loads them, and compiles them if necessary.

    `python -m MODULE` calls `compile_for_a_server`.
    """

    def __init__(self, name: str, module: str, load: Callable[[], object]) -> None:
        self._name, self._module, self._load = name, module, load

    def is_cached(self) -> bool:
        """Tell whether a process has compiled the kernels."""
        with suppress(OSError):
            return self._mark().exists()
        return False

    def load(self) -> None:
        """Load the kernels, and release the compiler's memory."""
        self._load()
        jit.release_compiler()
        with suppress(OSError):
            self._mark().touch()

    def command(self) -> list[str]:
        """Return the command of the process that compiles. It reads from its standard input, and ends with it."""
        return python_module(self._module)

    def compile_for_a_server(self) -> None:
        """Compile into the cache while the server that started this process lives."""

        def end_with_the_server() -> None:
            os.read(0, 1)  # returns when the server has ended
            os._exit(1)

        threading.Thread(target=end_with_the_server, daemon=True).start()
        with suppress(OSError), (jit.cache_folder() / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if jit.compiles() and not self.is_cached():
                self.load()

    def _mark(self) -> Path:
        return jit.cache_folder() / self._name
