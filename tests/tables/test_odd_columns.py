"""Columns of Parquet of every type, extreme values and names that stand twice: read, or refused in one line."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simbench.base.errors import BadInput, SimbenchError
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.sources import Reading, read_calls
from simbench.numbering.listing import Listing
from simbench.numbering.portability import PortabilityTable
from tests.paris import PLAN
from tests.tables.samples import CONTRACT, READERS

LARGEST = 2**63 - 1
ENDS = pa.array([LARGEST, -LARGEST, 0, None], pa.int64())
ZONES = (None, "UTC", "Europe/Paris", "+01:00", "+99:99", "No/Where")
TEXTS = pa.array(["a", None])
BAD_UTF_8 = (None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
COLUMNS: dict[str, pa.Array] = {
    "int64": ENDS,
    "uint64": pa.array([2**64 - 1, None], pa.uint64()),
    "int8": pa.array([-128, None], pa.int8()),
    **{
        f"timestamp {unit} {zone}": values.cast(pa.timestamp(unit, zone))
        for unit in ("ms", "us", "ns") for zone in ZONES for values in (ENDS,)
    },
    "timestamp of the year 10000": pa.array([253_402_300_800_000_000]).cast(pa.timestamp("us", "UTC")),
    "decimal": pa.array([Decimal("9" * 38)], pa.decimal128(38, 0)),
    "long decimal": pa.array([Decimal("9" * 76)], pa.decimal256(76, 0)),
    "small decimal": pa.array([Decimal("1E-30")], pa.decimal128(38, 38)),
    "days": pa.array([2**31 - 1, -(2**31)], pa.int32()).cast(pa.date32()),
    "dates": pa.array([86_400_000 * 10**8], pa.int64()).cast(pa.date64()),
    "time": pa.array([1], pa.time64("us")),
    "duration": ENDS.cast(pa.duration("us")),
    "float": pa.array([float("nan"), float("inf"), 1e308, -0.0, None]),
    "boolean": pa.array([True, None]),
    "nothing": pa.nulls(2),
    "dictionary": TEXTS.dictionary_encode(),
    "dictionary of numbers": ENDS.dictionary_encode(),
    "dictionary of instants": ENDS.cast(pa.timestamp("us")).dictionary_encode(),
    "list": pa.array([[1], None]),
    "struct": pa.array([{"a": 1}, None]),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "octets": pa.array([b"\xff\x00"]),
    "large octets": pa.array([b"\xff"], pa.large_binary()),
    "octets of one length": pa.array([b"ab"], pa.binary(2)),
    "extension": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"a" * 16], pa.binary(16))),
    "JSON": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"])),
    "texts that are none": pa.Array.from_buffers(pa.string(), 1, [*BAD_UTF_8]),
    "large texts": pa.array(["\x1b]0;t\x07"], pa.large_string()),
    "views": pa.array(["a"], pa.string_view()),
}  # fmt: skip
AT = 968_700_000_000_000
NAMES: dict[str, list[Any]] = {
    "nas": ["a", "b"],
    "port": [1, 2],
    "user": ["u", "v"],
    "session": ["1", "2"],
    "cause": ["1", "2"],
}
CALLS: dict[str, dict[str, list[Any]]] = {
    "us": {"start_us": [AT, AT + 10**9], "duration_us": [9 * 10**7] * 2, **NAMES},
    "seconds": {"start_us": [AT, AT + 10**9], "duration_s": [90] * 2, **NAMES},
    "ends": {"start_us": [AT, AT + 10**9], "end_us": [AT + 1, AT + 2 * 10**9], **NAMES},
    "texts": {"start": ["2000-09-12T10:00:00"] * 2, "end": ["2000-09-12T10:01:00"] * 2, **NAMES},
}
OFFER = load_netrevenu()


def of_text(text: str) -> dict[str, list[Any]]:
    """A table of the samples by its columns."""
    heads, *rows = csv.reader(text.splitlines(), delimiter=max(",;\t", key=text.count))
    return {head: [row[place] if place < len(row) else "" for row in rows] for place, head in enumerate(heads)}


def calls(path: Path) -> object:
    return read_calls(path, OFFER, Reading())


KINDS = {
    **{name: (of_text(text), read) for name, (text, read) in READERS.items() if name != "kannel"},
    **{f"calls by {name}": (table, calls) for name, table in CALLS.items()},
    "subscribers": (
        {"msisdn": ["0639980012"], "operator": ["orange"], "state": ["off"]}, lambda path: Listing.read(path, PLAN)
    ),
    "ported": (
        {"msisdn": ["0639980012"], "operator": ["orange"], "valid_from": ["2016-10-03"]},
        lambda path: PortabilityTable.read(path, PLAN, CONTRACT.calendar),
    ),
}  # fmt: skip


def read_or_refuse(kind: str, table: pa.Table, folder: Path) -> None:
    path = folder / "t.parquet"
    problem = ""
    try:
        pq.write_table(table, path)
    except pa.ArrowException:  # a type that Parquet has not
        return
    try:
        KINDS[kind][1](path)
    except SimbenchError as refused:
        problem = str(refused)
    assert "\n" not in problem
    assert len(problem) < 1_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_of_any_type_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    sound, rows = KINDS[kind][0], len(next(iter(KINDS[kind][0].values())))
    for name in sound:
        for values in COLUMNS.values():
            column = pa.concat_arrays([values] * rows).slice(0, rows)
            read_or_refuse(
                kind, pa.table({**{each: pa.array(cells) for each, cells in sound.items()}, name: column}), tmp_path
            )


@pytest.mark.parametrize("kind", KINDS)
def test_columns_beside_those_wanted_make_no_trouble(kind: str, tmp_path: Path) -> None:
    sound, rows = KINDS[kind][0], len(next(iter(KINDS[kind][0].values())))
    names, arrays = list(sound), [pa.array(cells) for cells in sound.values()]
    ones = pa.array([1] * rows)
    for more in ([ones, ones], [ones], [pa.array([{"a": 1}] * rows)], arrays):
        for heads in (["x", "x"], [""], ["\x1b[\n"], [f"{names[0]}.x"], names):
            if len(heads) == len(more):
                read_or_refuse(kind, pa.Table.from_arrays([*arrays, *more], names=[*names, *heads]), tmp_path)
    read_or_refuse(kind, pa.table({"s": [dict.fromkeys(names, 1)] * rows}), tmp_path)
    read_or_refuse(kind, pa.table({}), tmp_path)
    read_or_refuse(kind, pa.table({name: cells[:0] for name, cells in sound.items()}), tmp_path)


def test_a_name_that_stands_twice_is_refused_by_it(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["0639980012"])] * 2, names=["msisdn"] * 2), path)
    with pytest.raises(BadInput, match='2 columns are called "msisdn"; expected each name used once'):
        READERS["numbers"][1](path)


def test_numbers_of_subscribers_beyond_32_bits_stay_apart(tmp_path: Path) -> None:
    path, users = tmp_path / "calls.parquet", [33_639_980_012, 33_639_980_012 + 2**32, None]
    table = {"start_us": [AT, AT + 10**9, AT + 2 * 10**9], "duration_us": [9 * 10**7] * 3, "user": users}
    pq.write_table(pa.table({**table, "nas": pa.array([2**40, 5, None], pa.uint64())}), path)
    read = read_calls(path, OFFER, Reading()).calls
    assert [(call.user, call.nas) for call in read.rows()] == [
        (str(users[0]), str(2**40)), (str(users[1]), "5"), ("", "")
    ]  # fmt: skip


def test_a_port_beyond_64_bits_with_a_sign_costs_its_row_only(tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    ports = pa.array([2**64 - 1, None, 3], pa.uint64())
    pq.write_table(
        pa.table({"start_us": [AT, AT + 10**9, AT + 2 * 10**9], "duration_us": [1] * 3, "port": ports}), path
    )
    read = read_calls(path, OFFER, Reading())
    assert [call.port for call in read.calls.rows()] == [-1, 3]
    assert [(row.line, row.text) for row in read.aside.rows] == [(1, f"port {2**64 - 1}")]


def test_an_instant_that_microseconds_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.parquet"
    wraps = pa.array([(2**64 + AT) // 1_000]).cast(pa.timestamp("ms"))  # in 64 bits the instant of a call
    pq.write_table(pa.table({"start": wraps, "duration_us": [9 * 10**7]}), path)
    with pytest.raises(BadInput, match="start: holds times beyond 63 bits of microseconds"):
        calls(path)
