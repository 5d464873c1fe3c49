"""The folder of compiled code. Whatever lies in it is executed, so nobody but its owner may write there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def private_folder(name: str) -> Path:
    """Return the user's private folder of this name: in the cache of the user, else in a folder for temporary files.

    Both are created if necessary. Raises OSError if no folder can be created.
    """
    for parent in (*_in_the_cache(), *_among_temporary_files()):
        with suppress(OSError):
            _close(parent)
            return _made(parent / name)
    return _made(Path(mkdtemp(prefix=f"{_prefix()}-")) / name)


def _in_the_cache() -> Iterator[Path]:
    given = os.environ.get("XDG_CACHE_HOME")
    with suppress(RuntimeError, OSError):  # the user has no home, or it cannot be written
        home = Path(given) if given else Path("~/.cache").expanduser()
        home.mkdir(parents=True, exist_ok=True)
        yield home / "simbench"


def _among_temporary_files() -> Iterator[Path]:
    """Return the folders that this user may have created: others can create the first one, but not in our name."""
    place = Path(gettempdir())
    yield place / _prefix()
    yield from sorted(place.glob(f"{_prefix()}-*"))


def _prefix() -> str:
    return f"simbench-{os.getuid()}"


def _close(parent: Path) -> None:
    """Create a folder, or keep others from writing to an existing one: what is in it is checked by itself."""
    mode = _own(parent)
    if mode & _OTHERS:
        parent.chmod(mode & ~_OTHERS)


def _made(folder: Path) -> Path:
    """Create a folder unless it exists. Raises OSError if others could have written to it."""
    if _own(folder) & _OTHERS or not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} is not private")
    return folder


def _own(folder: Path) -> int:
    """Create a folder unless it exists; return its mode. Raises OSError if it is a link or belongs to others."""
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is not private")
    return stat.S_IMODE(found.st_mode)


__all__ = ["private_folder"]
