"""Line numbers of the tables and keys of a TOML text, and texts that define a table or key twice.

`tomllib` gives no positions, and stops at the first table that is defined twice.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from simbench.base.toml_files import MAX_DEPTH, Keys, dotted

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_PATH = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_PATH})\s*\]\]?\s*(?:#.*)?$")
_ENTRY = re.compile(rf"^\s*({_PATH})\s*=")
_PART = re.compile(_KEY)
TEXT = '"""'  # begins and ends a text over several lines


class Place(NamedTuple):
    """A table or key of the text: its keys and its line, counted from 1; `header` is true for a table in brackets."""

    keys: Keys
    line: int
    header: bool


def places(text: str) -> Iterator[Place]:
    """Yield tables, keys, and the items and keys inside their values, in order of the text."""
    lines = text.split("\n")
    table: Keys = ()
    counts: dict[Keys, int] = {}
    number = 0
    while number < len(lines):
        line = lines[number]
        if header := _HEADER.match(line):
            table = _counted(_split(header[2]), counts, many=header[1] == "[[")
            yield Place(table, number + 1, header=True)
        elif entry := _ENTRY.match(line):
            keys = (*table, *_split(entry[1]))
            yield Place(keys, number + 1, header=False)
            number = yield from _Scanner(lines, number, entry.end(), keys).places()
        number += 1


def line_of(text: str, keys: Keys) -> int:
    """Return the line of the value at `keys`, else of the nearest table or key around it; 0 if there is none."""
    found = _lines(text)
    for depth in range(len(keys), 0, -1):
        if keys[:depth] in found:
            return found[keys[:depth]]
    return 0


@lru_cache(maxsize=8)
def _lines(text: str) -> dict[Keys, int]:
    return {place.keys: place.line for place in reversed(list(places(text)))}


def without_repeats(text: str) -> tuple[str, list[Place]]:
    """Return the text without the second and later definitions of a table or key, and the places of these."""
    seen: set[Keys] = set()
    repeats: list[Place] = []
    many = {place.keys[:-1] for place in places(text) if place.header and isinstance(place.keys[-1], int)}
    lines = text.split("\n")
    all_places = list(places(text))
    gone: set[int] = set()
    for index, place in enumerate(all_places):
        if place.line in gone:
            continue
        own = place.header or index == 0 or place.line != all_places[index - 1].line
        if not own or any(isinstance(key, int) for key in place.keys[-1:]) or place.keys in many:
            continue
        if place.keys in seen:
            repeats.append(place)
            gone |= _blank(lines, index, all_places)
        seen.add(place.keys)
    return "\n".join(lines), repeats


def twice(place: Place) -> str:
    """Return the line and name of a repeated table or key."""
    return f"line {place.line}: {dotted(place.keys)}"


def _blank(lines: list[str], index: int, all_places: list[Place]) -> set[int]:
    """Empty the lines of a table up to the next header, or of a key up to the next key; return their numbers."""
    place, after = all_places[index], len(lines) + 1
    for later in range(index + 1, len(all_places)):
        other = all_places[later]
        own = other.line == place.line or (not place.header and other.keys[: len(place.keys)] == place.keys)
        if other.header or not (own or place.header):
            after = other.line
            break
    gone = range(place.line, after)
    for number in gone:
        lines[number - 1] = ""
    return set(gone)


def _split(path: str) -> tuple[str, ...]:
    parts = islice(_PART.finditer(path), MAX_DEPTH + 1)  # deeper keys are refused in any case
    return tuple(part[0].strip("\"'") for part in parts)


def _counted(keys: tuple[str, ...], counts: dict[Keys, int], *, many: bool) -> Keys:
    """Add the index to the keys of a table that is an item of a list."""
    full: Keys = ()
    for depth, key in enumerate(keys, 1):
        full = (*full, key)
        if many and depth == len(keys):
            counts[full] = counts.get(full, -1) + 1
        if full in counts:
            full = (*full, counts[full])
    return full


@dataclass(slots=True)
class _Open:
    """A list or inline table that is not closed yet: its keys, and its current item or key."""

    keys: Keys
    many: bool
    inner: Keys

    @property
    def now(self) -> Keys:
        return (*self.keys, *self.inner)


class _Scanner:
    """Reads one value, possibly over several lines, from a column of a line on."""

    def __init__(self, lines: list[str], number: int, at: int, keys: Keys) -> None:
        self.lines, self.number, self.at, self.keys = lines, number, at, keys
        self.opened: list[_Open] = []
        self.quote = ""  # the quotes of the current text, "" outside of texts
        self.fresh = False  # whether the next character begins an item or a key

    def places(self) -> Generator[Place, None, int]:
        """Yield the items and keys inside the value; return the number of its last line."""
        while self.number < len(self.lines):
            while self.at < len(self.line):
                if self.quote:
                    self._in_text()
                elif self.line[self.at] == "#":
                    break
                elif self.line[self.at].isspace():
                    self.at += 1
                elif found := self._begins():
                    yield found
                elif not self._sign(self.line[self.at]):
                    return len(self.lines)
            if not self.opened and len(self.quote) != len(TEXT):
                return self.number
            self.quote = self.quote if len(self.quote) == len(TEXT) else ""
            self.number, self.at = self.number + 1, 0
        return self.number

    @property
    def line(self) -> str:
        return self.lines[self.number]

    def _in_text(self) -> None:
        if self.quote[0] == '"' and self.line[self.at] == "\\":
            self.at += 2
        elif self.line.startswith(self.quote, self.at):
            self.at, self.quote = self.at + len(self.quote), ""
        else:
            self.at += 1

    def _begins(self) -> Place | None:
        """Return the item or key that begins here, if one does."""
        if not (self.opened and self.fresh) or self.line[self.at] in "]}":
            return None
        self.fresh, around = False, self.opened[-1]
        if not around.many:
            entry = _ENTRY.match(self.line[self.at :])
            if entry is None:
                return None
            around.inner = _split(entry[1])
            self.at += entry.end()
        return Place(around.now, self.number + 1, header=False)

    def _sign(self, sign: str) -> bool:
        """Read one sign outside texts; False where lists and tables lie too deep."""
        if sign in "\"'":
            self.quote = sign * 3 if self.line.startswith(sign * 3, self.at) else sign
            self.at += len(self.quote)
            return True
        self.at += 1
        if sign in "[{":
            above = self.opened[-1].now if self.opened else self.keys
            self.opened.append(_Open(above, sign == "[", (0,) if sign == "[" else ()))
            self.fresh = True
        elif sign in "]}" and self.opened:
            self.opened.pop()
            self.fresh = False
        elif sign == "," and self.opened:
            self.fresh = True
            if self.opened[-1].many:
                self.opened[-1].inner = (int(self.opened[-1].inner[0]) + 1,)
        return len(self.opened) <= MAX_DEPTH
