"""The end of a command when a file that it has mapped becomes shorter: one line instead of the system's signal.

The octets of a mapped file that no longer exist cannot be read, and the system sends SIGBUS to whoever reads them. A
handler in Python would run only after the read, which never succeeds; this one is called from the signal itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

LINE: Final = b"simbench: a file became shorter while it was read; expected files that nobody changes meanwhile\n"
WRONG_INPUT: Final = 2

_is_command = False
_installed: list[Any] = []  # the library, the handler (which must not be collected), and the handler before


@contextmanager
def commands_report() -> Iterator[None]:
    """Let `before_mapping` install the handler within the block: the process belongs to the command."""
    global _is_command  # noqa: PLW0603 - a signal is a matter of the process
    _is_command = True
    try:
        yield
    finally:
        _is_command = False
        if _installed:
            system, _, before = _installed
            system.signal(signal.SIGBUS, before)
            _installed.clear()


def before_mapping() -> None:
    """Install the handler if a command runs and has none."""
    if not _is_command or _installed:
        return
    import ctypes  # noqa: PLC0415 - slow to load, for commands that map nothing

    system = ctypes.CDLL(None)
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(_end)
    system.signal.restype, system.signal.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p]
    _installed[:] = system, handler, system.signal(signal.SIGBUS, ctypes.cast(handler, ctypes.c_void_p))


def _end(_number: int) -> None:
    os.write(2, LINE)
    os._exit(WRONG_INPUT)


__all__ = ["before_mapping", "commands_report"]
