"""Facts about envelopes: the article's figures, the regulation's table, and what bounds them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.roaming.contract import load_roaming
from simbench.roaming.envelope import Plan, envelope, envelopes

CONTRACT = load_roaming()
TWENTY = Plan(Decimal(20), Decimal("0.2"))

# Cap, envelope of 20 euros as printed cut to 0.1, of 20 euros less 20 % VAT: computed by hand.
TABLE = [
    ("2017-06-15", "7.70", "5.1", "4.3290"),
    ("2018-01-01", "6.00", "6.6", "5.5556"),
    ("2019-01-01", "4.50", "8.8", "7.4074"),
    ("2020-01-01", "3.50", "11.4", "9.5238"),
    ("2021-01-01", "3.00", "13.3", "11.1111"),
    ("2022-01-01", "2.50", "16.0", "13.3333"),
    ("2022-07-01", "2.00", "20.0", "16.6667"),
    ("2023-01-01", "1.80", "22.2", "18.5185"),
    ("2024-01-01", "1.55", "25.8", "21.5054"),
    ("2025-01-01", "1.30", "30.7", "25.6410"),
    ("2026-01-01", "1.10", "36.3", "30.3030"),
    ("2027-01-01", "1.00", "40.0", "33.3333"),
]
EUROS = st.decimals(0, 10_000, places=2)
DAYS = st.dates(date(2017, 6, 15), date(2032, 6, 30))


@pytest.mark.parametrize(("day", "cap", "printed", "net"), TABLE)
def test_twenty_euros_buy_what_the_table_says(day: str, cap: str, printed: str, net: str) -> None:
    on = date.fromisoformat(day)
    article, regulation = envelope(TWENTY, on, CONTRACT, "article"), envelope(TWENTY, on, CONTRACT)
    assert article.gb == Decimal(printed)
    assert (regulation.cap_eur_per_gb, regulation.gb) == (Decimal(cap), Decimal(net))


def test_there_is_one_row_for_every_cap() -> None:
    assert [(str(row.day), str(row.gb)) for row in envelopes(TWENTY, CONTRACT)] == [(row[0], row[3]) for row in TABLE]


@pytest.mark.parametrize(("day", "gb"), [("2017-12-31", "5.1"), ("2018-01-01", "6.6"), ("2018-12-31", "6.6")])
def test_a_cap_holds_until_the_eve_of_the_next(day: str, gb: str) -> None:
    assert envelope(TWENTY, date.fromisoformat(day), CONTRACT, "article").gb == Decimal(gb)


def test_nineteen_percent_of_vat_give_the_german_figure() -> None:
    assert envelope(Plan(Decimal(20), Decimal("0.19")), date(2017, 6, 15), CONTRACT).gb == Decimal("4.3654")


def test_a_bundle_dearer_than_the_cap_takes_all_of_its_allowance_abroad() -> None:
    closed = envelope(Plan(Decimal(20), Decimal("0.2"), Decimal(2)), date(2017, 6, 15), CONTRACT)
    assert (closed.kind, closed.octets) == ("closed", 2_000_000_000)


def test_the_domestic_allowance_bounds_an_open_bundle() -> None:
    cheap = envelope(Plan(Decimal(20), Decimal("0.2"), Decimal(3)), date(2017, 6, 15), CONTRACT)
    assert (cheap.kind, cheap.gb) == ("open", Decimal(3))


def test_prepaid_credit_counts_once() -> None:
    prepaid = envelope(Plan(Decimal("9.24"), Decimal("0.2"), prepaid=True), date(2017, 6, 15), CONTRACT)
    assert (prepaid.kind, prepaid.octets) == ("prepaid", 1_000_000_000)


@given(EUROS, st.sampled_from(["0", "0.19", "0.2"]), st.none() | st.decimals(0, 500, places=1), DAYS, st.booleans())
def test_an_envelope_is_the_least_whole_number_of_octets_that_is_enough(
    price: Decimal, vat: str, domestic: Decimal | None, day: date, prepaid: bool
) -> None:
    found = envelope(Plan(price, Decimal(vat), domestic, prepaid), day, CONTRACT)
    bought = Fraction(price) / (1 + Fraction(vat)) * (1 if prepaid else 2) / Fraction(found.cap_eur_per_gb) * 10**9
    allowed = bought if domestic is None else Fraction(domestic) * 10**9
    if found.kind == "closed":
        assert found.octets == allowed
    else:
        enough = min(bought, allowed)
        assert enough <= found.octets < enough + 1


@given(EUROS, DAYS, DAYS)
def test_a_later_day_never_grants_less_and_the_article_never_more_than_its_own_formula(
    price: Decimal, one: date, other: date
) -> None:
    early, late = sorted([one, other])
    plan = Plan(price, Decimal("0.2"))
    assert envelope(plan, early, CONTRACT).octets <= envelope(plan, late, CONTRACT).octets
    article = envelope(plan, early, CONTRACT, "article")
    assert 0 <= price * 2 / article.cap_eur_per_gb - article.gb < Decimal("0.1")


@pytest.mark.parametrize("day", [date(2017, 6, 14), date(2032, 7, 1), date(1999, 1, 1)])
def test_a_day_without_a_cap_is_refused(day: date) -> None:
    with pytest.raises(BadInput, match="no wholesale cap is in force; expected a day from 2017-06-15 to 2032-06-30"):
        envelope(TWENTY, day, CONTRACT)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(Decimal(-1)),
        Plan(Decimal("NaN")),
        Plan(Decimal("Infinity")),
        Plan(Decimal(20), Decimal(-1)),
        Plan(Decimal(20), Decimal(2)),
        Plan(Decimal(20), Decimal(0), Decimal(-3)),
    ],
)
def test_an_impossible_plan_is_refused(plan: Plan) -> None:
    with pytest.raises(BadInput, match="is not possible"):
        envelope(plan, date(2018, 1, 1), CONTRACT)
