from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.planning.campaign import Plan
from simbench.planning.code_plan import code_plan_of
from simbench.planning.loads import Group, replications
from simbench.planning.messages import send
from simbench.planning.required_rates import late_of
from tests.planning.plans import OUTAGES, flow, plan_of, sending

AGREE_S, AGREE_SHARE = 30.0, 0.01


def agrees(plan: Plan, rates: dict[int, int], replication: int = 0) -> int:
    """Hold the fluid's completions against the messages'; how many were held."""
    group, mix = Group(plan, "36"), code_plan_of({"36": [rates] * len(plan.months)})
    future = replications(plan)[replication]
    done, _ = group.run(mix.rates("36"), future)
    held = 0
    for month in range(len(plan.months)):
        mine = [at for at, one in enumerate(group.occasions) if one.month == month]
        first, end = group.days.index(month), group.days.index(month) + group.days.count(month)
        for at, real in zip(mine, send(group, mix, future, first, end).done, strict=True):
            if done[at] < 1e17:
                took = real - (group.occasions[at].start - plan.span[0]) / 1e6
                assert abs(done[at] - real) <= max(AGREE_S, AGREE_SHARE * took)
                held += 1
    return held


@pytest.mark.slow
@settings(max_examples=12)
@given(
    volume=st.integers(1_000, 60_000),
    parts=st.integers(1, 3),
    spread=st.sampled_from([0, 7, 90]),
    per_day=st.sampled_from([0, 3_000, 100_000]),
    rates=st.sampled_from([{10: 1}, {10: 2, 20: 1}, {50: 1, 10: 3}]),
    replication=st.integers(0, 4),
)
def test_the_fluid_agrees_with_the_messages_within_one_percent_or_30_s(
    volume: int, parts: int, spread: int, per_day: int, rates: dict[int, int], replication: int
) -> None:
    tables: dict[str, Any] = {"sendings": [sending(volume=volume, parts=parts, spread_min=spread)], "outages": OUTAGES}
    if per_day:
        tables["flows"] = [flow(per_day=per_day)]
    agrees(plan_of(**tables), rates, replication)


def test_a_sending_of_n_messages_takes_n_over_r_seconds() -> None:
    plan = plan_of(sendings=[sending(volume=36_000)])
    done, _ = Group(plan, "36").run((10,), replications(plan)[0])
    assert done[0] == pytest.approx(2 * 86_400 + 8 * 3600 + 3600)


def test_long_messages_count_by_segment() -> None:
    once, thrice = (plan_of(sendings=[sending(volume=9_000, parts=parts)]) for parts in (1, 3))
    took = [
        Group(plan, "36").run((10,), replications(plan)[0])[0][0] - 2 * 86_400 - 8 * 3600 for plan in (once, thrice)
    ]
    assert took == pytest.approx([900, 2700])


def test_what_is_not_sent_at_22_leaves_at_8_of_the_next_jour_ouvrable() -> None:
    saturday = plan_of(sendings=[sending(start="2026-03-07T21:30", volume=36_000)])
    done, _ = Group(saturday, "36").run((10,), replications(saturday)[0])
    monday_8 = 8 * 86_400 + 8 * 3600
    assert done[0] == pytest.approx(monday_8 + 1800)
    assert agrees(saturday, {10: 1}) == 1


def test_an_outage_stops_everything_and_the_client_is_back_within_its_five_seconds() -> None:
    plan = plan_of(sendings=[sending(volume=36_000)], outages={"scripted": [{"at": "2026-03-03T08:30", "for_h": 2}]})
    done, _ = Group(plan, "36").run((10,), replications(plan)[0])
    assert 0 <= done[0] - (2 * 86_400 + 11 * 3600) <= 5
    assert agrees(plan, {10: 1}) == 1


def test_passwords_leave_before_a_campaign_on_the_same_code() -> None:
    plan = plan_of(sendings=[sending(volume=135_000)], flows=[flow(per_day=100_000, within_min=1)])
    group = Group(plan, "36")
    late = late_of(group, (10,), replications(plan)[0])
    assert late[0]
    assert not late[1:].any()


def test_waits_across_midnight_are_found_on_both_days() -> None:
    plan = plan_of(
        flows=[flow(per_day=20_000, within_min=5)], outages={"scripted": [{"at": "2026-03-03T23:00", "for_h": 2}]}
    )
    group, future = Group(plan, "36"), replications(plan)[0]
    _, waits = group.run((50,), future)
    real = send(group, code_plan_of({"36": [{50: 1}]}), future, 0, 31).waits["f"]
    assert set(np.flatnonzero(waits[0] > 300)) == {2, 3} == {day for day, wait in real.items() if wait > 300}


def test_more_rate_never_makes_anything_later() -> None:
    plan = plan_of(sendings=[sending(volume=50_000)], flows=[flow(per_day=50_000)], outages=OUTAGES)
    group = Group(plan, "36")
    for future in replications(plan, 5):
        lates = [late_of(group, (rate,), future) for rate in range(10, 100, 10)]
        assert all((after <= before).all() for before, after in pairwise(lates))


def test_strides_come_to_what_single_steps_do() -> None:
    plan = plan_of(
        sendings=[
            sending(volume=100_000, every="day", spread_min=47, sigma=0.4),
            sending(name="n", start="2026-03-02T20:30", every="week", volume=200_000),
            sending(name="t", start="2026-03-01T20:30", every="day", volume=20_000, **{"class": "transactional"}),
        ],
        flows=[
            flow(per_day=90_000), flow(name="m", per_day=30_000, **{"class": "marketing"}),
            flow(name="z", per_day=3_000, daily=[0] * 8 + [1] * 16),
        ],
        outages=OUTAGES,
    )  # fmt: skip
    group = Group(plan, "36")
    for future in replications(plan, 5):
        for rate in (10, 20, 130):
            strides, steps = (group.run((rate,), future, curve) for curve in (None, np.zeros((len(group.sendings), 1))))
            assert strides[0] == pytest.approx(steps[0], abs=1e-3)
            assert strides[1] == pytest.approx(steps[1], abs=1e-3)


@settings(max_examples=15)
@given(
    per_day=st.lists(st.sampled_from([3_000, 90_000, 700_000, 2_000_000]), min_size=1, max_size=3),
    kinds=st.lists(st.sampled_from(["transactional", "marketing", "web2sms"]), min_size=3, max_size=3),
    gaps=st.lists(st.integers(0, 2), min_size=23, max_size=23),
    volume=st.sampled_from([0, 20_000, 900_000]),
    rate=st.sampled_from([10, 20, 130]),
    seed=st.integers(0, 50),
)
def test_strides_of_overloaded_flows_come_to_what_single_steps_do(
    per_day: list[int], kinds: list[str], gaps: list[int], volume: int, rate: int, seed: int
) -> None:
    flows = [
        flow(name=f"f{n}", per_day=many, daily=[*gaps, 1] if n else [1] * 24, **{"class": kinds[n]})
        for n, many in enumerate(per_day)
    ]
    sendings = [sending(volume=volume, every="day", spread_min=47)] if volume else []
    plan = plan_of(flows=flows, sendings=sendings, outages=OUTAGES, seed=seed)
    for group in (Group(plan, prefix) for prefix in plan.groups):
        future = replications(plan, 1)[0]
        strides, steps = (group.run((rate,), future, curve) for curve in (None, np.zeros((len(group.sendings), 1))))
        assert strides[0] == pytest.approx(steps[0], abs=1e-3)
        assert strides[1] == pytest.approx(steps[1], abs=1e-3)
