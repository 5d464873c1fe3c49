"""Instants as written: the zone they name, seconds since 1970, and the hours that exist twice or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US
from simbench.tables.instants import Moment, NoZone, instant_of, moment_of
from tests.paris import instant

PARIS = ZoneInfo("Europe/Paris")
NOON = instant(2025, 7, 1, 12)  # 10:00 UTC
PATTERN = "%Y-%m-%d %H:%M:%S %Z"


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("2025-07-01 12:00:00", ""), ("2025-07-01T12:00", ""), ("2025-07-01T10:00Z", ""),
        ("2025-07-01 10:00:00 +0000", ""), ("2025-07-01 10:00:00 UTC", ""), ("2025-07-01 12:00:00 CEST", ""),
        ("2025-07-01 11:00:00+01:00", ""), ("2025-07-01 10:00:00 GMT", PATTERN), ("2025-07-01 06:00:00 EDT", PATTERN),
        ("2025-07-01 12:00:00 CEST", PATTERN), ("01/07/2025 12:00", "%d/%m/%Y %H:%M"),
        ("UTC 01-Jul-25 10:00 AM", "%Z %d-%b-%y %I:%M %p"), ("1751364000", ""), ("1751364000", "%s"),
        (1751364000, ""), (1751364000.0, ""), ("1751364000000", ""), ("1751364000000000", ""),
        ("1751364000000000000", ""), ("1751364000.0", ""), (datetime(2025, 7, 1, 12), ""),
        (datetime(2025, 7, 1, 10, tzinfo=UTC), ""),
    ],
)  # fmt: skip
def test_one_instant_in_many_writings(written: object, pattern: str) -> None:
    assert instant_of(written, PARIS, "x", pattern) == NOON


def test_a_fraction_of_a_second_is_kept() -> None:
    assert instant_of("1751364000.25", None, "x") == NOON + 250_000


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("yesterday", ""), ("2025-02-29T00:00Z", ""), ("2025-07-01 10:00:00 XYZ", ""), ("12345678901", ""),
        ("2025-07-01 10:00:00 CST", PATTERN), ("2025-07-01 10:00:00", PATTERN), ("99999999999999999999", ""),
        ("0099-02-03T08:00Z", ""), ("01/07/2025 12:00", ""), (float("nan"), ""), (True, ""), (None, ""), (-1, ""),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(written: object, pattern: str) -> None:
    with pytest.raises(BadInput, match=r"^x: "):
        moment_of(written, PARIS, "x", pattern)


def test_a_time_without_any_zone_is_refused_and_seconds_since_1970_need_none() -> None:
    with pytest.raises(NoZone):
        instant_of("2025-07-01 12:00:00", None, "x")
    assert instant_of("1751364000", None, "x") == NOON


def test_the_hour_that_exists_twice_has_two_readings() -> None:
    twice = moment_of("2025-10-26 02:30", PARIS, "x")
    assert twice == Moment(instant(2025, 10, 26, 2, 30), instant(2025, 10, 26, 2, 30, fold=1))
    assert twice.second - twice.first == HOUR_US
    assert len(moment_of("2025-10-26 02:30 CET", PARIS, "x").readings) == 1


def test_the_hour_that_is_skipped_stands_on_no_clock() -> None:
    skipped = moment_of("2025-03-30 02:30", PARIS, "x")
    assert skipped.skipped
    assert set(skipped.readings) == {instant(2025, 3, 30, 3, 30), instant(2025, 3, 30, 1, 30)}
    assert not moment_of("2025-03-30 03:30", PARIS, "x").skipped
