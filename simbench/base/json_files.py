"""JSON for people and programs, and files that are written completely or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets
from simbench.base.outputs import not_written, replacing

T = TypeVar("T")
MOST_JSON: Final = 64_000_000  # octets of a file that is read as a whole
# What msgspec raises for octets that are not JSON of a type: wrong, not UTF-8, or nested too deeply.
NOT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def indented(value: object, plain: Callable[[Any], Any] | None = None) -> bytes:
    """Return a value as indented JSON without a final line end; `plain` converts types unknown to msgspec."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=plain), indent=2)


def write_octets(path: Path, octets: bytes) -> None:
    """Write a file so that readers see all of it or nothing; links are followed, devices written in place.

    Raises BadInput if the path is unusable or the file is not simbench's to replace, Trouble if the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise not_written(path, problem) from None
    with replacing(path) as part:
        part.write_bytes(octets)


def write_json(path: Path, value: object, plain: Callable[[Any], Any] | None = None) -> None:
    """Write a value as a file of indented JSON. Raises like `write_octets`."""
    write_octets(path, indented(value, plain) + b"\n")


def read_json(path: Path, kind: type[T], place: str, contents: str, error: type[BadInput] = BadInput) -> T:
    """Read a file as `kind`.

    Raises `error` for an unreadable file, with `place` as the expectation, and for one with other contents than
    `contents`.
    """
    try:
        return msgspec.json.decode(read_octets(path, MOST_JSON), type=kind)
    except OSError as problem:
        raise error(str(path), problem.strerror or "cannot be read", place) from None
    except NOT_READ as problem:
        raise error(str(path), str(problem), contents) from None
