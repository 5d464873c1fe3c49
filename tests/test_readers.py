"""Every reader of files takes any octets: it reads them, or says in one line what is wrong (exit status 2 or 3)."""

from __future__ import annotations

import os
import re
import tracemalloc
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbench.base.errors import SimbenchError
from tests.odd_files import NOTHING, ODD, fed
from tests.readers import ROOT, Reader, readers
from tests.tables.samples import READERS as TABLES

NAMES = [
    "scenario", "faults", "world", "study", "plan", "dial-up", "roaming", "contract", "offer", "roaming contract",
    "decisions", "laws", "campaigns", "keys", "baseline", "acts", "forecast", "mapping", "client", "numbers", "ported",
    "calls", "calls, Parquet", "detail", "statement", "journal", "capture", "RADIUS capture", "run.json",
    "session.json", "findings.json", "session", "certificate", "capabilities", "overlay", "sweep", "journal of a sweep",
    "plan.json", "roaming bills", "invoice, XLSX", "invoice, Parquet", *(f"table of {name}" for name in TABLES),
]  # fmt: skip
NEED_NOT_BE = {"session", "sweep", "journal of a sweep"}  # what is no file there is as if it was not there
DAMAGE = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SPARSE = 1 << 36  # octets
DEEP, LONG = 20_000, 200_000
SHAPES = {
    "nothing": b"",
    "zeros": bytes(1_000),
    "deep TOML": b"a = " + b"[" * DEEP,
    "deep tables": b"a = " + b"{a = " * DEEP,
    "deep JSON": b'{"a":' * DEEP,
    "deep lists": b"[" * DEEP,
    "a long name": b"a" * LONG + b" = 1\n",
    "a long name in quotes": b'"' + b"a." * LONG + b'" = 1\n',
    "a name of many words": b"a." * LONG + b"a = 1\n",
    "a table of many words": b"[" + b"a." * LONG + b"a]\n",
    "a line without end": b"a" * 10 * LONG,
    "many cells": b",".join([b"a"] * LONG) + b"\n" + b"," * LONG,
    "an open quote": b'a,b\n"' + b"a,\n" * LONG,
    "a line of quotes": b'"' * LONG,
    "keys that stand twice": b"a = 1\n" * (LONG // 10),
    "no text": bytes(range(256)) * 100,
}
WORDS = (
    b"9" * 30, b"9" * 5_000, b"-1", b"0", b"1.5", b"1e400", b"nan", b"inf", b"9223372036854775808", b"true", b"null",
    b"0001-01-01", b"9999-12-31", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"2026-10-25T02:30:00",
    b'""', b'"x"', b"[]", b"{}", b"[1]", b'{"a":1}', b"\xff", b"\x00", "\u0662\u0660".encode(), b"\x1b[2J",
)  # fmt: skip
BLOWS = st.tuples(st.sampled_from(["value", "octet", "cut", "line"]), st.integers(0, 2**40), st.sampled_from(WORDS))
_VALUE = re.compile(rb'\d{4}-\d\d-\d\d(?:T[\d:+Z-]+)?|"[^"\n]*"|\d+(?:\.\d+)?|true|false|null')


@pytest.fixture(scope="module")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    found = readers(tmp_path_factory.mktemp("samples"))
    found |= {f"table of {name}": Reader("t.csv", text.encode(), read) for name, (text, read) in TABLES.items()}
    assert sorted(found) == sorted(NAMES)
    return Known(found)


class Known(dict[str, Reader]):
    """Readers by name; short in a report of what fails."""

    def __repr__(self) -> str:
        return "all readers"


def problem_of(reader: Reader, octets: bytes, folder: Path) -> str:
    """Return the reader's error for these octets, "" if it reads them."""
    path = folder / reader.name
    path.write_bytes(octets)
    (folder / "day.toml").write_bytes((ROOT / "scenarios/plan/day.toml").read_bytes())
    problem = ""
    try:
        reader.read(path)
    except SimbenchError as refused:
        problem = str(refused)
    assert "\n" not in problem
    assert len(problem) < 1_000
    return problem


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_file_is_read(name: str, all_readers: dict[str, Reader], tmp_path: Path) -> None:
    problem = problem_of(all_readers[name], all_readers[name].octets, tmp_path)
    assert not problem or "RADIUS" in name


@pytest.mark.parametrize("name", NAMES)
def test_no_shape_of_file_makes_a_reader_stumble(name: str, all_readers: dict[str, Reader], tmp_path: Path) -> None:
    for octets in SHAPES.values():
        problem_of(all_readers[name], octets, tmp_path)


@pytest.mark.parametrize("name", NAMES)
@DAMAGE
@given(st.lists(BLOWS, min_size=1, max_size=3))
def test_no_damage_makes_a_reader_stumble(
    name: str, all_readers: dict[str, Reader], tmp_path: Path, blows: list[tuple[str, int, bytes]]
) -> None:
    reader = all_readers[name]
    octets = bytearray(reader.octets)
    spots = [found.span() for found in _VALUE.finditer(reader.octets)] or [(0, len(octets))]
    for what, number, word in blows:
        place = number % max(len(octets), 1)
        if what == "value":
            start, end = spots[number % len(spots)]
            octets[start:end] = word
        elif what == "octet":
            octets[place : place + 1] = bytes([number % 256])
        elif what == "cut":
            del octets[place:]
        else:
            end = octets.find(b"\n", place) + 1 or len(octets)
            octets[place:place] = octets[place:end]
    problem_of(reader, bytes(octets), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_is_refused(name: str, all_readers: dict[str, Reader], tmp_path: Path) -> None:
    reader = all_readers[name]
    for kind, made in {**ODD, "none": NOTHING}.items():
        path = tmp_path / kind / reader.name
        path.parent.mkdir()
        made(path)
        problem = ""
        with fed(path) if kind == "pipe" else nullcontext():
            try:
                reader.read(path)
            except SimbenchError as refused:
                problem = str(refused)
        assert "\n" not in problem
        assert problem or name in NEED_NOT_BE


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_no_text_is_read_or_refused_in_one_line(
    name: str, all_readers: dict[str, Reader], tmp_path: Path
) -> None:
    reader = all_readers[name]
    for folder in (os.fsdecode(b"\xff\xfe"), "x" * 255, "\x1b[2J\n"):
        (tmp_path / folder).mkdir()
        problem = problem_of(reader, reader.octets, tmp_path / folder)
        assert not problem or "RADIUS" in name or folder.startswith(("\udcff", "\x1b"))


@pytest.mark.parametrize("name", NAMES)
def test_a_sparse_file_of_many_gigabytes_takes_no_memory(
    name: str, all_readers: dict[str, Reader], tmp_path: Path
) -> None:
    reader = all_readers[name]
    for octets in (b"", reader.octets):
        path = tmp_path / f"{len(octets)}" / reader.name
        path.parent.mkdir()
        path.write_bytes(octets)
        os.truncate(path, SPARSE)
        tracemalloc.start()
        with suppress(SimbenchError):
            reader.read(path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < SPARSE / 100
