"""Opens the files that users name, and bounds what is read of them at once.

Only regular files are opened: a pipe may never end, and a device may have none. Every reader in the package goes
through here, so that what is refused is refused everywhere.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, AnyStr, BinaryIO, Final

LONGEST_LINE: Final = 1 << 20  # characters or octets; a longer one is none of a table or a log
_KINDS: Final[tuple[tuple[Callable[[int], bool], str], ...]] = (
    (stat.S_ISFIFO, "is a pipe"),
    (stat.S_ISSOCK, "is a socket"),
    (stat.S_ISCHR, "is a device"),
    (stat.S_ISBLK, "is a device"),
)
_INHERITED: Final = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/self/fd/\d+")


def check_input(path: Path) -> None:
    """Raise OSError, with the reason as its text, unless `path` is a regular file. Nothing is opened."""
    try:
        _check(os.stat(path).st_mode, path)
    except ValueError as problem:  # a name with a zero octet, or one that the file system cannot write
        raise OSError(errno.EINVAL, str(problem), str(path)) from None


def open_input(path: Path, *, inherited: bool = False) -> BinaryIO:
    """Open a regular file for reading. Raises OSError, with the reason as its text, for anything else.

    `inherited`: also a pipe or device that the caller of the program has opened, as `/dev/stdin` or `/dev/fd/63`; for
    readers that read once, from the beginning to the end.
    """
    if inherited and _INHERITED.fullmatch(str(path)):
        return path.open("rb")
    check_input(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # should it become a pipe meanwhile
    try:
        _check(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_octets(path: Path, most: int, *, inherited: bool = False) -> bytes:
    """Read a whole regular file of at most `most` octets. Raises OSError as `open_input`, and for a larger one."""
    with open_input(path, inherited=inherited) as file:
        octets = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if octets is None or len(octets) > most:
        raise OSError(errno.EFBIG, f"has more than {most:,} octets", str(path))
    return octets


def bounded_lines(file: IO[AnyStr]) -> Iterator[AnyStr]:
    """Iterate over the lines of a file, with their ends. Raises OSError for one longer than `LONGEST_LINE`."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise OSError(errno.EFBIG, f"line {number} has more than {LONGEST_LINE:,} characters", _name(file))
        yield line


def _check(mode: int, path: Path) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    problem = next((said for of_kind, said in _KINDS if of_kind(mode)), "is no file")
    raise OSError(errno.EINVAL, problem, str(path))


def _name(file: IO[Any]) -> str:
    return str(getattr(file, "name", ""))
