"""Reads the user's TOML files as frozen structs; contracts, scenarios and capability profiles bring their own types.

Every error is one line naming the file, the dotted key, its value and the expectation.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets

T = TypeVar("T")
Keys = tuple[str | int, ...]
"""Position of a value in a table: names of tables and keys, numbers for items of lists."""


class Frozen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the tables of a file: immutable, and strict about unknown keys."""


class Mistake(NamedTuple):
    """A wrong value: its keys, what is wrong, and what was expected."""

    keys: Keys
    problem: str
    expected: str = ""


MAX_OCTETS = 4_000_000
UNKNOWN_KEY = "unknown key"
MAX_DEPTH = 32  # deeper than any meaningful file, and far from the recursion limit

_LONG_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{2 * MAX_DEPTH}}}""")
_PATH = re.compile(r" - at `(?:key` in `)?(?P<path>\$[^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|(\[\.\.\.\])")
_EXPECTED = re.compile(r"^Expected `(?P<kind>[^`]*)`(?P<bound>[^,]*)(?:, got .*)?$", re.DOTALL)
CLOCK_TIME = r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
"""The pattern of a time of the day."""
_PATTERNS = {CLOCK_TIME: 'a whole hour, or a time such as "08:30"'}  # said in words
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


def read_toml(path: Path, kind: type[T], error: type[BadInput]) -> T:
    """Read a file as `kind`; any problem raises `error` (see the module docstring)."""
    return as_typed(read_table(path, error), kind, error, lambda _keys: label(path))


def read_table(path: Path, error: type[BadInput]) -> dict[str, Any]:
    """Read the plain tables of a TOML file: UTF-8, at most 4 MB, 32 levels deep, finite numbers; else `error`."""
    return table_of(text_of(path, error), label(path), error)


def table_of(text: str, file: str, error: type[BadInput]) -> dict[str, Any]:
    """Read the plain tables of a TOML text of a file, with the limits of `read_table`."""
    import tomllib  # noqa: PLC0415 - not needed by `--help` and by users of the built-in types

    for long in _LONG_KEY.finditer(text):  # `tomllib` takes quadratic time for the parts of a key
        before = text[text.rfind("\n", 0, long.start()) + 1 : long.start()].rstrip()
        if not before or before[-1] in "[{,":  # else it is part of a text
            line = text.count("\n", 0, long.start()) + 1
            raise error(file, f"line {line}: a key is nested too deeply", f"at most {MAX_DEPTH} levels")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise error(file, "nested too deeply", f"at most {MAX_DEPTH} levels") from None
    except ValueError as problem:  # tomllib.TOMLDecodeError, or Python's limit on the digits of a number
        raise error(file, f"not valid TOML: {_one_line(problem)}") from None
    for keys, value in _walk(table):
        if len(keys) > MAX_DEPTH:
            raise error(file, f"{dotted(keys[:3])}: nested too deeply", f"at most {MAX_DEPTH} levels")
        if isinstance(value, float) and not math.isfinite(value):
            raise refusal(error, file, keys, f"is {value}", "a finite number")
    return table


def as_typed(table: dict[str, Any], kind: type[T], error: type[BadInput], file_of: Callable[[Keys], str]) -> T:
    """Convert plain tables to `kind`; `file_of` names the file that contains the value at some keys."""
    content, mistake = typed(table, kind)
    if mistake is not None:
        raise refusal(error, file_of(mistake.keys), *mistake)
    return content  # type: ignore[return-value] # there is content where there is no mistake


def typed(table: dict[str, Any], kind: type[T]) -> tuple[T | None, Mistake | None]:
    """Convert plain tables to `kind`: the content, or the first mistake."""
    try:
        return msgspec.convert(table, kind), None
    except msgspec.ValidationError as problem:
        message = str(problem)
    except (RecursionError, OverflowError, ValueError) as problem:
        return None, Mistake((), f"cannot be read as {kind.__name__}: {_one_line(problem)}")
    return None, _explained(message, table, kind)


def refusal(error: type[BadInput], file: str, keys: Keys, problem: str, expected: str = "") -> BadInput:
    """Return the error for the value at `keys` of `file`, for the caller to raise."""
    return error(f"{file}: {dotted(keys)}" if keys else file, problem, expected)


def label(path: Path) -> str:
    """Return a file's name on one line, whatever its characters."""
    return str(path) if str(path).isprintable() else ascii(str(path))


def dotted(keys: Keys) -> str:
    """Return keys as the user writes them: `terms.throughput.tiers_per_s[2]`, with quotes where TOML needs them."""
    written = ""
    for key in keys:
        if isinstance(key, int):
            written += f"[{key}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]{1,80}", key)
            written += ("." if written else "") + (key if bare else shown(key))
    return written


def shown(value: object) -> str:
    """Return a value of the file, shortened, on one line."""
    try:
        text = json.dumps(value) if isinstance(value, str | bool) else _one_line(repr(value))
    except ValueError:  # Python does not print integers of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:56] + " ..."


def choice(word: str, known: Iterable[str]) -> str:
    """Return the expectation for an unknown word: the name it abbreviates or resembles, else the first 12 names."""
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for errors

    names = list(known)
    begun = [name for name in names if len(word) > 2 and name.startswith(word)]
    near = begun if len(begun) == 1 else get_close_matches(word[:80], names, 1)
    if near:
        return f"perhaps `{near[0]}`"
    return "one of " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "no such name"


def text_of(path: Path, error: type[BadInput]) -> str:
    """Read a file's text: UTF-8, at most 4 MB; else `error`."""
    file = label(path)
    try:
        octets = read_octets(path, MAX_OCTETS)
    except FileNotFoundError:
        raise error(file, "no such file", "a TOML file") from None
    except OSError as problem:
        raise error(file, problem.strerror or str(problem), "a TOML file") from None
    try:
        return octets.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as problem:
        line = problem.object.count(b"\n", 0, problem.start) + 1
        raise error(file, f"line {line} is not UTF-8 (octet {problem.object[problem.start]:02X})") from None


def _walk(table: object) -> Iterator[tuple[Keys, object]]:
    """Yield every value with its keys, without recursion; values nested too deeply are yielded but not entered."""
    heap: list[tuple[Keys, object]] = [((), table)]
    while heap:
        keys, value = heap.pop()
        yield keys, value
        if isinstance(value, dict):
            heap.extend(((*keys, key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            heap.extend(((*keys, place), inner) for place, inner in enumerate(value))


def _one_line(text: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def _explained(message: str, table: dict[str, Any], kind: type[Any]) -> Mistake:
    """Convert an error of msgspec to a mistake."""
    found = _PATH.search(message)
    keys = _resolved(found["path"], message, table, kind) if found else ()
    text = message[: found.start()] if found else message
    known = Shape(kind, keys)
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL):
        return Mistake((*keys, unknown[1]), UNKNOWN_KEY, choice(unknown[1], known.names()))
    if missing := re.fullmatch(r"Object missing required field `(.*)`", text, re.DOTALL):
        return Mistake((*keys, missing[1]), "is missing")
    value = _at(table, keys)
    if text.startswith("Invalid enum value"):
        return Mistake(keys, f"is {shown(value)}", choice(str(value), known.choices()))
    if expected := _EXPECTED.match(text):
        for pattern, said in _PATTERNS.items():
            if pattern in expected["bound"]:
                return Mistake(keys, f"is {shown(value)}", said)
        words = " or ".join(_WORDS.get(word, word) for word in expected["kind"].split(" | "))
        return Mistake(keys, f"is {shown(value)}", words + expected["bound"])
    return Mistake(keys, f"is {shown(value)}: {_one_line(text)}")


def _resolved(path: str, message: str, table: dict[str, Any], kind: type[Any]) -> Keys:
    """Convert msgspec's `$.a[...].b` to keys; msgspec shows `[...]` for the names of open tables.

    A hidden name is found by bisection: a table cut after the faulty entry gives the same error, a table cut before it
    does not.
    """
    keys: Keys = ()
    for field, place, hidden in _STEP.findall(path):
        if not hidden:
            keys = (*keys, field or int(place))
            continue
        names = list(_at(table, keys))
        guilty = bisect_left(
            range(len(names)), True, key=lambda n: _refused(_keeping(table, keys, names[: n + 1]), kind) == message
        )
        if guilty == len(names):
            return keys
        keys = (*keys, names[guilty])
    return keys


def _refused(table: object, kind: type[Any]) -> str:
    try:
        msgspec.convert(table, kind)
    except msgspec.ValidationError as problem:
        return str(problem)
    return ""


def _keeping(table: Any, keys: Keys, names: list[str]) -> Any:
    """Return a copy of the table in which the one at `keys` has only these names."""
    if not keys:
        return {name: table[name] for name in names} if isinstance(table, dict) else table
    copied = table.copy()
    copied[keys[0]] = _keeping(table[keys[0]], keys[1:], names)
    return copied


def _at(table: Any, keys: Keys) -> Any:
    for key in keys:
        table = table[key]
    return table


@cache
def _info(kind: Any) -> Any:
    import msgspec.inspect as inspect  # noqa: PLC0415, PLR0402 - only needed for errors

    return inspect.type_info(kind)


class Shape:
    """The field names and words that `kind` allows at some keys."""

    def __init__(self, kind: type[Any], keys: Keys) -> None:
        self.types = self._members(_info(kind))  # type: ignore[arg-type]  # a class has a hash
        for key in keys:
            self.types = [inner for outer in self.types for inner in self._inside(outer, key)]

    def names(self) -> list[str]:
        """The keys of the structs."""
        return [field.encode_name for shape in self.types for field in getattr(shape, "fields", ())]

    def choices(self) -> list[str]:
        """The allowed words."""
        return [str(value) for shape in self.types for value in getattr(shape, "values", ())]

    @classmethod
    def _inside(cls, shape: Any, key: str | int) -> list[Any]:
        named = [field.type for field in getattr(shape, "fields", ()) if field.encode_name == key]
        placed = list(getattr(shape, "item_types", ()))[key : key + 1] if isinstance(key, int) else []
        others = [getattr(shape, name) for name in ("value_type", "item_type") if hasattr(shape, name)]
        return [member for inner in named + placed + others for member in cls._members(inner)]

    @staticmethod
    def _members(shape: Any) -> list[Any]:
        return list(shape.types) if hasattr(shape, "types") else [shape]
