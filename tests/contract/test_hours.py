"""The marketing window against hand-written instants."""

from __future__ import annotations

import pytest

from simbench.base import calendar as cal
from simbench.base.units import HOUR_US, SECOND_US
from simbench.contract import load_contract
from simbench.contract.hours import marketing_hours

TERMS = load_contract().terms


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        ((2026, 2, 9, 7, 59, 59), False),
        ((2026, 2, 9, 8), True),
        ((2026, 2, 9, 21, 59, 59), True),
        ((2026, 2, 9, 22), False),
        ((2026, 2, 7, 12), True),
        ((2026, 2, 8, 12), False),
        ((2026, 5, 14, 12), False),
        ((2026, 7, 15, 8), True),
    ],
)
def test_marketing_hours_run_from_8_to_22_on_jours_ouvrables(moment: tuple[int, ...], allowed: bool) -> None:
    assert marketing_hours(cal.instant(*moment), TERMS) is allowed


def test_the_closed_reading_admits_22_00_00_and_not_a_second_more() -> None:
    edge = cal.instant(2026, 2, 9, 22)
    assert marketing_hours(edge, TERMS, closed=True)
    assert marketing_hours(edge + SECOND_US - 1, TERMS, closed=True)
    assert not marketing_hours(edge + SECOND_US, TERMS, closed=True)


def test_2026_has_4242_marketing_hours() -> None:
    quarters = range(cal.instant(2026, 1, 1), cal.instant(2027, 1, 1), HOUR_US)
    assert sum(marketing_hours(us, TERMS) for us in quarters) == 4242
