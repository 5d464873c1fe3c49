"""Reads contract files of every product: built-in ones, the user's own, and overlays that extend another file.

SMS, dial-up and roaming contracts share this engine; each gives its types and checks as a `Schema`. Every mistake is
reported with file, line, key, value and expectation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from simbench.base.toml_files import Frozen, Keys, Mistake, choice, shown, typed
from simbench.base.toml_mistakes import every_mistake, under
from simbench.contract.layers import HOME, Layer, Problem, held, layers_of, merged, part_of
from simbench.contract.term import Ambiguity, Word, placed_terms
from simbench.rulebook import is_former, renamed

F = TypeVar("F", bound="ContractFile")

BESIDE_CONTENT = ("kind", "title", "extends", "abstract", "invented", "language", "name", "digest", "files", "topics")


class ContractFile(Frozen, frozen=True, kw_only=True):
    """The top level of every contract file.

    `kind` is the product the contract is for. `extends` names the contract this file changes; `abstract` marks a file
    that other files extend but that is not a contract, `invented` a contract for demonstration. `topics` maps each
    topic the program needs to the contract's ambiguity about it.
    """

    title: str
    kind: str = ""
    extends: str = ""
    abstract: bool = False
    invented: bool = False
    topics: dict[str, Word] = msgspec.field(default_factory=dict)


class Schema(NamedTuple, Generic[F]):
    """The form of contract files of one product.

    `check` yields contradictions between well-typed values; `switches` are the topics of the ambiguities that the
    program follows; `moved` maps keys of earlier versions to their present names. `parts` maps keys whose table may be
    in a separate file to the folder of the built-in ones; the key's text is then a name in this folder, or a path.
    """

    kind: str
    file: type[F]
    check: Callable[[F], Iterable[Mistake]]
    switches: tuple[str, ...] = ()
    moved: Mapping[str, str] = {}
    parts: Mapping[str, str] = {}


class Loaded(NamedTuple, Generic[F]):
    """A contract as read: `digest` identifies its content (16 hexadecimal digits), `files` are its files.

    `source` loads it again: the name of a built-in contract, or an absolute path.
    """

    name: str
    digest: str
    files: tuple[str, ...]
    content: F
    source: str = ""


def load(schema: Schema[F], name_or_path: str | Path) -> Loaded[F]:
    """Load a built-in contract by name, or a contract or overlay file by path.

    A text without a directory and without ".toml" is a name. Raises ContractError for the first mistake in a file.
    """
    if isinstance(name_or_path, str) and name_or_path == Path(name_or_path).stem:
        read = _READ.get((schema.kind, name_or_path)) or _sound(examine(schema, name_or_path))
        return _READ.setdefault((schema.kind, name_or_path), read) if read.source == name_or_path else read
    return _sound(examine(schema, Path(name_or_path)))


_READ: dict[tuple[str, str], Loaded[Any]] = {}  # built-in contracts, by kind and name


def _sound(examined: tuple[Loaded[F] | None, list[Problem]]) -> Loaded[F]:
    loaded, problems = examined
    for problem in problems:
        raise problem.error()
    assert loaded is not None
    return loaded


def examine(
    schema: Schema[F], name_or_path: str | Path, more: Iterable[Callable[[F], Iterable[Mistake]]] = ()
) -> tuple[Loaded[F] | None, list[Problem]]:
    """Read the chain of files; return the contract (None if there are mistakes) and every mistake in it.

    `more` are checks besides the schema's. Raises ContractError for a file that cannot be read at all.
    """
    layers = layers_of(name_or_path)
    problems = [found for layer in layers for found in layer.repeats]
    found = _Findings(layers)
    kind = _kind(schema, layers, found)
    for layer in layers if kind else ():
        _moved(layer, schema, found)
    table = layers[0].table
    overlays: list[tuple[Layer, dict[str, Any]]] = []
    for layer in layers[1:]:
        _known_ambiguities(layer, table, found)
        overlays.append((layer, table))
        table = merged(table, layer.table)
    table = {**table, "abstract": False, "invented": bool(layers[-1].table.get("invented", table.get("invented")))}
    if not kind:
        return None, [*problems, *found.problems]
    table = _whole(table, schema, found)
    content, first = typed(table, schema.file)
    if first is not None:
        content, mistakes = every_mistake(table, schema.file)
        found.wrong = mistakes
        for mistake in mistakes:
            found.add(*mistake)
    _statuses(layers[0], found)
    for layer, below in overlays:
        _overlay(layer, below, found)
    if content is not None:
        checked = [_references(content, schema), schema.check(content), *(check(content) for check in more)]
        for mistake in chain.from_iterable(checked):
            found.add(*mistake, unless_wrong=True)
    problems += found.problems
    if problems or content is None:
        return None, problems
    name = layers[-1].path.stem
    path = layers[-1].path
    source = name if path.parent == HOME else str(path.absolute())
    return Loaded(name, digest_of(content), tuple(layer.file for layer in layers), content, source), []


def _moved(layer: Layer, schema: Schema[Any], found: _Findings) -> None:
    """Find keys of earlier versions."""
    for old, new in schema.moved.items():
        keys = tuple(old.split("."))
        if held(layer.table, keys) is not None:
            found.add(keys, "has a new name", new, layer)


def _whole(table: dict[str, Any], schema: Schema[Any], found: _Findings) -> dict[str, Any]:
    """Return the table with the parts from separate files."""
    for key, folder in schema.parts.items():
        if isinstance(table.get(key), str):
            part = part_of(key, table[key], folder, found.layer_of((key,)))
            table = {**table, **part.table}
            found.layers.insert(0, part)
    return table


def digest_of(content: msgspec.Struct) -> str:
    """Return the digest of a contract's content (16 hexadecimal digits), without its title and name."""
    values = [getattr(content, name) for name in content.__struct_fields__ if name not in BESIDE_CONTENT]
    return sha256(msgspec.json.encode(values, order="deterministic")).hexdigest()[:16]


class _Findings:
    """The mistakes found so far, each with the file that contains the wrong value."""

    def __init__(self, layers: list[Layer]) -> None:
        self.layers = list(layers)
        self.problems: list[Problem] = []
        self.wrong: list[Mistake] = []

    def add(
        self, keys: Keys, problem: str, expected: str = "", layer: Layer | None = None, *, unless_wrong: bool = False
    ) -> None:
        """Add a mistake; with `unless_wrong`, only if no value it may depend on was replaced by a valid one."""
        if unless_wrong and self._doubtful(keys):
            return
        layer = layer or self.layer_of(keys)
        self.problems.append(Problem(layer.file, layer.line(keys), keys, problem, expected))

    def _doubtful(self, keys: Keys) -> bool:
        """Return whether a contradiction may result from a replaced value in the same row or group."""
        row = any(isinstance(key, int) for key in keys) or "tariff" in keys
        edges = any(one.keys[-1:] in EDGES and one.keys[:-2] == keys[:-2] for one in self.wrong)
        return edges or under(keys[:-1] if row else keys[:2], self.wrong)

    def layer_of(self, keys: Keys) -> Layer:
        """Return the last file with a value at `keys`, else at the nearest table around it; a list is in one file."""
        whole = next((place for place, key in enumerate(keys) if isinstance(key, int)), len(keys))
        for depth in range(whole, 0, -1):
            holding = [layer for layer in self.layers if held(layer.table, keys[:depth]) is not None]
            if holding:
                return holding[-1]
        return self.layers[-1]


def _kind(schema: Schema[Any], layers: list[Layer], found: _Findings) -> bool:
    for layer in layers:
        kind = layer.table.get("kind", schema.kind)
        if kind != schema.kind:
            found.add(("kind",), f"is {shown(kind)}", f'"{schema.kind}"', layer)
            return False
    if layers[-1].table.get("abstract") is True:
        found.add(("abstract",), "is true: the file is not a contract", "a contract that extends it", layers[-1])
        return False
    return True


def _known_ambiguities(layer: Layer, below: dict[str, Any], found: _Findings) -> None:
    """Find ambiguities that the extended files do not have: the program would not follow them."""
    names = [str(keys[-1]) for keys, _ in _entries(below, "ambiguities")]
    for keys, _ in _entries(layer.table, "ambiguities"):
        if keys[-1] not in names:
            found.add(keys, "no such ambiguity", choice(str(keys[-1]), names), layer)


def _references(content: Any, schema: Schema[Any]) -> Iterator[Mistake]:
    """Find unknown clauses and readings, and missing ambiguities."""
    for place, term in placed_terms(content.terms):
        yield from _clause(("terms", *place, "clause"), term.clause, content, may_lack=term.status == "assumption")
    ambiguities: dict[str, Ambiguity] = getattr(content, "ambiguities", {})
    for name, ambiguity in ambiguities.items():
        for number, clause in enumerate(ambiguity.clauses):
            yield from _clause(("ambiguities", name, "clauses", number), clause, content)
        chosen = (("default", ambiguity.default), ("reading", ambiguity.reading or ambiguity.default))
        for key, reading in chosen:
            if reading not in ambiguity.readings:
                expected = choice(reading, ambiguity.readings)
                yield Mistake(("ambiguities", name, key), f"is {shown(reading)}", expected)
    yield from _former_purposes(content)
    for topic in schema.switches:
        if topic not in content.topics:
            yield Mistake(("topics", topic), "is missing", "the name of the ambiguity that is about it")
    for topic, name in content.topics.items():
        if topic not in schema.switches:
            yield Mistake(("topics", topic), "no such topic", choice(topic, schema.switches))
        elif name not in ambiguities:
            yield Mistake(("topics", topic), f"is {shown(name)}", choice(name, ambiguities))


def _former_purposes(content: Any) -> Iterator[Mistake]:
    """Find purposes by their ids of earlier versions, which no rule has: their clauses would not be judged."""
    named = {purpose for clause in content.clauses.values() for purpose in clause.verified_by}
    for name, clause in content.clauses.items():
        for place, purpose in enumerate(clause.verified_by):
            if is_former(purpose):
                now = renamed(purpose, named)
                expected = "`topic.slug`, as simbench list has it" if now == purpose else f'"{now}"'
                yield Mistake(("clauses", name, "verified_by", place), f"{shown(purpose)} was renamed", expected)


def _clause(keys: Keys, clause: str, content: Any, *, may_lack: bool = False) -> Iterator[Mistake]:
    if clause not in content.clauses and not (may_lack and not clause):
        yield Mistake(keys, f"unknown clause: {shown(clause)}", choice(clause, content.clauses))


def _overlay(layer: Layer, base: dict[str, Any], found: _Findings) -> None:
    """Find overlays that change a unit or a question, or give a new value the status of a published source."""
    for keys, over in term_tables(layer.table):
        below = held(base, keys)
        if not isinstance(below, dict):
            continue
        _unchanged(layer, keys, over, below, ("unit",), found)
        cites = "status" not in over and below.get("status") in {"seed", "source"}
        if cites and "value" in over and over["value"] != below.get("value"):
            problem = f"changed to {shown(over['value'])} while its status stays {shown(below['status'])}"
            expected = 'also status = "contract" (from your signed contract) or "assumption"'
            found.add((*keys, "value"), problem, expected, layer)
    topics = layer.table.get("topics")
    if isinstance(topics, dict):
        _unchanged(layer, ("topics",), topics, held(base, ("topics",)) or {}, tuple(topics), found)
    for keys, over in _entries(layer.table, "ambiguities"):
        below = held(base, keys) or {}
        fixed = ("question", "default", "readings", *(("clauses",) if below.get("clauses") else ()))
        _unchanged(layer, keys, over, below, fixed, found)


def _unchanged(
    layer: Layer, keys: Keys, over: dict[str, Any], below: dict[str, Any], names: tuple[str, ...], found: _Findings
) -> None:
    for name in names:
        if name in over and name in below and over[name] != below[name]:
            expected = f"{shown(below[name])}, or leave it out"
            found.add((*keys, name), f"changed to {shown(over[name])}", expected, layer)


def _statuses(base: Layer, found: _Findings) -> None:
    """Find the status "contract" in a file that extends no other: only an overlay can confirm values."""
    for keys, table in (*term_tables(base.table), *_entries(base.table, "ambiguities")):
        if table.get("status") == "contract":
            problem = 'is "contract" in a file without `extends`'
            found.add((*keys, "status"), problem, "seed, source or assumption", base)


def _entries(table: dict[str, Any], *path: str) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Yield the tables directly inside the table at `path`, with their keys."""
    inner = held(table, path)
    if isinstance(inner, dict):
        yield from (((*path, key), value) for key, value in inner.items() if isinstance(value, dict))


EDGES = (("first",), ("last",), ("charge",), ("uses",))  # keys of a row that other rows are compared with
TERM_KEYS = frozenset({"value", "unit", "status", "clause"})


def term_tables(table: dict[str, Any]) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Yield the tables of terms at any depth, except items of lists, which overlays replace as a whole."""
    waiting = list(_entries(table, "terms"))
    while waiting:
        keys, inner = waiting.pop(0)
        if TERM_KEYS & inner.keys():
            yield keys, inner
        else:
            waiting[:0] = [((*keys, key), value) for key, value in inner.items() if isinstance(value, dict)]
