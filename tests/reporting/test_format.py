from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.text import count
from simbench.base.units import DAY_US, HOUR_US
from simbench.reporting.format import duration, interval, legible, moment, number, quantity, sentence, source
from tests.bench.report.simulated import START
from tests.paris import FRANCE


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        (0, "0"),
        (57, "57"),
        (19.9999, "20"),
        (1234567, "1,234,567"),
        (0.25, "0.25"),
        (0.00001234, "1.2e-05"),
        (-0.0, "0"),
        (-3.5, "-3.5"),
        (float("inf"), "unlimited"),
        (float("nan"), "not a number"),
    ],
)
def test_numbers_are_short_and_exact_enough(value: float, reported: str) -> None:
    assert number(value) == reported


@pytest.mark.parametrize(
    ("us", "reported"),
    [(0, "0 s"), (7, "7 µs"), (1500, "1.5 ms"), (999_000, "999 ms"), (15_000_000, "15 s"), (119_000_000, "119 s"),
     (120_000_000, "2 min"), (312_500_000, "5 min 12.5 s"), (6 * HOUR_US, "6 h"), (3_720_000_000, "1 h 2 min"),
     (-150_000_000, "-2 min 30 s"), (0.25, "0.25 µs")],
)  # fmt: skip
def test_durations_take_the_unit_that_suits_them(us: float, reported: str) -> None:
    assert duration(us) == reported


def test_instants_are_paris_civil_time() -> None:
    assert moment(START + 123, FRANCE) == "2016-10-03 10:00:00.000123 +02:00"
    assert moment(0, FRANCE) == "1970-01-01 01:00:00.000000 +01:00"


def test_an_interval_repeats_neither_date_nor_zone() -> None:
    assert interval(0, 0, FRANCE) == ""
    assert interval(START, 0, FRANCE) == moment(START, FRANCE)
    assert interval(START, START + 1000, FRANCE) == "2016-10-03 10:00:00.000000 to 10:00:00.001000 +02:00 (1 ms)"
    assert interval(START, START + DAY_US, FRANCE).endswith("to 2016-10-04 10:00:00.000000 +02:00 (24 h)")


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_any_interval_can_be_reported(start: int, end: int) -> None:
    assert bool(interval(start, end, FRANCE)) == bool(start or end)


@given(st.text())
def test_legible_text_can_be_written_to_any_page(text: str) -> None:
    seen = legible(text)
    seen.encode()
    assert not any(char < " " and char not in "\t\n\r" for char in seen)


def test_small_words() -> None:
    assert count(1, "code") == "1 code"
    assert count(1200, "code") == "1,200 codes"
    assert quantity(None, "s") == "–"
    assert quantity(2.5, "s") == "2.5 s"
    assert sentence(["a"]) == "a"
    assert sentence(["a", "b", "c"]) == "a, b and c"
    assert sentence([str(n) for n in range(9)]) == "0, 1, 2, 3, 4 and 4 more"
    assert source("B:137") == "brochure, line 137"
    assert source("B:262, B:271-274") == "brochure, lines 262, 271-274"
    assert source("af2m, sender names") == "af2m, sender names"


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [
        (0.98999996, 0.99, "share", "98.999996 %"), (0.98965, 0.99, "share", "98.965 %"), (0.99, 0.99, "share", "99 %"),
        (6.00001, 6, "h", "6.00001 h"), (7.16667, 6, "h", "7.167 h"), (6, 6, "h", "6 h"),
    ],
)  # fmt: skip
def test_a_value_just_over_its_limit_does_not_read_as_the_limit(
    value: float, limit: float, unit: str, text: str
) -> None:
    assert quantity(value, unit, limit) == text
