"""JSON for people and programs, and files that are written whole or not at all. Knows no particular document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from simbench.errors import BadInput

T = TypeVar("T")


def indented(value: object, plain: Callable[[Any], Any] | None = None) -> str:
    """A value as indented JSON without a last line end; `plain` turns what msgspec does not know into what it does."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=plain), indent=2).decode()


def write_octets(path: Path, octets: bytes) -> None:
    """Write a file so that readers see all of it or none. Raises BadInput when it cannot be written."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(octets)
        part.replace(path)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a file that can be written") from None


def write_json(path: Path, value: object, plain: Callable[[Any], Any] | None = None) -> None:
    """Write a value as a file of indented JSON. Raises BadInput when it cannot be written."""
    write_octets(path, f"{indented(value, plain)}\n".encode())


def read_json(path: Path, kind: type[T], place: str, contents: str, error: type[BadInput] = BadInput) -> T:
    """Read a file as `kind`. Raises `error`, which expects `place` where there is no file and `contents` of one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as problem:
        raise error(str(path), problem.strerror or "cannot be read", place) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise error(str(path), str(problem), contents) from None
