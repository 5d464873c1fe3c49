"""Telephone numbers as people and spreadsheets write them: one canonical number, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paris import PLAN

number_of, address_key = PLAN.read, PLAN.key

ONE = "33639980012"


@pytest.mark.parametrize(
    "written",
    [
        "33639980012", "+33639980012", "0033639980012", "0639980012", "+33 6 39 98 00 12", "06 39 98 00 12",
        "06.39.98.00.12", "06-39-98-00-12", "06/39/98/00/12", "+33(0)639980012", "+33 (0)6 39 98 00 12",
        "(06) 39 98 00 12", "'+33639980012", "33639980012.0", "33639980012,00", "639980012", "639980012.0",
        "06\u00a039\u202f98 00 12", " 0639980012 ", 33639980012, 33639980012.0, 639980012,
    ],
)  # fmt: skip
def test_one_number_in_many_writings(written: object) -> None:
    assert number_of(written) == ONE


@pytest.mark.parametrize(
    "written",
    ["3.363998E+10", "3,36E10", "", "abc", "36010", "06399800", "+33 6 39 98 00 12 34", "0639980012x", "#N/A", "-1",
     None, True, 3.5, float("nan"), float("inf"), 3.363998e20],
)  # fmt: skip
def test_what_is_no_number_is_none(written: object) -> None:
    assert number_of(written) is None


def test_numbers_of_other_countries_keep_their_code() -> None:
    assert number_of("+44 7700 900123") == number_of("0044 7700 900123") == "447700900123"


def test_an_address_that_is_no_number_stands_for_itself() -> None:
    assert (address_key("0639980012"), address_key("+33639980012"), address_key("999")) == (ONE, ONE, "999")


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_anything_is_a_number_or_none(written: object) -> None:
    found = number_of(written)
    assert found is None or (found.isascii() and found.isdigit())
