"""Contract files: the built-in ones, the user's own, and overlays that extend another file.

Every invalid value raises an error with file, key, value and expectation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from simbench.base.errors import ContractError
from simbench.base.toml_files import Keys, as_typed, choice, label, read_table, refusal, shown
from simbench.contract.consistency import contradictions
from simbench.contract.terms import Ambiguity, Clause, Contract, Terms

HOME = Path(__file__).parents[1] / "contracts"
DEFAULT = "orange_ops_2016"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The top level of a contract file, overlays merged."""

    title: str
    clauses: dict[str, Clause]
    terms: Terms
    ambiguities: dict[str, Ambiguity]
    extends: str = ""


class _Layer(NamedTuple):
    """One file of a chain of overlays: its name in messages, and its content."""

    file: str
    table: dict[str, Any]


def load_contract(name_or_path: str | Path = DEFAULT) -> Contract:
    """Load a built-in contract by name, or a contract or overlay file by path.

    A text without a directory and without ".toml" is a name. Raises ContractError for any error in a file.
    """
    if isinstance(name_or_path, str) and name_or_path == Path(name_or_path).stem:
        return _builtin(name_or_path)
    return _assembled(Path(name_or_path))


@lru_cache(maxsize=8)
def _builtin(name: str) -> Contract:
    return _assembled(_builtin_path(name, f"contract {shown(name)}"))


def _builtin_path(name: str, place: str) -> Path:
    known = sorted(path.stem for path in HOME.glob("orange_*.toml"))
    if name not in known:
        raise ContractError(place, "no such built-in contract", choice(name, known) + ", or a path ending in .toml")
    return HOME / f"{name}.toml"


def _assembled(path: Path) -> Contract:
    """Read the chain of files, check each overlay against the file it extends, and convert the result."""
    layers = _layers(path)

    def file_of(keys: Keys) -> str:
        """Return the last file with a value at `keys`, else at the nearest enclosing table."""
        for depth in range(len(keys), -1, -1):
            said = [layer.file for layer in layers if depth and _get(layer.table, keys[:depth]) is not None]
            if said:
                return said[-1]
        return layers[-1].file

    merged = dict(layers[0].table)
    overlays: list[tuple[_Layer, dict[str, Any]]] = []
    for layer in layers[1:]:
        _check_ambiguities(layer, merged)
        overlays.append((layer, merged))
        merged = _merged(merged, layer.table)
    content = as_typed(merged, _File, ContractError, file_of)
    _check_statuses(layers[0])
    for layer, below in overlays:
        _check_overlay(layer, below)
    for keys, problem, expected in contradictions(content.clauses, content.terms, content.ambiguities):
        raise refusal(ContractError, file_of(keys), keys, problem, expected)
    canonical = msgspec.json.encode((content.clauses, content.terms, content.ambiguities), order="deterministic")
    return Contract(
        name=path.stem,
        title=content.title,
        digest=sha256(canonical).hexdigest()[:16],
        files=tuple(layer.file for layer in layers),
        clauses=content.clauses,
        terms=content.terms,
        ambiguities=content.ambiguities,
    )


def _layers(path: Path) -> list[_Layer]:
    """Follow `extends` from the file to its base; the base comes first."""
    layers: list[_Layer] = []
    seen: list[Path] = []
    while True:
        file = path.name if path.parent == HOME else label(path)
        table = read_table(path, ContractError)
        seen.append(path.resolve())
        layers.insert(0, _Layer(file, table))
        base = table.get("extends")
        if base is None:
            return layers
        keys: Keys = ("extends",)
        if not isinstance(base, str) or not base:
            expected = "the name of a built-in contract, or the path of a contract file"
            raise refusal(ContractError, file, keys, f"is {shown(base)}", expected)
        named = base == Path(base).stem
        path = _builtin_path(base, f"{file}: extends {shown(base)}") if named else path.parent / base
        if _same_file(path, seen, file):
            raise refusal(ContractError, file, keys, f"is {shown(base)}, which is circular", "another file")


def _same_file(path: Path, seen: list[Path], file: str) -> bool:
    try:
        return path.resolve() in seen
    except (OSError, ValueError, RuntimeError):  # an impossible file name, or a loop of links
        raise refusal(ContractError, file, ("extends",), f"is {shown(str(path))}", "the path of a file") from None


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Overlay one table on another: tables merge, everything else replaces."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return result


def _get(table: object, keys: Keys) -> Any:
    """Return the value at `keys`, or None if the path does not exist."""
    for key in keys:
        if isinstance(table, list) and isinstance(key, int) and key < len(table):
            table = table[key]
            continue
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return table


def _entries(table: dict[str, Any], *path: str) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Yield the tables directly inside the table at `path`, with their keys."""
    inner = _get(table, path)
    if isinstance(inner, dict):
        yield from (((*path, key), value) for key, value in inner.items() if isinstance(value, dict))


def _term_tables(table: dict[str, Any]) -> Iterator[tuple[Keys, dict[str, Any]]]:
    for keys, _ in _entries(table, "terms"):
        yield from _entries(table, *(str(key) for key in keys))


def _check_ambiguities(layer: _Layer, base: dict[str, Any]) -> None:
    """Reject an ambiguity unknown to the files below: no code would follow it."""
    known = [str(keys[-1]) for keys, _ in _entries(base, "ambiguities")]
    for keys, _ in _entries(layer.table, "ambiguities"):
        if keys[-1] not in known:
            raise refusal(ContractError, layer.file, keys, "no such ambiguity", choice(str(keys[-1]), known))


def _check_overlay(layer: _Layer, base: dict[str, Any]) -> None:
    """Reject overlays that change a unit or a question, or attribute their own value to the brochure."""
    for keys, over in _term_tables(layer.table):
        below = _get(base, keys)
        if not isinstance(below, dict):
            continue
        _unchanged(layer, keys, over, below, ("unit",))
        cites = "status" not in over and below.get("status") in {"seed", "source"}
        if cites and "value" in over and over["value"] != below.get("value"):
            problem = f"changed to {shown(over['value'])} while its status stays {shown(below['status'])}"
            expected = 'status = "contract" (your signed contract says so) or "assumption" beside it'
            raise refusal(ContractError, layer.file, (*keys, "value"), problem, expected)
    for keys, over in _entries(layer.table, "ambiguities"):
        _unchanged(layer, keys, over, _get(base, keys) or {}, ("question", "clauses", "default", "readings"))


def _unchanged(layer: _Layer, keys: Keys, over: dict[str, Any], below: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in over and over[name] != below.get(name):
            problem = f"changed to {shown(over[name])}"
            raise refusal(
                ContractError, layer.file, (*keys, name), problem, f"{shown(below.get(name))}, or leave it out"
            )


def _check_statuses(base: _Layer) -> None:
    """Reject "contract" in a file that extends none: only an overlay can confirm values."""
    for keys, table in (*_term_tables(base.table), *_entries(base.table, "ambiguities")):
        if table.get("status") == "contract":
            problem = 'is "contract" in a file that extends no other'
            raise refusal(ContractError, base.file, (*keys, "status"), problem, "seed, source or assumption")
