"""Reads delimited text: detects encoding, delimiter and heading line, and yields records one by one."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Generator
from errno import EINVAL
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import LONGEST_LINE, bounded_lines, open_input
from simbench.base.toml_files import label
from simbench.tables.columns import Columns
from simbench.tables.rows import RejectedRow, Remark

DELIMITERS: Final = ",;\t|"
HEAD: Final = 1 << 16  # octets examined for encoding and delimiter
RECORD_LINES: Final = 1_000  # of one record, whose cells may have several
AGAIN: Final = 4  # characters that may be read again after broken quotes, for each of the text
SPARE: Final = 1 << 22  # and in a text of any length
_LETTER_OF_UTF_8: Final = re.compile(rb"[\xc3-\xdf][\x80-\xbf](?![\x80-\xbf])")
BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

Records = Generator[tuple[int, list[str] | RejectedRow], None, None]
"""Line and cells of each non-empty record."""


class Delimited(msgspec.Struct, frozen=True):
    """A file of delimited text: its first record, the others, and how it was read."""

    names: list[str]
    line: int
    records: Records
    delimiter: str
    remarks: tuple[Remark, ...]
    octets_read: Callable[[], int]


def read_delimited(path: Path, mapping: Columns, known: Callable[[list[str]], int]) -> Delimited:
    """Open a file; `known` counts how many of some headings are wanted, which helps to detect the delimiter.

    Records are read on demand. Raises BadInput if the file is unreadable or empty.
    """
    file = open_input(path)
    head = file.read(HEAD)
    encoding, mark, remarks = _encoding(head, mapping.encoding)
    file.seek(mark)
    text = io.TextIOWrapper(file, encoding, "replace", newline="")
    sample = head[mark:].decode(encoding, "replace")
    named = _named_delimiter(sample)
    delimiter = named or mapping.delimiter or _likely(sample, known)
    if named:
        text.readline()
    records = _records(text, delimiter, 1 if named else 0, path)
    line, names = next(records, (1, []))
    if isinstance(names, RejectedRow):
        records.close()
        raise BadInput(label(path), str(names), "a line of column names")
    if not names:
        raise BadInput(label(path), "is empty", "a line of column names")
    return Delimited([name.strip() for name in names], line, records, delimiter, remarks, file.tell)


def _encoding(head: bytes, named: str) -> tuple[str, int, tuple[Remark, ...]]:
    """Return the encoding, the length of its byte-order mark, and a remark if it is a guess."""
    for mark, name in BOMS:
        if head.startswith(mark):
            return name, len(mark), ()
    wide = _without_mark(head)
    if named and named != "utf-16":
        return named, 0, ()
    if named or wide:
        return wide or "utf-16-le", 0, ()
    try:
        head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8")
    except UnicodeDecodeError:
        if _LETTER_OF_UTF_8.search(head):
            return "utf-8", 0, ()  # UTF-8 with some invalid octets
        return "cp1252", 0, (Remark(0, "the text is not UTF-8 and was read as Windows-1252 (`encoding` of the map)"),)
    return "utf-8", 0, ()


def _without_mark(head: bytes) -> str:
    """Detect UTF-16 without a mark by its zero octets in every other position of Latin text."""
    pairs = max(1, len(head) // 2)
    if head[1::2].count(0) * 2 > pairs > head[::2].count(0) * 4:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) * 2 > pairs > head[1::2].count(0) * 4 else ""


def _named_delimiter(sample: str) -> str:
    """Return the delimiter named by a first line `sep=;`, as written by spreadsheets."""
    first = sample.split("\n", 1)[0].rstrip("\r").strip('"')
    return first[4] if first[:4].lower() == "sep=" and len(first) == 5 else ""


def _likely(sample: str, known: Callable[[list[str]], int]) -> str:
    """Return the delimiter for which the first record has the most wanted headings, then the most headings."""

    def found(delimiter: str) -> tuple[int, int]:
        names = next((names for _, names in _parsed(io.StringIO(sample, newline=""), delimiter)), [])
        return (0, 0) if isinstance(names, RejectedRow) else (known([name.strip() for name in names]), len(names))

    return max(DELIMITERS, key=found)


class _Lines:
    """Lines of a text; all but the first line of the current record can be read again."""

    def __init__(self, text: IO[str], number: int) -> None:
        self._text, self._again = bounded_lines(text), deque[str]()
        self.first, self._taken = number + 1, list[str]()
        self._size = 0  # characters of the current record
        self._spare = SPARE  # characters that may still be read again

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if len(self._taken) == RECORD_LINES or self._size > LONGEST_LINE:
            raise csv.Error(f"a quote that does not end within {RECORD_LINES:,} lines or {LONGEST_LINE:,} characters")
        if self._again:
            line = self._again.popleft()
        else:
            line = next(self._text)
            self._spare += AGAIN * len(line)
        self._size += len(line)
        self._taken.append(line)
        return line

    def begin(self) -> None:
        """Continue with the next record."""
        self.first += len(self._taken)
        self._taken.clear()
        self._size = 0

    def give_again(self) -> None:
        """Read the lines of the current record after its first again, each as the start of a record.

        Raises OSError where that would take more than a multiple of the reading itself.
        """
        again = self._taken[1:]
        self._spare -= sum(map(len, again))
        if self._spare < 0:
            raise OSError(EINVAL, f"up to line {self.first} too many quotes do not end")
        self._again.extendleft(reversed(again))
        del self._taken[1:]


def _records(text: IO[str], delimiter: str, line: int, path: Path) -> Records:
    """Iterate over non-empty records. A quote that never ends, or ends within a cell, loses only its own line.

    Raises BadInput for lines without end, and for quotes that make the work more than a multiple of the text.
    """
    try:
        yield from _parsed(text, delimiter, line)
    except OSError as problem:
        place = label(path)
        raise BadInput(place, problem.strerror or "cannot be read", "delimited text, each record on its line") from None


def _parsed(text: IO[str], delimiter: str, line: int = 0) -> Records:
    lines = _Lines(text, line)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    with text:
        while True:
            lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                lines.give_again()
                yield lines.first, RejectedRow(lines.first, str(problem))
                continue
            whole = "".join(cells)
            if whole and not whole.isspace():
                yield lines.first, cells
