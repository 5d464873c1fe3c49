"""The lock of a run folder, for one writer at a time; the kernel releases it when the process ends or is killed."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from simbench.base.errors import LedgerError
from simbench.base.outputs import grow

NAME: Final = "run.lock"
_held: set[Path] = set()  # folders this process writes


class FolderLock:
    """The exclusive lock of one run folder, from `take_lock` until `release`."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder, self._descriptor = folder, descriptor
        _held.add(folder.resolve())

    def release(self) -> None:
        """Release the lock. The file stays, because after its removal two processes could hold the lock at once."""
        if self._descriptor >= 0:
            with suppress(OSError):  # a process that is just being started has the file open, too, and would keep it
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = -1
            _held.discard(self.folder.resolve())


def take_lock(folder: Path) -> FolderLock:
    """Lock an existing run folder. Raises LedgerError while any program, this one included, writes it, and OSError."""
    grow(folder / NAME)
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(descriptor)
        if isinstance(problem, BlockingIOError):
            raise _busy(folder) from None
        raise
    return FolderLock(folder, descriptor)


def check_ended(folder: Path) -> None:
    """Raise LedgerError while a program writes the run in this folder."""
    try:
        descriptor = os.open(folder / NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return  # a copy of a run need not have one
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(folder) from None
    except OSError:
        return  # a file system without locks
    finally:
        os.close(descriptor)


def _busy(folder: Path) -> LedgerError:
    if folder.resolve() in _held:
        return LedgerError(str(folder), "this program is still writing it", "a snapshot of its ledger")
    return LedgerError(str(folder), "another program is writing it", "a run that has ended")
