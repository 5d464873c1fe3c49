"""The files of a contract: the file, the one it extends, and so on; their tables are merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from simbench.base.errors import BadInput, ContractError
from simbench.base.toml_files import Keys, choice, dotted, label, refusal, shown, table_of, text_of
from simbench.base.toml_mistakes import MOST

HOME = Path(__file__).parents[1] / "contracts"
GROUP = "simbench.contracts"
"""Entry points of packages that ship contracts: each gives the path of a TOML file."""


class Problem(NamedTuple):
    """One mistake: its file and line (0: unknown), its keys, the problem and the expectation."""

    file: str
    line: int
    keys: Keys
    problem: str
    expected: str

    def error(self) -> BadInput:
        """Return the error for this mistake, to be raised."""
        return refusal(ContractError, self.file, self.keys, self.problem, self.expected)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part)
        keys = f" {dotted(self.keys)}:" if self.keys else ""
        return f"{place}:{keys} {self.problem}" + (f"; expected {self.expected}" if self.expected else "")


class Layer(NamedTuple):
    """One file: its name in messages, its path, text and content, and tables and keys defined twice.

    The content of a file that is a part of another is nested `below` that many keys.
    """

    file: str
    path: Path
    text: str
    table: dict[str, Any]
    repeats: tuple[Problem, ...] = ()
    below: int = 0

    def line(self, keys: Keys) -> int:
        """Return the line of a value, or of the nearest table around it; 0 if there is none."""
        from simbench.base.toml_places import line_of  # noqa: PLC0415 - of mistakes only

        return line_of(self.text, keys[self.below :])


def layers_of(name_or_path: str | Path) -> list[Layer]:
    """Follow `extends` from a file to its base; the base comes first. Raises ContractError for an unreadable file."""
    named = isinstance(name_or_path, str) and name_or_path == Path(name_or_path).stem
    path = builtin_path(str(name_or_path), f"contract {shown(str(name_or_path))}") if named else Path(name_or_path)
    layers: list[Layer] = []
    seen: list[Path] = []
    while True:
        layer = read_layer(path)
        seen.append(path.resolve())
        layers.insert(0, layer)
        base = layer.table.get("extends")
        if base is None:
            return layers
        keys: Keys = ("extends",)
        if not isinstance(base, str) or not base:
            expected = "the name of a built-in contract, or the path of a contract file"
            raise refusal(ContractError, layer.file, keys, f"is {shown(base)}", expected)
        inside = base == Path(base).stem
        path = builtin_path(base, f"{layer.file}: extends {shown(base)}") if inside else path.parent / base
        if _same_file(path, seen, layer.file):
            raise refusal(ContractError, layer.file, keys, f"is {shown(base)}, which is circular", "another file")


def read_layer(path: Path) -> Layer:
    """Read one file; the second definition of a table or key is reported and ignored. Raises ContractError."""
    file = path.name if path.parent == HOME else label(path)
    text = text_of(path, ContractError)
    try:
        return Layer(file, path, text, table_of(text, file, ContractError))
    except ContractError:
        from simbench.base.toml_places import without_repeats  # noqa: PLC0415 - of mistakes only

        once, repeats = without_repeats(text)
        if not repeats:
            raise
    table = table_of(once, file, ContractError)
    found = (Problem(file, one.line, one.keys, "is defined twice", "one definition") for one in repeats[:MOST])
    return Layer(file, path, text, table, tuple(found))


def part_of(key: str, name: str, folder: str, layer: Layer) -> Layer:
    """Read the file with the table of a key: a built-in file of a folder by name, or a path relative to the contract.

    Raises ContractError.
    """
    home = HOME / folder
    path = home / f"{name}.toml" if name == Path(name).stem else layer.path.parent / name
    if name == path.stem and not path.is_file():
        known = sorted(each.stem for each in home.glob("*.toml"))
        expected = choice(name, known) + ", a path ending in .toml, or a table"
        raise refusal(ContractError, layer.file, (key,), f"is {shown(name)}", expected)
    part = read_layer(path)
    return part._replace(table={key: part.table}, below=1)


def builtin_path(name: str, place: str) -> Path:
    """Return the file of a contract by its name. Raises ContractError, with the nearest name, for an unknown one."""
    path = HOME / f"{name}.toml"
    if path.is_file():
        return path
    from simbench.base.entry_points import loaded, place_of, shipped  # noqa: PLC0415 - slow to load, and seldom needed

    entry = shipped(GROUP).get(name)
    if entry is None:
        known = builtin_names()
        raise ContractError(place, "no such built-in contract", choice(name, known) + ", or a path ending in .toml")
    try:
        return Path(loaded(entry))
    except BadInput as error:
        raise ContractError(error.place, error.problem, error.expected) from None
    except TypeError:
        problem = f"its entry point {entry.name} = {entry.value} of {GROUP} is not a path"
        raise ContractError(place_of(entry), problem, "the path of a TOML file") from None


def builtin_names() -> list[str]:
    """Return the sorted names of contracts and bases: built-in ones, and those of entry points `simbench.contracts`."""
    from simbench.base.entry_points import shipped  # noqa: PLC0415 - as above

    return sorted({path.stem for path in HOME.glob("*.toml")} | shipped(GROUP).keys())


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Overlay one table on another: tables merge, everything else replaces."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return result


def held(table: object, keys: Keys) -> Any:
    """Return the value at `keys`, or None if the path does not exist."""
    for key in keys:
        if isinstance(table, list) and isinstance(key, int) and key < len(table):
            table = table[key]
            continue
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return table


def _same_file(path: Path, seen: list[Path], file: str) -> bool:
    try:
        return path.resolve() in seen
    except (OSError, ValueError, RuntimeError):  # an impossible file name, or a loop of links
        raise refusal(ContractError, file, ("extends",), f"is {shown(str(path))}", "the path of a file") from None
