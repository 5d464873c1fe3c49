"""JSON for people and programs, and files that are written completely or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets
from simbench.base.outputs import not_written, own_folder, replacing
from simbench.base.terminal import escaped, harmless

T = TypeVar("T")
_STEERING: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")  # in UTF-8
MOST_JSON: Final = 64_000_000  # octets of a file that is read as a whole
# What msgspec raises for octets that are not JSON of a type: wrong, not UTF-8, or nested too deeply.
NOT_READ: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def encoded(value: object, plain: Callable[[Any], Any] | None = None) -> bytes:
    """Return a value as JSON on one line, safe to print; `plain` converts types unknown to msgspec.

    Characters that steer a terminal are escaped, as are octets of file names that are not UTF-8.
    """
    try:
        octets = msgspec.json.encode(value, enc_hook=plain)
    except UnicodeEncodeError:
        octets = msgspec.json.encode(_writable(msgspec.to_builtins(value, enc_hook=plain)))
    return _STEERING.sub(lambda found: escaped(found[0].decode()).encode(), octets)


def indented(value: object, plain: Callable[[Any], Any] | None = None) -> bytes:
    """Return a value as `encoded` does, but indented, without a final line end."""
    return msgspec.json.format(encoded(value, plain), indent=2)


def write_octets(path: Path, content: bytes | str) -> None:
    """Write a file so that readers see all of it or nothing; links are followed, devices written in place.

    A text is written as UTF-8, with escapes for what steers a terminal and for octets of file names that are not UTF-8.

    Raises BadInput if the path is unusable or the file is not simbench's to replace, Trouble if the disk is full.
    """
    try:
        own_folder(path.parent)
    except OSError as problem:
        raise not_written(path, problem) from None
    with replacing(path) as part:
        part.write_bytes(
            content if isinstance(content, bytes) else harmless(content).encode("utf-8", "backslashreplace")
        )


def write_json(path: Path, value: object, plain: Callable[[Any], Any] | None = None) -> None:
    """Write a value as a file of indented JSON. Raises like `write_octets`."""
    write_octets(path, indented(value, plain) + b"\n")


def _writable(value: object) -> object:
    """The same builtins, their texts with escapes for what is not UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(inner) for key, inner in value.items()}
    return [_writable(inner) for inner in value] if isinstance(value, list | tuple) else value


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
