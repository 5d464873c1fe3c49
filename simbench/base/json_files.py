"""JSON for people and programs, and files that are written whole or not at all. Knows no particular document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.outputs import not_written, replacing

T = TypeVar("T")


def indented(value: object, plain: Callable[[Any], Any] | None = None) -> bytes:
    """A value as indented JSON without a last line end; `plain` turns what msgspec does not know into what it does."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=plain), indent=2)


def write_octets(path: Path, octets: bytes) -> None:
    """Write a file so that readers see all of it or none; through a link, and into a device, as it is.

    Raises BadInput when there can be no such file or it is not simbench's to replace, Trouble when there is no room.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise not_written(path, problem) from None
    with replacing(path) as part:
        part.write_bytes(octets)


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
