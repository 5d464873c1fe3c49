"""Lists of numbers: one per line, a column of a table, or several on a line; other rows are rejected."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.sla.imports.numbers import listed, read_numbers
from tests.paris import PLAN
from tests.tables.samples import parquet, workbook

TWO = frozenset({"33639980012", "33639980013"})


@pytest.mark.parametrize(
    "octets",
    [
        b"33639980012\n33639980013\n",
        b"+33 6 39 98 00 12\r\n06.39.98.00.13",
        b"33639980012 33639980013\n",
        b"33639980012,33639980013\n",
        b"msisdn\n0639980012\n0639980013\n",
        b"name;Mobile;since\nA;06 39 98 00 12;2025\nB;0639980013;2024\n",
        b"Contacts\n0639980012\n0639980013\n",
        b"sep=;\nnum\xc3\xa9ro;x\n0639980012;1\n0639980013;2\n",
        "33639980012\n33639980013\n".encode("utf-16"),
        b"\xef\xbb\xbf33639980012\n\n33639980013\n",
        workbook(("number",), (33639980012,), ("06 39 98 00 13",)),
        parquet(number=[33639980012, 33639980013]),
    ],
)
def test_a_list_of_two_numbers(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "list"
    path.write_bytes(octets)
    found = read_numbers(path, PLAN)
    assert (found.numbers, found.notes) == (TWO, ())


def test_lines_that_are_no_number_are_rejected_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("0639980012\n3.363998E+10\n0639980013\n", "utf-8")
    found = read_numbers(path, PLAN)
    assert found.numbers == TWO
    assert [str(one) for one in found.notes] == [f'line 2: {path}: "3.363998E+10" is not a valid phone number']


def test_a_list_without_any_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("x1\n", "utf-8")
    with pytest.raises(BadInput, match="none of 1 lines is a telephone number"):
        read_numbers(path, PLAN)
    with pytest.raises(BadInput, match=r"[Nn]o such file"):
        read_numbers(tmp_path / "absent.txt", PLAN)


def test_a_number_written_out_has_to_be_one() -> None:
    assert listed(["+33 6 39 98 00 12", "0639980013"], PLAN, "x").numbers == TWO
    with pytest.raises(BadInput, match=r'x\[1\]: "36" is not a number'):
        listed(["0639980012", "36"], PLAN, "x")
