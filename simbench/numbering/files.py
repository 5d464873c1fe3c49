"""Reads the columns of a subscriber or portability file, CSV or Parquet, in pieces.

The first invalid row ends the reading with an error naming file, line, value and expectation.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from simbench.base.errors import SubscriberError
from simbench.base.inputs import bounded_lines, open_input
from simbench.numbering.plan import NumberingPlan

if TYPE_CHECKING:
    import pyarrow as pa

PIECE_ROWS = 65_536
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MOST_OPERATORS = 32_767  # counted in 16 bits
_HEAD = 3  # first digits, after the national prefix, that suffice to recognise most mobile numbers


class Piece(msgspec.Struct, frozen=True):
    """Consecutive rows of a file: each column as an Arrow array of strings, and the line (Parquet: row) of each row."""

    path: Path
    unit: str
    lines: Sequence[int]
    columns: dict[str, pa.Array]

    def wrong(self, column: str, index: int, expected: str) -> SubscriberError:
        """Return the error for the value at an index of a column."""
        value = self.columns[column][index].as_py()
        problem = "no value" if value in (None, "") else ascii(value)[:60]
        return SubscriberError(f"{self.path}, {self.unit} {self.lines[index]}, {column}", problem, expected)


def pieces(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Iterator[Piece]:
    """Read a file piece by piece; `.parquet` is Parquet, everything else CSV with a header line.

    Raises SubscriberError for unreadable files, missing, unknown or duplicate columns, and rows of another length.
    """
    read = _parquet if path.suffix == ".parquet" else _csv
    try:
        yield from read(path, required, optional)
    except OSError as problem:
        text = (problem.strerror or str(problem)).splitlines()[0]
        raise SubscriberError(str(path), text, "a CSV or Parquet file that can be read") from None


def msisdns(piece: Piece, plan: NumberingPlan) -> tuple[np.ndarray, np.ndarray]:
    """Return canonical msisdns of a piece as int64, and which of them are M2M numbers.
    Raises SubscriberError for a number that is neither mobile nor M2M.
    """
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load, and only files need it
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    written, code = piece.columns["msisdn"], plan.data.country_code
    length = plan.data.digits - len(plan.data.trunk)
    block, first = 10 ** (length - _HEAD), int(code) * 10**length
    usual = pc.fill_null(pc.match_substring_regex(written, f"^{code}[0-9]{{{length}}}$"), False)
    numbers: np.ndarray = pc.if_else(usual, written, "0").cast(pa.int64()).to_numpy(zero_copy_only=False).copy()
    plain = (numbers >= first) & _plain(plan)[np.clip((numbers - first) // block, 0, 10**_HEAD - 1)]
    machines = np.zeros(len(numbers), np.int8)
    for index in np.flatnonzero(~plain):
        number = plan.classify(written[int(index)].as_py() or "")
        if number.kind not in ("mobile", "m2m"):
            raise piece.wrong("msisdn", int(index), "a mobile or M2M number of the operator's country")
        numbers[index], machines[index] = int(number.msisdn), number.kind == "m2m"
    return numbers, machines


@lru_cache(maxsize=8)
def _plain(plan: NumberingPlan) -> np.ndarray:
    """Return which first digits, after the national prefix, belong to mobile numbers only."""
    return np.array([plan.plain_mobile(f"{plan.data.trunk}{head:0{_HEAD}}") for head in range(10**_HEAD)])


def choices(piece: Piece, column: str, known: Sequence[str]) -> np.ndarray:
    """Return the index of each value of a column in `known`, as int8."""
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load, and only files need it
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    places = pc.fill_null(pc.index_in(piece.columns[column], pa.array(known)), -1)
    found: np.ndarray = places.to_numpy(zero_copy_only=False)
    for index in np.flatnonzero(found < 0)[:1]:
        raise piece.wrong(column, int(index), " or ".join(known))
    return found.astype(np.int8)


def operators(piece: Piece, names: dict[str, int]) -> np.ndarray:
    """Return the operators of a piece as int16 indices into `names`, to which new ones are added."""
    encoded = piece.columns["operator"].dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    numbered = np.zeros(len(encoded.dictionary) + 1, np.int16)  # the last stands for null
    numbered[-1] = -1
    for place, name in enumerate(encoded.dictionary.to_pylist()):
        fits = _OPERATOR.fullmatch(name) is not None and (name in names or len(names) < _MOST_OPERATORS)
        numbered[place] = names.setdefault(name, len(names)) if fits else -1
    found: np.ndarray = numbered[places]
    for index in np.flatnonzero(found < 0)[:1]:
        raise piece.wrong("operator", int(index), "a short name in lower-case letters, such as acme or none")
    return found


def _csv(path: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[Piece]:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load, and only files need it

    # Octets that are not UTF-8 become backslashes, which no column accepts.
    with TextIOWrapper(open_input(path), "utf-8-sig", "backslashreplace", newline="") as file:
        rows = csv.reader(bounded_lines(file), strict=True)
        try:
            names = next(rows, [])
            _check_names(path, names, required, optional)
            filled = ((rows.line_num, row) for row in rows if row)
            while read := list(islice(filled, PIECE_ROWS)):
                for line, row in read:
                    if len(row) != len(names):
                        expected = f"{len(names)}: {', '.join(names)}"
                        raise SubscriberError(f"{path}, line {line}", f"{len(row)} values", expected)
                columns = zip(*(row for _, row in read), strict=True)
                arrays = {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
                yield Piece(path, "line", [line for line, _ in read], arrays)
        except csv.Error as problem:
            raise SubscriberError(f"{path}, line {rows.line_num}", str(problem), "CSV with commas") from None


def _parquet(path: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[Piece]:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load, and only files need it

    from simbench.base.parquet_files import open_parquet  # noqa: PLC0415 - as above

    try:
        with open_parquet(path) as file:
            names = file.schema_arrow.names
            _check_names(path, names, required, optional)
            row = 1
            for batch in file.iter_batches(PIECE_ROWS):
                arrays = {name: batch.column(name).cast(pa.string()) for name in names}
                for array in arrays.values():
                    array.validate(full=True)  # texts of damaged files need not be UTF-8
                yield Piece(path, "row", range(row, row + batch.num_rows), arrays)
                row += batch.num_rows
    except (pa.ArrowException, ValueError) as problem:  # ValueError for duplicate column names
        raise SubscriberError(str(path), str(problem).splitlines()[0], "a Parquet file of texts and numbers") from None


def _check_names(path: Path, names: list[str], required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    expected = f"columns {', '.join(required)}" + (f", optionally {', '.join(optional)}" if optional else "")
    for name in required:
        if name not in names:
            raise SubscriberError(str(path), f"no column {name}", expected)
    for name in names:
        if name not in required + optional or names.count(name) > 1:
            raise SubscriberError(str(path), f"column {ascii(name)[:60]} is unknown or repeated", expected)
