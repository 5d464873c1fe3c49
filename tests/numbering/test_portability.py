"""Portability files: the operator of a number at an instant, and one clear error for a wrong file."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import SubscriberError
from simbench.numbering.portability import PortabilityTable
from tests.paris import FRANCE, PLAN, instant

HEADER = "msisdn,operator,valid_from\n"
ONE_FILE = settings(max_examples=60)


def table(folder: Path, text: str) -> PortabilityTable:
    path = folder / "ports.csv"
    path.write_text(text)
    return PortabilityTable.read(path, PLAN, FRANCE)


def test_a_port_holds_from_midnight_in_paris_until_the_next(tmp_path: Path) -> None:
    ports = table(tmp_path, HEADER + "33639980012,sfr,2016-10-03\n0639980012,orange,2016-11-01\n")
    first, second = instant(2016, 10, 3), instant(2016, 11, 1)
    found = [ports.lookup("33639980012", at) for at in (first - 1, first, second - 1, second, 1 << 60)]
    assert found == [None, "sfr", "sfr", "orange", "orange"]


def test_a_number_is_found_in_any_spelling_and_others_are_not(tmp_path: Path) -> None:
    ports = table(tmp_path, HEADER + "+33639980012,free,2016-10-03\n")
    at = instant(2017, 1, 1)
    assert {ports.lookup(each, at) for each in ("0639980012", "33639980012", "0033639980012")} == {"free"}
    assert [ports.lookup(each, at) for each in ("0639980013", "0199001234", "36050", "", "x")] == [None] * 5


def test_of_two_ports_on_one_day_the_later_line_counts(tmp_path: Path) -> None:
    ports = table(tmp_path, HEADER + "33639980012,sfr,2016-10-03\n33639980012,free,2016-10-03\n")
    assert ports.lookup("33639980012", instant(2016, 10, 3)) == "free"


def test_a_file_with_nothing_but_a_header_ports_nothing(tmp_path: Path) -> None:
    ports = table(tmp_path, HEADER)
    assert len(ports) == 0
    assert ports.lookup("33639980012", 0) is None


def test_parquet_gives_the_same_as_csv(tmp_path: Path) -> None:
    columns = {"msisdn": [33639980012], "operator": ["bouygues"], "valid_from": [date(2016, 10, 3)]}
    pq.write_table(pa.table(columns), tmp_path / "ports.parquet")
    ports = PortabilityTable.read(tmp_path / "ports.parquet", PLAN, FRANCE)
    assert ports.lookup("0639980012", instant(2016, 10, 3)) == "bouygues"


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (HEADER + "33639980012,sfr,2016-10-03\n33639980013,sfr,03/10/2016\n", "line 3, valid_from: '03/10/2016'"),
        (HEADER + "33639980012,sfr,2016-02-30\n", "line 2, valid_from: '2016-02-30'"),
        (HEADER + "33639980012,sfr,20161003\n", "line 2, valid_from: '20161003'"),
        (HEADER + "\n\n33639980012,sfr,\n", "line 4, valid_from: no value"),
        (HEADER + "36050,sfr,2016-10-03\n", "line 2, msisdn: '36050'; expected a mobile"),
        (HEADER + "0199001234,sfr,2016-10-03\n", "line 2, msisdn: '0199001234'"),
        (HEADER + "33639980012,S F R,2016-10-03\n", "line 2, operator: 'S F R'"),
        (HEADER + "33639980012,sfr\n", "line 2: 2 values; expected 3"),
        ("msisdn,operator\n", "no column valid_from"),
        ("msisdn,operator,valid_from,extra\n", "column 'extra' is unknown or repeated"),
        ("msisdn,operator,valid_from,operator\n", "column 'operator' is unknown or repeated"),
        ("", "no column msisdn"),
        (HEADER + '33639980012,"sfr,2016-10-03\n', "line 2"),
    ],
)
def test_a_wrong_file_is_reported_with_line_value_and_expectation(tmp_path: Path, text: str, reported: str) -> None:
    with pytest.raises(SubscriberError) as error:
        table(tmp_path, text)
    assert reported in str(error.value)
    assert "ports.csv" in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.expected


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    for name in ("none.csv", "none.parquet"):
        with pytest.raises(SubscriberError, match="No such file"):
            PortabilityTable.read(tmp_path / name, PLAN, FRANCE)


@ONE_FILE
@given(octets=st.binary(max_size=300) | st.binary(max_size=100).map(lambda each: HEADER.encode() + each))
@pytest.mark.parametrize("name", ["ports.csv", "ports.parquet"])
def test_any_octets_are_read_or_refused_in_one_line(tmp_path: Path, name: str, octets: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(octets)
    try:
        assert len(PortabilityTable.read(path, PLAN, FRANCE)) >= 0
    except SubscriberError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


PORTS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["orange", "sfr", "free"]), st.integers(0, 9)), max_size=20
)


@ONE_FILE
@given(ports=PORTS, number=st.integers(0, 5), day=st.integers(-1, 10))
def test_look_ups_agree_with_reading_the_lines_in_order(
    tmp_path: Path, ports: list[tuple[int, str, int]], number: int, day: int
) -> None:
    begin = date(2016, 10, 25)  # the clocks go back within these days
    lines = [f"3363998001{each},{operator},{begin + timedelta(days=since)}" for each, operator, since in ports]
    found = table(tmp_path, HEADER + "\n".join(lines))
    true_by_then = [(since, operator) for each, operator, since in ports if each == number and since <= day]
    expected = max(enumerate(true_by_then), key=lambda each: (each[1][0], each[0]))[1][1] if true_by_then else None
    on = begin + timedelta(days=day)
    assert found.lookup(f"3363998001{number}", instant(on.year, on.month, on.day, 12)) == expected
