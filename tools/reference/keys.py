"""The keys of TOML files as Markdown tables, made from the structs that read the files."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect as types

NAMES = {
    "BoolType": "true or false", "DateType": "date", "DateTimeType": "date and time", "DecimalType": "amount",
    "AnyType": "as its unit", "StructType": "table", "DataclassType": "table",
}  # fmt: skip


def table(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of Markdown; bars in cells are escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def keys_of(struct: type[Any], name: str = "") -> str:
    """Sections for a struct and all tables below it, each with its keys, their types and defaults."""
    seen: set[str] = set()
    return "\n".join(_sections(struct, name, many=False, seen=seen))


def _sections(struct: type[Any], path: str, *, many: bool, seen: set[str]) -> Iterator[str]:
    if path in seen:
        return
    seen.add(path)
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    heading = (f"[[{path}]]" if many else f"[{path}]") if path else "At the top"
    plain = [field for field in info.fields if not _tables(field.type)]
    text, meanings = split(words(getattr(struct, "__origin__", struct)), [field.encode_name for field in plain])
    yield f"### {heading if not path else f'`{heading}`'}\n\n{text}\n"
    if plain:
        heads = ("key", "type", "default", "meaning")[: 4 if any(meanings.values()) else 3]
        cells = [(f"`{one.encode_name}`", shown(one.type), _default(one), meanings[one.encode_name]) for one in plain]
        yield table(heads, [row[: len(heads)] for row in cells])
    for field in info.fields:
        for below, several in _tables(field.type):
            names = (path, field.encode_name, "NAME" if isinstance(field.type, types.DictType) else "")
            yield from _sections(below.cls, ".".join(filter(None, names)), many=several, seen=seen)


def groups_of(struct: type[Any]) -> str:
    """The groups of terms of a contract: their sentences, and those of their rows that are more than terms."""
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    parts = []
    for field in info.fields:
        for group, _ in _tables(field.type):
            name = f"terms.{field.encode_name}" + (".NAME" if isinstance(field.type, types.DictType) else "")
            parts.append(f"### `[{name}]`\n\n{words(group.cls)}\n")
            rows = [(one.encode_name, below.cls) for one in group.fields for below, many in _tables(one.type) if many]
            parts += [f"A row of `{key}`: {words(row)}\n" for key, row in rows]
    return "\n".join(parts)


def split(text: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Separate the sentences of a text that explain names in backticks: the rest of the text, and the meanings by name.

    The first sentence always remains in the text. A sentence that begins with "It", "Its" or "They" belongs to the
    sentence before it.
    """
    first, *others = re.split(r"(?<=\.) +(?=[A-Z`\"])|\n\n", text)
    meanings: dict[str, list[str]] = {name: [] for name in names}
    named: list[str] = []
    for sentence in others:
        found = [name for name in names if f"`{name}`" in sentence]
        if re.match(r"(It|Its|They) ", sentence):
            found = found or named
        for name in found:
            meanings[name].append(sentence)
        named = found
    rest = [first, *(one for one in others if not any(one in found for found in meanings.values()))]
    only = {name: found or [first] * (f"`{name}`" in first) for name, found in meanings.items()}
    return " ".join(rest), {name: " ".join(found) for name, found in only.items()}


def words(thing: object) -> str:
    """A docstring as a paragraph or more, without its examples."""
    plain = re.sub(r"\n*^>>> (?:.+\n?)*", "", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return re.sub(r"(?<!\n)\n(?!\n)", " ", plain)


def _tables(kind: types.Type) -> list[tuple[types.StructType, bool]]:
    """The structs a field holds, and whether it holds several of each."""
    if isinstance(kind, types.Metadata):
        return _tables(kind.type)
    if isinstance(kind, types.StructType):
        return [(kind, False)]
    if isinstance(kind, types.VarTupleType | types.ListType):
        return [(below, True) for below, _ in _tables(kind.item_type)]
    if isinstance(kind, types.DictType):
        return _tables(kind.value_type)
    if isinstance(kind, types.UnionType):
        return [found for each in kind.types for found in _tables(each)]
    return []


def _default(field: types.Field) -> str:
    if field.required:
        return "**required**"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{_toml(default)}`" if default not in ("", None, ()) else ""


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def shown(kind: types.Type) -> str:
    """A type in words."""
    match kind:
        case types.Metadata():
            text = shown(kind.type)
        case types.LiteralType():
            text = ", ".join(f"`{value}`" if value else "empty" for value in kind.values)
        case types.IntType() | types.FloatType():
            text = ("whole number" if isinstance(kind, types.IntType) else "number") + _bounds(kind)
        case types.StrType():
            text = f"text as `{kind.pattern}`" if kind.pattern else "text"
        case types.VarTupleType() | types.ListType():
            text = f"list of {shown(kind.item_type)}"
        case types.TupleType():
            text = f"list of {len(kind.item_types)}: {', '.join(map(shown, kind.item_types))}"
        case types.DictType():
            text = f"table of {shown(kind.value_type)}"
        case types.UnionType():
            text = " or ".join(shown(each) for each in kind.types if not isinstance(each, types.NoneType))
        case _:
            text = NAMES.get(type(kind).__name__, type(kind).__name__.removesuffix("Type").lower())
    return text


def _bounds(kind: types.IntType | types.FloatType) -> str:
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    if low is None and high is None:
        return ""
    if high is None:
        return f", {low:,} or more" if kind.ge is not None else f", more than {low:,}"
    if low is None or kind.ge is not None:
        return f", {low:,} to {high:,}" if low is not None else f", up to {high:,}"
    return f", more than {low:,}, {'less than' if kind.le is None else 'up to'} {high:,}"
