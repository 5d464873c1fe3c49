"""Protects the user's files: simbench replaces or removes only files it wrote itself.

An output folder has a manifest, `.simbench`. Each line names a file and the SHA-256 of what was written into it, or
`-` for a file that grows during a run. A file with any other content belongs to the user.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from itertools import count
from pathlib import Path
from stat import S_IMODE
from typing import IO, Any, Final

from simbench.base.errors import BadInput, SimbenchError, Trouble
from simbench.base.inputs import read_octets

MANIFEST: Final = ".simbench"
GROWS: Final = "-"
OWNER_ONLY: Final = 0o600  # mode of new files, which hold numbers and texts of people
_GONE: Final = "removed"
_MOST_LISTED: Final = 64_000_000  # octets of a manifest; one that has more lists nothing of ours
_HEAD: Final = "# simbench replaces and removes only these files, while they are as it wrote them (SHA-256).\n"
# Errors that mean a resource is lacking; any other error in writing means that the path is wrong.
ROOMLESS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


def not_written(path: Path, problem: OSError) -> SimbenchError:
    """Return the error for a file that could not be written: Trouble if the disk is full, else BadInput."""
    what = problem.strerror or str(problem)
    if problem.errno in ROOMLESS:
        return Trouble(f"{path}: {what}")
    return BadInput(str(path), what, "a file that can be written")


def not_usable(problem: OSError) -> SimbenchError:
    """Return the error for a path the system refuses: Trouble for lack of a resource, else BadInput."""
    path, what = ascii(os.fsdecode(problem.filename))[1:-1], problem.strerror or str(problem)
    return Trouble(f"{path}: {what}") if problem.errno in ROOMLESS else BadInput(path, what, "a path that can be used")


# Folders -------------------------------------------------------------------------------------------------------------


def check_folder(folder: Path, place: str = "-o", error: type[BadInput] = BadInput) -> None:
    """Raise `error` unless the folder may be used for output: new, empty, or written by simbench before."""
    try:
        foreign = next(iter(sorted(each.name for each in folder.iterdir())), "")
        if not foreign or (folder / MANIFEST).is_file():
            return
    except FileNotFoundError:
        return
    except OSError as problem:
        raise error(f"{place} {folder}", problem.strerror or str(problem), "a folder that can be written") from None
    raise error(f"{place} {folder}", f"holds {foreign}, which simbench did not write", "a new or empty folder")


def claim(folder: Path, place: str = "-o", error: type[BadInput] = BadInput) -> None:
    """Create an output folder. Raises like `check_folder`, and like `not_written` if it cannot be created."""
    check_folder(folder, place, error)
    adopt(folder)


def adopt(folder: Path) -> None:
    """Start the manifest of a folder that simbench wrote without one, such as a run; its files stay protected."""
    try:
        own_folder(folder)
        with suppress(FileExistsError), owned(folder / MANIFEST, "x", encoding="utf-8") as manifest:
            manifest.write(_HEAD)
    except OSError as problem:
        raise not_written(folder, problem) from None


def own_folder(folder: Path) -> None:
    """Create a folder, and the parents it lacks, that only their owner can read. Raises OSError."""
    lacking = [each for each in folder.parents if not each.exists()]
    for each in (*reversed(lacking), folder):
        each.mkdir(OWNER_ONLY | 0o100, exist_ok=True)


# Files ---------------------------------------------------------------------------------------------------------------


def owned(path: Path, mode: str, **options: Any) -> IO[Any]:
    """Open a file as `open` does; if it is new, only its owner can read it."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, OWNER_ONLY), **options)


@contextmanager
def replacing(path: Path, *, edited: bool = False) -> Iterator[Path]:
    """Yield a new file beside `path` that replaces it, completely or not at all, when the block ends.

    Links are followed; devices and pipes are written in place. `edited`: the file was read, and its owner requested
    the change. Raises BadInput if `path` is not simbench's to replace, else like `not_written`.
    """
    try:
        if path.exists() and not path.is_file():
            yield path
            return
        target = path.resolve() if path.is_symlink() else path
        if not edited:
            check_file(target)
        existed, part = target.exists(), _fresh(target.parent)
        if existed and edited:
            part.chmod(S_IMODE(target.stat().st_mode))
        try:
            yield part
            _put(part, target, over=existed)
        finally:
            part.unlink(missing_ok=True)
    except OSError as problem:
        raise not_written(path, problem) from None


def check_file(path: Path) -> None:
    """Raise BadInput if the file exists and simbench did not write it, or it was changed since."""
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return
    known = _known(path)
    if known and (GROWS in known or (path.is_file() and _digest(path) in known)):
        return
    problem = "was changed since simbench wrote it" if known else "exists, and simbench did not write it"
    raise BadInput(str(path), problem, "another name, or that file moved away")


def record(path: Path) -> None:
    """Record a file that a library wrote under its final name. Raises like `not_written`."""
    try:
        _record(path, _digest(path))
    except OSError as problem:
        raise not_written(path, problem) from None


def grow(path: Path) -> None:
    """Record a growing file, which has no digest, before it is created. Raises like `check_file`."""
    check_file(path)
    try:
        _record(path, GROWS)
    except OSError as problem:
        raise not_written(path, problem) from None


def remove(path: Path) -> None:
    """Remove a file if simbench wrote it and it is unchanged; otherwise keep it."""
    known = _known(path)
    if known and path.is_file() and (GROWS in known or _digest(path) in known):
        path.unlink()
        _record(path, _GONE)


def remove_folder(folder: Path, *names: str) -> None:
    """Remove the listed files (or `names`) from a folder with a manifest, then the folder if it is empty."""
    for name in names or _lines(folder / MANIFEST):
        remove(folder / name)
    with suppress(OSError):  # the folder does not exist
        if [each.name for each in folder.iterdir()] == [MANIFEST]:
            (folder / MANIFEST).unlink()
            folder.rmdir()


# Manifests -----------------------------------------------------------------------------------------------------------


def _fresh(folder: Path) -> Path:
    """Create an empty file with a new name."""
    for number in count():
        part = folder / f"{MANIFEST}-{os.getpid()}-{number}"
        with suppress(FileExistsError):
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
            return part
    raise AssertionError("numbers do not end")


def _put(part: Path, target: Path, *, over: bool) -> None:
    _record(target, _digest(part))  # first, so that after a kill in between both contents are recorded
    if over:
        part.replace(target)
        return
    try:
        os.link(part, target)  # unlike renaming, this cannot overwrite a file created meanwhile
    except OSError as problem:
        if problem.errno not in _NO_LINKS:
            raise
        part.replace(target)


def _home(path: Path) -> Path | None:
    """Return the nearest parent folder with a manifest."""
    return next((each for each in path.absolute().parents if (each / MANIFEST).is_file()), None)


def _record(path: Path, digest: str) -> None:
    home = _home(path)
    if home is None or digest in _known(path):
        return
    with (home / MANIFEST).open("a", encoding="utf-8") as manifest:  # one line at a time, for concurrent writers
        manifest.write(f"{digest}  {path.absolute().relative_to(home)}\n")


def _known(path: Path) -> set[str]:
    """Return the digests recorded for a file since it was last removed."""
    home = _home(path)
    return _lines(home / MANIFEST).get(str(path.absolute().relative_to(home)), set()) if home else set()


def _lines(manifest: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with suppress(OSError):
        for line in read_octets(manifest, _MOST_LISTED).decode("utf-8", "replace").splitlines():
            digest, _, name = line.partition("  ")
            if digest == _GONE:
                found.pop(name, None)
            elif name and not line.startswith("#"):
                found.setdefault(name, set()).add(digest)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
