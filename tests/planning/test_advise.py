from __future__ import annotations

from decimal import Decimal
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any

import pytest

from simbench.base.errors import BadInput
from simbench.billing.readings import other_readings
from simbench.contract import load_contract
from simbench.planning.advise import advise, fresh_of
from simbench.planning.campaign import CampaignError, Plan, read_campaign
from simbench.planning.code_plan import acts_of, code_plan_of, cost
from simbench.planning.evaluate import evaluate
from simbench.planning.loads import CHOOSING, Group, Replication, occasions, replications
from simbench.planning.optimizer import Wish, solve
from simbench.planning.required_rates import _quiet, late_of, required_rates_of
from tests.paris import civil
from tests.planning.plans import OUTAGES, flow, plan_of, sending

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "plan"
PARTIAL = {"scripted": [{"at": "2026-03-03T07:00", "for_h": 1, "scope": "partial"}]}
SMALL: dict[str, Any] = {
    "one sending": {"sendings": [sending(volume=400_000)], "outages": OUTAGES},
    "two months": {
        "period": {"from": "2026-03", "months": 2},
        "sendings": [sending(volume=300_000), sending(name="t", start="2026-04-14T08:00", volume=700_000)],
        "outages": OUTAGES,
    },
    "two ranges": {
        "sendings": [sending(volume=300_000, every="week")],
        "flows": [flow(**{"class": "reply", "per_day": 400_000, "within_min": 60})],
        "outages": OUTAGES,
    },
    "the whole period": {"promise": "period", "sendings": [sending(volume=200_000, every="week")], "outages": OUTAGES},
}  # fmt: skip


def by_brute_force(plan: Plan, most: int, futures: list[Replication] | None = None) -> Decimal | None:
    """Return the cost of the cheapest mix of so many codes per range that keeps the promise in all futures."""
    groups, futures = [Group(plan, prefix) for prefix in plan.groups], futures or replications(plan)
    held = [
        {rate: codes.count(rate) for rate in codes}
        for count in range(most + 1)
        for codes in combinations_with_replacement(plan.tiers, count)
    ]
    mixes = [
        code_plan_of({prefix: list(each) for prefix, each in zip(plan.groups, months, strict=True)})
        for months in product(product(held, repeat=len(plan.months)), repeat=len(plan.groups))
    ]
    for euros, mix in sorted(((cost(one, plan.months, plan.contract), one) for one in mixes), key=lambda pair: pair[0]):
        if any(late_of(g, mix.rates(g.prefix), _quiet(g)).any() for g in groups):
            continue
        if evaluate(groups, futures, mix).reaches:
            return euros
    return None


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("probability", [0.6, 0.9])
def test_the_optimizer_finds_what_brute_force_finds(name: str, probability: float) -> None:
    plan = plan_of(probability=probability, codes_max=5, requests=not name.startswith("two"), **SMALL[name])
    futures = replications(plan)
    solution = solve(
        plan, [required_rates_of(Group(plan, prefix), futures) for prefix in plan.groups], Wish(probability)
    )
    best = by_brute_force(plan, 5)
    if best is None:
        assert solution is None
    else:
        assert solution is not None
        assert solution.proved
        assert cost(solution.mix, plan.months, plan.contract) == best


@pytest.mark.parametrize("name", ["one sending", "the whole period"])
def test_what_is_advised_is_the_cheapest_of_all_mixes(name: str) -> None:
    plan = plan_of(probability=0.6, codes_max=4, **SMALL[name])
    fresh = replications(plan, fresh_of(plan), CHOOSING)
    assert advise(plan).chosen.euros == by_brute_force(plan, 4, fresh)


@pytest.mark.parametrize("switch", ["", *(f"{name}={reading}" for name, reading, _ in other_readings(load_contract()))])
def test_the_optimizer_prices_as_the_invoice_does_under_every_reading(switch: str) -> None:
    contract = load_contract()
    if switch:
        contract = contract.read_as(*switch.split("="))
    plan = plan_of(
        contract, period={"from": "2026-03", "months": 3}, codes_max=80, requests=False,
        sendings=[sending(volume=3_300_000), sending(name="t", start="2026-05-05T08:00", volume=4_400_000)],
        flows=[flow(**{"class": "reply", "per_day": 4_000_000, "within_min": 60})],
    )  # fmt: skip
    futures = replications(plan, 1)
    solution = solve(plan, [required_rates_of(Group(plan, prefix), futures) for prefix in plan.groups], Wish(1.0))
    assert solution is not None
    assert solution.euros == pytest.approx(float(cost(solution.mix, plan.months, contract)))
    assert solution.mix.codes > 20


def test_a_tier_lasts_a_month_and_a_change_costs_150() -> None:
    plan = plan_of(period={"from": "2026-03", "months": 2}, sendings=[sending()])
    steady, changing = (code_plan_of({"36": held}) for held in ([{20: 1}, {20: 1}], [{20: 1}, {10: 1}]))
    assert cost(steady, plan.months, plan.contract) == 580 + 2 * (150 + 800)
    assert cost(changing, plan.months, plan.contract) == 580 + 2 * 150 + 800 + 150


def test_the_21st_code_costs_500() -> None:
    plan = plan_of(sendings=[sending()])
    prices = [cost(code_plan_of({"36": [{10: count}]}), plan.months, plan.contract) for count in (20, 21)]
    assert prices[1] - prices[0] == 580 + 500


def test_50_a_second_and_more_must_be_requested() -> None:
    plan = plan_of(sendings=[sending(volume=700_000)])
    advice = advise(plan)
    assert [one.what for one in advice.orders if one.code] == ["open"] * advice.chosen.mix.codes
    assert any(one.request for one in advice.orders) == any(one.rate_per_s >= 50 for one in advice.orders)
    acts = acts_of(code_plan_of({"36": [{50: 1, 20: 1}]}), plan.months, plan.contract)
    assert [bool(code.tiers[0].request_id) for code in acts.codes] == [False, True]


def test_each_class_has_its_range() -> None:
    kinds = {"marketing": "36", "transactional": "36", "reply": "34", "geo": "35", "web2sms": "37", "m2m": "38"}
    plan = plan_of(sendings=[sending()])
    assert {kind: plan.prefix(kind) for kind in kinds} == kinds
    later = load_contract().read_as("AMB-12", "af2m_current")
    assert plan_of(later, sendings=[sending()]).prefix("transactional") == "38"


def test_the_advice_is_confirmed_message_by_message_and_says_why_others_lose() -> None:
    advice = advise(plan_of(sendings=[sending(volume=500_000)], outages=OUTAGES, probability=0.5))
    assert len(advice.confirmation.samples) == 15
    assert all(one.agrees for one in advice.confirmation.samples)
    assert len(advice.rivals) == 2
    assert all(one.why for one in advice.candidates)
    assert {one.words for one in advice.candidates if not one.meets}, "some are cheaper and fail"
    assert advice.euros_in_all == advice.chosen.euros + 500_000 * Decimal("0.03")
    assert {row.assumption for row in advice.sensitivities} >= {"volume", "length of outages"}


def test_every_thursday_but_public_holidays_is_a_year_that_can_be_planned() -> None:
    year: dict[str, Any] = {"period": {"from": "2026-01", "months": 12}, "replications": 1}
    thursdays = plan_of(**year, sendings=[sending(start="2026-01-08T08:00", every="week")])
    with pytest.raises(CampaignError, match=r'2026-05-14 08:00 .*`every = "week-ouvrable"` leaves such weeks out'):
        advise(thursdays)
    worked = plan_of(**year, sendings=[sending(start="2026-01-08T08:00", every="week-ouvrable")])
    left_out = {one.start for one in occasions(thursdays, thursdays.campaign.sendings[0])}
    left_out -= {one.start for one in occasions(worked, worked.campaign.sendings[0])}
    assert {f"{civil(at):%m-%d %H}" for at in left_out} == {"05-14 08"}, "Ascension Day"
    (group,) = (Group(worked, prefix) for prefix in worked.groups)
    assert not late_of(group, (10,) * 12, _quiet(group)).any()


def test_the_same_seed_gives_the_same_advice() -> None:
    plan = plan_of(sendings=[sending(volume=20_000)], outages=OUTAGES, probability=0.5)
    assert advise(plan) == advise(plan)


def test_a_little_more_volume_than_fits_needs_a_second_code_and_says_what_it_costs() -> None:
    advice = advise(plan_of(sendings=[sending(volume=140_000)], probability=0.5))
    (row,) = (row for row in advice.sensitivities if row.assumption == "volume, a little")
    assert (row.at_low, row.at_high) == (1, 0)
    assert (row.euros_at_low, row.euros_at_high) == (advice.chosen.euros, 2 * advice.chosen.euros)
    assert len(advice.sensitivities) == 2, "nothing is assumed of outages"


def test_what_no_mix_keeps_any_more_has_no_price() -> None:
    plan = plan_of(sendings=[sending(volume=280_000)], codes_max=1, requests=False, probability=0.5)
    assert [row.euros_at_high for row in advise(plan).sensitivities] == [None, None]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("0*.toml")), ids=lambda path: path.stem)
def test_a_scenario_is_solved(path: Path) -> None:
    plan = read_campaign(path)
    futures = replications(plan, 10)
    needs = [required_rates_of(Group(plan, prefix), futures) for prefix in plan.groups]
    assert solve(plan, needs, Wish(min(0.5, plan.campaign.probability))) is not None


def test_an_impossible_demand_is_answered_with_what_would_be_needed() -> None:
    with pytest.raises(
        CampaignError, match=r"cannot all leave by 2026-03-03 12:00 .*; expected a deadline from .* 6,945/s"
    ):
        advise(plan_of(sendings=[sending(volume=100_000_000)], codes_max=20))
    with pytest.raises(CampaignError, match=r"60 min .* expected within_min from 2,04\d on: that long no hour is allo"):
        advise(plan_of(flows=[flow(**{"class": "geo", "within_min": 60})]))
    with pytest.raises(
        CampaignError, match=r"expected within_min from [\d,]+ on, or \d+/s for its busiest hour, or fewer"
    ):
        advise(plan_of(flows=[flow(per_day=9_000_000)], codes_max=1, requests=False))
    with pytest.raises(CampaignError, match="no allowed hour lies between"):
        advise(plan_of(sendings=[sending(start="2026-03-01T08:00", deadline_h=10)]))
    with pytest.raises(CampaignError, match=r"keep only .* in time, 99.90% are asked for; expected .* h more for 's'"):
        advise(
            plan_of(
                sendings=[sending()], outages={"scripted": [{"at": "2026-03-03T07:00", "for_h": 8}]}, probability=0.999
            )
        )


@pytest.mark.parametrize(
    ("tables", "reported"),
    [
        ({}, "nothing is to be sent"),
        ({"sendings": [sending()], "period": {"from": "2026-13"}}, "a month such as 2026-10"),
        ({"sendings": [sending(start="2026-04-01T08:00")]}, "outside the period"),
        ({"sendings": [sending()], "period": {"from": "9999-12"}}, "a month such as 2026-10"),
        ({"sendings": [sending(start="soon")]}, "civil time of Europe/Paris"),
        ({"sendings": [sending(start="2026-03-03T07:00+00:00")]}, "civil time of Europe/Paris"),
        ({"sendings": [sending(), sending()]}, "appears twice"),
        ({"flows": [flow(daily=[1.0, 2.0])]}, "24 weights"),
        ({"sendings": [sending()], "outages": PARTIAL}, "total interruptions only"),
    ],
)  # fmt: skip
def test_bad_plans_are_refused_in_one_line(tables: dict[str, Any], reported: str) -> None:
    import msgspec

    with pytest.raises((BadInput, msgspec.ValidationError), match=reported) as caught:
        plan_of(**tables)
    assert "\n" not in str(caught.value)
