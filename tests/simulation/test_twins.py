"""The two ways of running a world give equal ledgers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simbench.base.errors import ScenarioError
from simbench.base.units import HOUR_US
from simbench.simulation.incidents import IncidentsConfig
from simbench.simulation.plan import plan
from simbench.simulation.scenario import WorldScenario
from tests.paris import civil
from tests.simulation.worlds import (
    CODE,
    FRIDAY,
    OTHER,
    RING,
    campaign,
    kinds,
    run,
    scenario_of,
    sorted_minutes,
    sorted_rows,
)

# Worth beginning on: the eves of both changes of the clock, ends of months and of a year, a leap day, a holiday's eve.
DAYS = ["2026-03-27", "2026-03-28", "2026-10-24", "2026-01-30", "2028-02-28", "2026-12-31", "2026-05-07"]


@st.composite
def scenarios(draw: st.DrawFn) -> WorldScenario:
    """A small world in which as much as possible meets: cuts, tiers, queues, validities, the edges of days."""
    day = datetime.fromisoformat(draw(st.sampled_from(DAYS)))
    days = draw(st.integers(1, 4))

    def at(hours: float) -> str:
        return (day + timedelta(hours=hours)).isoformat()

    rates = st.sampled_from([10, 20, 50])
    codes = [
        {"code": code, "rate_per_s": draw(rates), "request_id": "R", "limit": draw(st.sampled_from(LIMITS))}
        for code in (CODE, OTHER)[: draw(st.integers(1, 2))]
    ]
    names = [str(config["code"]) for config in codes]
    busy = draw(st.floats(0, 23.5))
    return scenario_of(
        seed=draw(st.integers(0, 1 << 40)),
        period={"from": at(0), "to": at(24 * days)},
        codes=codes,
        subscribers={
            "count": draw(st.sampled_from([3, 50, 5000])),
            "preset": draw(st.sampled_from(["attached", "clean-base", "old-base", "etsi-2006"])),
            "share_ported_out": draw(st.sampled_from([0, 0.2])),
        },
        delivery={"refuse_elsewhere": draw(st.booleans())},
        clients=[
            {
                "code": code,
                "kind": draw(st.sampled_from(["ring", "offering"])),
                "reconnect_s": draw(st.sampled_from([0.001, 1, 7.5, 600])),
            }
            for code in names
        ],
        campaigns=[
            campaign(
                str(number),
                draw(st.sampled_from(names)),
                start=at(busy + draw(st.sampled_from([0, 0, 0.1, -busy]))),
                volume=draw(st.integers(1, 150)),
                parts=draw(st.sampled_from([1, 1, 2, 3])),
                priority=draw(st.integers(1, 3)),
                hours=draw(st.sampled_from(["legal", "any"])),
                spread_min=draw(st.sampled_from([0, 0, 0.05, 10])),
                validity_min=draw(st.sampled_from([0, 0, 0.01, 5, 100])),
                notify=draw(st.integers(0, 7)),
                wrong_share=draw(st.sampled_from([0, 0.1])),
                every=draw(st.sampled_from(["", "day"])),
            )
            for number in range(draw(st.integers(1, 3)))
        ],
        flows=[
            {"name": "flow", "code": names[-1], "per_day": 200, "hours": draw(st.sampled_from(["legal", "any"]))}
            for _ in range(draw(st.integers(0, 1)))
        ],
        replies=[{"code": code, "share": 0.3, "median_min": draw(st.sampled_from([0.01, 10]))} for code in names[:1]],
        tiers=[
            {
                "at": at(busy + draw(st.floats(0, 0.002))),
                "code": draw(st.sampled_from(names)),
                "rate_per_s": draw(rates),
            }
            for _ in range(draw(st.integers(0, 3)))
        ],
        portings=[{"at": at(busy + 0.01), "share": 0.3} for _ in range(draw(st.integers(0, 1)))],
        incidents={"scripted": _outages(draw, at, busy, names), "drawn": _drawn(draw)},
    )


LIMITS = ["delay", "monitor", "nack", "discard"]


def _outages(draw: st.DrawFn, at: Callable[[float], str], busy: float, names: list[str]) -> list[dict[str, Any]]:
    """A few one after another around the busy moment, total, of a code or of a share of them; some touch."""
    found, hours = [], max(0.0, busy - draw(st.sampled_from([0.001, 0.5])))
    for _ in range(draw(st.integers(0, 4))):
        hours += draw(st.sampled_from([0, 0.0003, 0.0005, 0.001, 0.02, 3]))
        lasts = draw(st.sampled_from([0.0001, 0.0005, 0.003, 0.2, 5, 60]))
        scope = draw(st.sampled_from(["total", "total", "partial"]))
        subject = "platform" if scope == "total" else draw(st.sampled_from([*names, "link:north"]))
        found.append({"at": at(hours), "for_h": lasts, "scope": scope, "subject": subject, "share": 0.5})
        hours += lasts
        # Written to the microsecond, so that one may end in the very one in which the next begins.
        hours = round(hours * 1e9) / 1e9
    return found


def _drawn(draw: st.DrawFn) -> list[dict[str, Any]]:
    law = {"mean_h": draw(st.sampled_from([0.1, 6]))}
    return [{"name": "faults", "between": law, "lasting": {"mean_h": 0.1}} for _ in range(draw(st.integers(0, 1)))]


MANY_UNFIT = [HealthCheck.too_slow, HealthCheck.filter_too_much]


def assert_twins(scenario: WorldScenario) -> None:
    event_driven, bulk = run(scenario, "events"), run(scenario, "bulk")
    assert sorted_rows(bulk) == sorted_rows(event_driven)
    assert bulk.events == event_driven.events
    event_driven, bulk = run(scenario, "events", "minute"), run(scenario, "bulk", "minute")
    assert sorted_minutes(bulk) == sorted_minutes(event_driven)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=MANY_UNFIT)
@given(scenarios())
def test_both_ways_give_equal_ledgers_in_many_worlds(scenario: WorldScenario) -> None:
    assert_twins_where_it_can_be(scenario)


@settings(max_examples=40, suppress_health_check=MANY_UNFIT)
@given(scenarios())
def test_both_ways_give_equal_ledgers(scenario: WorldScenario) -> None:
    assert_twins_where_it_can_be(scenario)


def assert_twins_where_it_can_be(scenario: WorldScenario) -> None:
    try:
        plan(scenario)
    except ScenarioError:  # outages that overlap, a sending outside the period
        return
    assert_twins(scenario)


def outage(start: int, end: int) -> dict[str, Any]:
    return {"at": civil(start).replace(tzinfo=None).isoformat(), "for_h": (end - start) / HOUR_US}


BUSY = scenario_of(
    subscribers={"count": 500, "preset": "etsi-2006"},
    campaigns=[campaign(volume=200, validity_min=60), campaign("parts", volume=50, parts=3, start=f"{FRIDAY}T08:01")],
)


@pytest.mark.parametrize("kind", ["accepted", "buffered", "delivered", "undelivered", "notification"])
@pytest.mark.parametrize("place", [0, 20])
def test_what_happens_in_the_microsecond_of_a_cut_or_of_the_restoration_is_the_same_both_ways(
    kind: str, place: int
) -> None:
    at = kinds(run(BUSY, "events"), kind)[place][0]
    for start, end in ((at - HOUR_US // 10, at), (at, at + HOUR_US), (at - 1, at + 1), (at - HOUR_US // 20, at + 1)):
        with_outage = msgspec.structs.replace(BUSY, incidents=incidents(outage(start, end)))
        assert_twins(with_outage)
        touching = incidents(outage(start, end), outage(end, end + HOUR_US))
        assert_twins(msgspec.structs.replace(BUSY, incidents=touching))


def incidents(*scripted: dict[str, Any]) -> IncidentsConfig:
    return msgspec.convert({"scripted": scripted}, IncidentsConfig)


def test_held_results_are_forgotten_by_a_cut_and_sent_again() -> None:
    scenario = scenario_of(
        codes=[{"code": CODE}],
        clients=[{"code": CODE, "kind": "offering"}],
        campaigns=[campaign(volume=150)],
        incidents={"scripted": [{"at": f"{FRIDAY}T08:00:05", "for_h": 0.5}]},
    )
    assert_twins(scenario)
    ledger = run(scenario, "bulk")
    before = [row for row in kinds(ledger, "accepted") if row[0] <= kinds(ledger, "logout")[0][0]]
    assert len(before) == 60  # ten at once, then ten a second until the cut, whose very instant is still served
    assert len(kinds(ledger, "accepted")) == 150
    assert len(kinds(ledger, "held")) == 140 + 80


def test_a_lower_tier_with_a_full_ring_delays_what_comes_next() -> None:
    scenario = scenario_of(
        campaigns=[campaign(volume=300)], tiers=[{"at": f"{FRIDAY}T08:00:02.5", "code": CODE, "rate_per_s": 10}]
    )
    assert_twins(scenario)
    instants = [row[0] for row in kinds(run(scenario, "bulk"), "accepted")]
    assert len(instants) == 300
    start = instants[0]
    assert [sum(start + s * 10**6 <= at < start + (s + 1) * 10**6 for at in instants) for s in range(5)] == [
        50, 50, 50, 10, 10,
    ]  # fmt: skip


def test_a_validity_that_ends_while_all_is_down_is_reported_at_the_restoration() -> None:
    scenario = scenario_of(
        campaigns=[campaign(volume=20, validity_min=5)],
        subscribers={"count": 1000, "preset": "attached"},
        incidents={"scripted": [{"at": f"{FRIDAY}T08:00:00.000001", "for_h": 1}]},
    )
    assert_twins(scenario)
    reported = kinds(run(scenario, "bulk"), "undelivered")
    assert {(row[0], row[7]) for row in reported} == {(reported[0][0], 107)}
    assert len(reported) == 20
    assert civil(reported[0][0]).isoformat() == f"{FRIDAY}T09:00:00.000001+01:00"


def test_a_notice_pending_across_an_outage_is_taken_after_the_next_login() -> None:
    scenario = scenario_of(
        campaigns=[campaign(volume=20)],
        subscribers={"count": 1000, "preset": "attached"},
        incidents={"scripted": [{"at": f"{FRIDAY}T08:00:01", "for_h": 1, "scope": "partial", "subject": CODE}]},
    )
    assert_twins(scenario)
    ledger = run(scenario, "bulk")
    delivered = {row[5]: row[0] for row in kinds(ledger, "delivered")}
    login = kinds(ledger, "login")[1]
    late = [row for row in kinds(ledger, "notification") if row[0] != delivered[row[5]]]
    assert late
    assert {(row[0], row[2]) for row in late} == {(login[0], login[2])}


def test_parts_of_a_message_are_delivered_in_order() -> None:
    for seed in range(5):
        scenario = scenario_of(
            seed=seed, subscribers={"count": 100, "preset": "old-base"}, campaigns=[campaign(volume=300, parts=4)]
        )
        ended = {row[5]: row[0] for row in kinds(run(scenario, "bulk"), "delivered", "undelivered")}
        pairs = [(ended[entity - 1], at) for entity, at in ended.items() if entity % 256 and entity - 1 in ended]
        assert len(pairs) > 500
        assert all(first <= second for first, second in pairs)


def test_what_the_bulk_way_does_not_carry_it_refuses_by_name() -> None:
    scenario = scenario_of(campaigns=[campaign()], clients=[{"code": CODE, "kind": "reference"}])
    with pytest.raises(ScenarioError, match=f"does not support the reference client \\({CODE}\\)"):
        run(scenario, "bulk")
    shared = scenario_of(codes=[{**RING, "account": "one"}, {"code": OTHER, "account": "one"}], campaigns=[campaign()])
    with pytest.raises(ScenarioError, match="an account shared by several codes \\(one\\)"):
        run(shared, "bulk")
