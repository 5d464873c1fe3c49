"""Codes that are held before the period: what they spare, what they cost to change, and what is to be ordered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from simbench.billing.acts import Month
from simbench.billing.readings import other_readings
from simbench.contract import load_contract
from simbench.planning.advise import advise
from simbench.planning.campaign import CampaignError
from simbench.planning.code_plan import acts_of, code_plan_of, cost
from simbench.planning.loads import Group, replications
from simbench.planning.optimizer import Wish, solve
from simbench.planning.orders import orders_of
from simbench.planning.own_code_plan import held_code_plan
from simbench.planning.required_rates import required_rates_of
from simbench.planning.size import octets_needed
from tests.planning.plans import OUTAGES, flow, plan_of, sending

pytestmark = pytest.mark.slow

TWO: dict[str, Any] = {"period": {"from": "2026-03", "months": 2}, "sendings": [sending(volume=300_000)]}
HELD = [{"code": "36020", "rate_per_s": 20}, {"code": "36050", "rate_per_s": 50}]


def test_a_held_code_costs_no_opening_a_change_150_and_a_closing_150() -> None:
    plan = plan_of(**TWO, held=HELD)

    def euros(*months: dict[int, int]) -> Decimal:
        return cost(code_plan_of({"36": list(months)}), plan.months, plan.contract, plan.held)

    kept = 2 * (150 + 800) + 2 * (150 + 1600)
    assert euros({20: 1, 50: 1}, {20: 1, 50: 1}) == kept
    assert euros({50: 1}, {50: 1}) == 2 * (150 + 1600) + 150, "36020 is closed on the eve"
    assert euros({10: 1, 50: 1}, {10: 1, 50: 1}) == 2 * 150 + 150 + 2 * (150 + 1600), "36020 changes to 10/s"
    assert euros({20: 2, 50: 1}, {20: 2, 50: 1}) == kept + 580 + 2 * (150 + 800), "one more is opened"
    assert euros({20: 1, 50: 1}, {50: 1}) == 150 + 800 + 2 * (150 + 1600) + 150, "closed after the first month"


@pytest.mark.parametrize("switch", ["", *(f"{name}={reading}" for name, reading, _ in other_readings(load_contract()))])
@pytest.mark.parametrize("volume", [20_000, 300_000, 900_000])
def test_the_optimizer_prices_held_codes_as_the_invoices_do(volume: int, switch: str) -> None:
    contract = load_contract().read_as(*switch.split("=")) if switch else load_contract()
    tables = {**TWO, "sendings": [sending(volume=volume), sending(name="t", start="2026-04-14T08:00", volume=40_000)]}
    plan = plan_of(contract, **tables, held=HELD, flows=[flow(**{"class": "reply", "within_min": 60})])
    needs = [required_rates_of(Group(plan, prefix), replications(plan, 1)) for prefix in plan.groups]
    for wish in (Wish(1.0), Wish(1.0, steady=True)):
        solution = solve(plan, needs, wish)
        assert solution is not None
        assert solution.euros == pytest.approx(float(cost(solution.mix, plan.months, contract, plan.held)))


def test_what_is_held_is_scored_beside_the_advice_and_makes_it_cheaper() -> None:
    tables: dict[str, Any] = {"sendings": [sending(volume=300_000)], "outages": OUTAGES, "probability": 0.5}
    without, having = advise(plan_of(**tables)), advise(plan_of(**tables, held=HELD))
    assert having.chosen.euros < without.chosen.euros
    assert having.current is not None
    assert having.current.words == "36ABC: 1 x 20/s + 1 x 50/s"
    assert without.current is None
    assert "36020: 20/s, 36050: 50/s" in " ".join(having.notes)
    assert held_code_plan(plan_of(**tables)) is None


def test_orders_name_the_day_the_last_day_to_ask_the_price_and_the_clauses() -> None:
    plan = plan_of(**TWO, held=HELD)
    mix = code_plan_of({"36": [{100: 1, 20: 1}, {100: 1}]})
    acts = acts_of(mix, plan.months, plan.contract, plan.held)
    assert [one.code for one in acts.codes] == ["36020", "36050"]
    found = orders_of(acts, plan.contract, plan.months[0].first, 30)
    assert [(one.what, one.code, one.rate_per_s) for one in found] == [("change", "36050", 100), ("close", "36020", 0)]
    assert [one.day for one in found] == [date(2026, 3, 1), date(2026, 4, 1)]
    assert [one.by for one in found] == [date(2026, 1, 30), date(2026, 3, 2)]
    assert [one.euros for one in found] == [150, 150]
    assert [one.forms for one in found] == [("OPS-TAR-13", "OPS-ACH-06"), ("OPS-TAR-03",)]
    opened = orders_of(acts_of(mix, plan.months, plan.contract), plan.contract, plan.months[0].first, 0)
    assert {(one.what, one.euros) for one in opened} == {("open", Decimal(580)), ("close", Decimal(150))}
    assert opened[0].by == opened[0].day == Month(2026, 3).first


@pytest.mark.parametrize(
    ("held", "reported"),
    [
        (
            [{"code": "36020", "rate_per_s": 25}],
            r"held\[0\]: 36020 at 25/s; expected a tier of the contract: 10",
        ),
        ([{"code": "34020", "rate_per_s": 20}], r"34020 has no traffic in this plan; expected codes of 36ABC"),
        ([{"code": "3602", "rate_per_s": 20}], "has no traffic in this plan"),
        ([HELD[0], HELD[0]], "appears twice"),
    ],
)
def test_held_codes_the_contract_or_the_plan_does_not_have_are_refused(held: Any, reported: str) -> None:
    with pytest.raises(CampaignError, match=reported):
        plan_of(sendings=[sending()], held=held)
    with pytest.raises(CampaignError, match="codes_max: is 1; expected at least the 2 codes held"):
        plan_of(sendings=[sending()], held=HELD, codes_max=1)


def test_a_plan_no_machine_can_hold_is_refused_before_anything_is_drawn() -> None:
    often = {"drawn": [{"name": "p", "between": {"mean_h": 0.1}, "lasting": {"mean_h": 0.1}}]}
    plan = plan_of(
        period={"from": "2026-01", "months": 36}, flows=[flow()], outages=often, replications=10_000, probability=0.5
    )
    with pytest.raises(
        CampaignError, match=r"needs about 3,\d\d\d GB: 30,000 futures of 1,096 sendings and days over 36"
    ):
        advise(plan)
    assert octets_needed(plan_of(flows=[flow()]), 1000) == 1000 * 31 * 18
