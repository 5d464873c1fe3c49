"""Presets of presence keep to the figures they are named for; presence is the same compiled and plain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core.presets import PRESETS
from simbench.base.units import HOUR_US
from simbench.kernels import presence
from simbench.kernels.chance import key_of
from simbench.kernels.jit import compiled, kernel
from tests.simulation.worlds import campaign, run, scenario_of

MONDAY = 1_773_014_400_000_000


@pytest.mark.parametrize(
    ("preset", "absent", "lost"), [("clean-base", 0.12, 0.03), ("old-base", 0.25, 0.12), ("etsi-2006", 0.38, 0.02)]
)
def test_a_preset_keeps_its_promise(preset: str, absent: float, lost: float) -> None:
    scenario = scenario_of(
        period={"from": "2026-03-09", "to": "2026-03-16"},
        subscribers={"count": 1_000_000, "preset": preset},
        campaigns=[campaign(start="2026-03-10T08:00", volume=40_000, spread_min=14 * 60)],
    )
    rows = run(scenario, "bulk").centre
    served = [row for row in rows if row[1] in {"delivered", "undelivered"} and row[7] != 101]
    away = {row[5] for row in rows if row[1] == "buffered" and (row[6], row[7]) == (1, 107)}
    assert abs(len(away) / len(served) - absent) < 0.015
    failed = sum(row[1] == "undelivered" for row in rows)
    assert abs(failed / 40_000 - lost) < 0.01


LAW = PRESETS["etsi-2006"].law()
KEY = presence.presence_key(3)


@given(st.integers(33_710_000_000, 33_719_999_999), st.integers(0, 10**13), st.integers(0, 10**11))
def test_presence_is_the_same_compiled_and_plain(subscriber: int, offset: int, ahead: int) -> None:
    now = MONDAY + offset
    plain = presence.back_at(KEY, subscriber, now, now + ahead, LAW.chances, LAW.lengths)
    fast = compiled(presence.back_at)(
        np.uint64(KEY), subscriber, now, now + ahead, np.array(LAW.chances), np.array(LAW.lengths)
    )
    assert plain == fast
    assert plain >= now


@given(st.integers(33_710_000_000, 33_719_999_999), st.integers(0, 10**13), st.data())
def test_who_is_absent_stays_so_until_back(subscriber: int, offset: int, data: st.DataObject) -> None:
    now, far = MONDAY + offset, MONDAY + 10**14
    back = presence.back_at(KEY, subscriber, now, far, LAW.chances, LAW.lengths)
    assert presence.back_at(KEY, subscriber, back, far, LAW.chances, LAW.lengths) == back
    if back > now:
        between = data.draw(st.integers(now, back - 1))
        assert presence.back_at(KEY, subscriber, between, far, LAW.chances, LAW.lengths) == back


@kernel
def _away(key: Any, now: int, chances: Any, lengths: Any, away: Any) -> int:
    for place in range(len(away)):
        away[place] = presence_of(key, 33_710_000_000 + place, now, now, chances, lengths) > now
    return len(away)


presence_of = presence.back_at


def test_absences_of_different_seeds_are_not_alike() -> None:
    found = []
    for seed in (1, 2):
        away = np.zeros(100_000, np.bool_)
        key = np.uint64(key_of(seed, presence.PURPOSE))
        _away(key, MONDAY + 10 * HOUR_US, np.array(LAW.chances), np.array(LAW.lengths), away)
        found.append(away)
    both, each = (found[0] & found[1]).mean(), found[0].mean() * found[1].mean()
    assert abs(both - each) < 0.01


def test_a_lasting_network_error_waits_by_its_own_ladder() -> None:
    failing = [{"reason": 10, "share": 1.0, "kind": "network"}]
    full = [{"reason": 116, "share": 1.0, "kind": "memory-full"}]
    tries = {}
    for name, failures in (("network", failing), ("full", full)):
        scenario = scenario_of(
            period={"from": "2026-03-10", "to": "2026-03-14"},
            subscribers={"count": 1000, "preset": "attached", "failures": failures},
            campaigns=[campaign(start="2026-03-10T08:00", volume=5, validity_min=300)],
        )
        rows = [row for row in run(scenario, "bulk").centre if row[1] == "undelivered"]
        assert {row[7] for row in rows} == {failures[0]["reason"]}
        tries[name] = {row[6] for row in rows}
    # After 1, 2, 5, 10 minutes and then each half hour, the last at the end of the validity; after 30, 60, 120 minutes.
    assert tries == {"network": {15}, "full": {5}}
