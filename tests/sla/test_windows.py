"""Windows, formulas and limits that a contract may choose instead of rolling years of unplanned outages."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from simbench.base.units import HOUR_US, MINUTE_US
from simbench.contract import Contract, load_contract
from simbench.ledger import MemoryLedger
from simbench.ledger.incidents import Period
from simbench.ledger.stimuli import Probe, stimulus_row
from simbench.rules.rule import judge
from simbench.sla.availability import budget, year_of
from simbench.sla.classification import service_of
from simbench.sla.forecast import forecast
from simbench.sla.report.availability_figure import below
from simbench.sla.report.forecast_texts import answers
from simbench.sla.report.key_figures import burn
from simbench.sla.report.translations import Words
from simbench.sla.report.view import view_of
from simbench.sla.watch import standing
from tests.paris import instant
from tests.sla.years import START, YEAR, case_of, judged, maintenance, outage

ROLLING, SIX = "sla.availability", "sla.restoration"
Q1_H = 744 + 672 + 743  # January to March 2025, with the hour that March loses


def under(**values: object) -> Contract:
    """The contract with other terms of quality."""
    contract = load_contract()
    quality = contract.terms.quality
    changed = {}
    for name, value in values.items():
        term = getattr(quality, name) or quality.restoration_h
        changed[name] = replace(term, value=value)
    terms = replace(contract.terms, quality=replace(quality, **changed))
    return replace(contract, terms=terms)


QUARTERS = under(availability_window="quarter")


def test_a_quarter_is_judged_by_its_own_hours() -> None:
    found = judged(ROLLING, [outage(100, 20), outage(2200, 20, 2)], YEAR, QUARTERS)
    assert found.outcome == "pass"
    assert found.measured == pytest.approx(1 - 20 / Q1_H)
    found = judged(ROLLING, [outage(100, 11), outage(1000, 11, 2)], YEAR, QUARTERS)
    assert found.outcome == "fail"
    assert found.measured == pytest.approx(1 - 22 / Q1_H)
    assert [one.note[:2] for one in found.evidence] == ["T1", "T2"]
    # the same outages are few in a rolling year
    assert judged(ROLLING, [outage(100, 11), outage(1000, 11, 2)]).outcome == "pass"


def test_an_outage_over_the_edge_of_two_quarters_counts_in_each_with_its_part() -> None:
    edge = outage(Q1_H - 12, 24)
    assert judged(ROLLING, [edge], YEAR, QUARTERS).outcome == "pass"
    found = judged(ROLLING, [edge, outage(100, 10, 2)], YEAR, QUARTERS)
    assert found.measured == pytest.approx(1 - 22 / Q1_H)


def test_a_quarter_that_has_not_ended_is_provisional_until_its_budget_is_overdrawn() -> None:
    half = Period(START, instant(2025, 2, 15), START)
    found = judged(ROLLING, [outage(100, 5)], half, QUARTERS)
    assert found.outcome == "inconclusive"
    assert "16.59 h of the 21.59 h that a whole window may lose are left" in found.summary
    assert judged(ROLLING, [outage(100, 22)], half, QUARTERS).outcome == "fail"


@pytest.mark.parametrize(("kind", "hours"), [("month", 744), ("year", 8760)])
def test_months_and_years_are_windows_too(kind: str, hours: int) -> None:
    found = judged(ROLLING, [outage(100, 7)], YEAR, under(availability_window=kind))
    assert found.measured == pytest.approx(1 - 7 / hours)


def test_the_formula_of_the_contract_decides() -> None:
    """A hundred hours of announced work are 98.86 % of a year."""
    incidents = [maintenance(1000, 100, 6)]
    for formula, outcome in (("V1", "pass"), ("V2", "fail"), ("V3", "pass"), ("V4", "pass")):
        found = judged(ROLLING, incidents, YEAR, under(availability_formula=formula))
        assert found.outcome == outcome
        assert f"{formula} at " in found.summary
    half = outage(2000, 200, scope="partial", share=0.5, subject="part")
    assert judged(ROLLING, [half], YEAR, under(availability_formula="V4")).outcome == "fail"
    assert judged(ROLLING, [half]).outcome == "pass"


def test_a_partial_outage_has_its_own_limit_where_the_contract_names_one() -> None:
    limited = under(partial_restoration_h=12)
    part = outage(100, 13, scope="partial", share=0.5, subject="part")
    found = judged(SIX, [part], YEAR, limited)
    assert (found.outcome, found.measured, found.limit) == ("fail", 13, 12)
    shorter = outage(100, 12, scope="partial", share=0.5, subject="part")
    assert judged(SIX, [shorter], YEAR, limited).outcome == "pass"
    assert judged(SIX, [part]).outcome == "pass"


@pytest.mark.parametrize(
    ("subjects", "hours", "outcome"),
    [
        (("36010", "36010"), (7, 7), "fail"),
        (("36010", "36020"), (7, 7), "pass"),
        (("part", "part"), (7, 7), "inconclusive"),
        (("part", "part"), (13, 7), "fail"),
    ],
)
def test_adjoining_partial_outages_of_one_part_are_one(
    subjects: tuple[str, str], hours: tuple[int, int], outcome: str
) -> None:
    """Two tickets without a moment of service between them; tickets that name no part may be of different ones."""
    first = outage(100, hours[0], 1, scope="partial", share=0.5, subject=subjects[0])
    second = outage(100 + hours[0], hours[1], 2, scope="partial", share=0.5, subject=subjects[1])
    assert judged(SIX, [first, second], YEAR, under(partial_restoration_h=12)).outcome == outcome


def test_probes_that_cover_too_little_give_no_v5() -> None:
    def probed() -> MemoryLedger:
        ledger = MemoryLedger()
        for minute in range(2000):
            ledger.stimuli.append(stimulus_row(Probe(START + minute * MINUTE_US, answered=True)))
        return ledger

    found = judge(ROLLING, case_of([outage(100, 2)], ledger=probed()), "year")
    assert "no V5: the probes cover 0.4% of the window" in found.summary
    short = Period(START, START + 1000 * MINUTE_US, START)
    assert "V5: 1000 of 1,000 probes answered" in judge(ROLLING, case_of([], short, ledger=probed()), "year").summary


def test_a_forecast_over_quarters_forgets_the_last_one() -> None:
    """Twenty hours were lost in the last quarter; two more in the next one break nothing."""
    past = [outage(8700, 20), outage(4000, 1, 2)]
    until = (instant(2026, 3, 31),)
    laws = forecast(service_of(case_of(past)), QUARTERS, until, 2000, 3)
    rolling = forecast(service_of(case_of(past)), under(availability_months=3), until, 2000, 3)
    assert laws.dates[0].availability.share < rolling.dates[0].availability.share
    assert laws.fan.quantiles[-1][1] == pytest.approx(1, abs=1e-3)
    assert np.isfinite(laws.fan.quantiles).all()


def test_a_forecast_counts_planned_work_where_the_contract_s_formula_does() -> None:
    """Seven hours of announced work a month, and four short outages: 84 h a year of 87.6 h."""
    incidents = [maintenance(200 + 730 * number, 7, 6, number) for number in range(12)]
    incidents += [outage(400 + 2000 * number, 0.5 + 0.1 * number, 20 + number) for number in range(4)]
    service, until = service_of(case_of(incidents)), (instant(2026, 7, 1),)
    by_formula = {
        formula: forecast(service, under(availability_formula=formula), until, 1000).dates[0]
        for formula in ("V1", "V2")
    }
    assert by_formula["V1"].availability.share < 0.05
    assert by_formula["V2"].availability.share > 0.3
    assert by_formula["V1"].restoration.share == pytest.approx(by_formula["V2"].restoration.share, abs=0.05)


@pytest.mark.parametrize("formula", ["V1", "V2", "V3", "V4"])
def test_a_forecast_by_another_formula_than_the_contract_s_says_it_is_a_lower_bound(formula: str) -> None:
    contract = under(availability_formula=formula)
    incidents = [outage(400 + 1000 * number, 0.5 + 0.1 * number, number) for number in range(8)]
    made = forecast(service_of(case_of(incidents)), contract, (instant(2026, 7, 1),), 400)
    bounded = [f"the contract measures by {formula}" in text for text in answers(made, None, Words("en", contract))]
    assert any(bounded) == (formula in {"V3", "V4"})


FIVE_THREE_TEN = [  # 5 h unplanned, 3 h announced in time, 10 h of half the platform
    outage(100, 5), maintenance(1000, 3, 6, 2), outage(2000, 10, 3, scope="partial", share=0.5, subject="36010"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "allowed", "spent"), [("V1", 87.6, 5), ("V2", 87.6, 8), ("V3", 87.57, 5), ("V4", 87.6, 10)]
)
def test_the_budget_is_that_of_the_contract_s_formula(formula: str, allowed: float, spent: float) -> None:
    contract = under(availability_formula=formula)
    service = service_of(case_of(FIVE_THREE_TEN, contract=contract))
    hours, lost = budget(year_of(service, contract), np.array([YEAR.end]))
    assert (hours[0], lost[0]) == (pytest.approx(allowed), pytest.approx(spent))
    stands = standing(tuple(FIVE_THREE_TEN), contract, YEAR.end, YEAR.start, 86_400_000_000)
    assert stands.left_h == pytest.approx(allowed - spent)
    assert stands.availability == pytest.approx(1 - spent / (8760 - 3 * (formula == "V3")))


@pytest.mark.parametrize(("formula", "lost_h"), [("V1", 6), ("V2", 26), ("V4", 11)])
def test_the_burn_rate_is_that_of_the_contract_s_formula(formula: str, lost_h: float) -> None:
    """6 h, 20 h of announced work and half of 10 h in the last ninety days; only with the work the budget runs out."""
    incidents = [
        outage(7000, 6), maintenance(7500, 20, 6, 2),
        outage(8000, 10, 3, scope="partial", share=0.5, subject="36010"), maintenance(3000, 60, 6, 4),
    ]  # fmt: skip
    view = view_of(case_of(incidents, contract=under(availability_formula=formula)))
    found = burn(view)
    assert (found.lost, found.days, found.enough) == (lost_h * HOUR_US, 90, True)
    assert (found.out is not None) == (formula == "V2")


def test_a_burn_rate_of_a_few_days_says_nothing_of_the_future() -> None:
    week = Period(START, START + 7 * 24 * HOUR_US, START)
    found = burn(view_of(case_of([outage(10, 6)], week)))
    assert (found.lost, found.enough, found.out) == (6 * HOUR_US, False, None)


def test_spans_below_the_target_are_those_in_which_the_budget_is_overdrawn() -> None:
    """60 h twice: the second is too much after 27.6 of its hours, until the first has begun to leave by as much."""
    view = view_of(case_of([outage(0, 60), outage(4000, 60, 2)], Period(START, START + 2 * 8760 * HOUR_US, START)))
    ((since, until),) = below(view)
    assert (since - START) / HOUR_US == pytest.approx(4027.6)
    assert (until - START) / HOUR_US == pytest.approx(8760 + 32.4)
