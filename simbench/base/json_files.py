"""JSON for people and programs, and files that are written whole or not at all. Knows no particular document."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from simbench.base.errors import BadInput, SimbenchError, Trouble

T = TypeVar("T")

# What the machine does not give; whatever else keeps a file from being written is wrong with the path.
ROOMLESS: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


def indented(value: object, plain: Callable[[Any], Any] | None = None) -> bytes:
    """A value as indented JSON without a last line end; `plain` turns what msgspec does not know into what it does."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=plain), indent=2)


def write_octets(path: Path, octets: bytes) -> None:
    """Write a file so that readers see all of it or none; through a link, and into a device, as it is.

    Raises BadInput when there can be no such file, Trouble when there is no room for it.
    """
    part = path.parent / f"{path.name}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(octets)
            return
        try:
            part.write_bytes(octets)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise not_written(path, problem) from None


def not_written(path: Path, problem: OSError) -> SimbenchError:
    """What to raise for a file that could not be written: Trouble when there is no room for it, else BadInput."""
    what = problem.strerror or str(problem)
    if problem.errno in ROOMLESS:
        return Trouble(f"{path}: {what}")
    return BadInput(str(path), what, "a file that can be written")


def write_json(path: Path, value: object, plain: Callable[[Any], Any] | None = None) -> None:
    """Write a value as a file of indented JSON. Raises as `write_octets`."""
    write_octets(path, indented(value, plain) + b"\n")


def read_json(path: Path, kind: type[T], place: str, contents: str, error: type[BadInput] = BadInput) -> T:
    """Read a file as `kind`.

    Raises `error` for a file that cannot be read, of which `place` says what was expected, and for one that says
    something else than `contents`.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as problem:
        raise error(str(path), problem.strerror or "cannot be read", place) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise error(str(path), str(problem), contents) from None
