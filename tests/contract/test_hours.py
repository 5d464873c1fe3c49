"""The marketing window against hand-written instants."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.units import HOUR_US, SECOND_US
from simbench.contract import load_contract
from tests import paris as cal

CONTRACT = load_contract()


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
    assert CONTRACT.may_send("marketing", cal.instant(*moment)) is allowed


def test_the_closed_reading_admits_22_00_00_and_not_a_second_more(tmp_path: Path) -> None:
    path = tmp_path / "closed.toml"
    path.write_text('extends = "orange_ops_2016"\ntitle = "closed"\n[ambiguities.AMB-20]\nreading = "closed"\n')
    closed, edge = load_contract(path), cal.instant(2026, 2, 9, 22)
    assert closed.may_send("marketing", edge)
    assert closed.may_send("marketing", edge + SECOND_US - 1)
    assert not closed.may_send("marketing", edge + SECOND_US)


def test_2026_has_4242_marketing_hours() -> None:
    quarters = range(cal.instant(2026, 1, 1), cal.instant(2027, 1, 1), HOUR_US)
    assert sum(CONTRACT.may_send("marketing", us) for us in quarters) == 4242
