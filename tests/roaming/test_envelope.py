"""Envelopes: the article's figures, the regulation's table, and what bounds them."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.roaming.contract import load_roaming
from simbench.roaming.envelope import Plan, envelope, envelopes
from simbench.roaming.explained import explained

CONTRACT = load_roaming()
TWENTY = Plan(Decimal(20), Decimal("0.2"))

# Cap, envelope of 20 euros as printed cut to 0.1, of 20 euros less 20 % VAT, rounded up: by hand.
TABLE = [
    ("2017-06-15", "7.70", "5.1", "4.3291"),
    ("2018-01-01", "6.00", "6.6", "5.5556"),
    ("2019-01-01", "4.50", "8.8", "7.4075"),
    ("2020-01-01", "3.50", "11.4", "9.5239"),
    ("2021-01-01", "3.00", "13.3", "11.1112"),
    ("2022-01-01", "2.50", "16.0", "13.3334"),
    ("2022-07-01", "2.00", "20.0", "16.6667"),
    ("2023-01-01", "1.80", "22.2", "18.5186"),
    ("2024-01-01", "1.55", "25.8", "21.5054"),
    ("2025-01-01", "1.30", "30.7", "25.6411"),
    ("2026-01-01", "1.10", "36.3", "30.3031"),
    ("2027-01-01", "1.00", "40.0", "33.3334"),
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


@pytest.mark.parametrize(
    ("country", "day", "share"),
    [
        ("DE", "2020-06-30", "0.19"), ("DE", "2020-07-01", "0.16"), ("DE", "2020-12-31", "0.16"),
        ("DE", "2021-01-01", "0.19"), ("IE", "2020-08-31", "0.23"), ("IE", "2020-09-01", "0.21"),
        ("IE", "2021-02-28", "0.21"), ("IE", "2021-03-01", "0.23"), ("LU", "2023-06-01", "0.16"),
        ("LU", "2024-01-01", "0.17"), ("FI", "2024-08-31", "0.24"), ("FI", "2024-09-01", "0.255"),
        ("EE", "2023-12-31", "0.20"), ("EE", "2024-01-01", "0.22"), ("EE", "2025-07-01", "0.24"),
        ("SK", "2024-12-31", "0.20"), ("SK", "2025-01-01", "0.23"), ("RO", "2025-07-31", "0.19"),
        ("RO", "2025-08-01", "0.21"), ("HU", "2017-06-15", "0.27"), ("FR", "1999-01-01", "0.20"),
        ("DE", "1999-01-01", "0.19"),
    ],
)  # fmt: skip
def test_vat_is_that_of_the_country_on_the_day(country: str, day: str, share: str) -> None:
    assert CONTRACT.vat_share(country, date.fromisoformat(day)) == Decimal(share)


def test_every_member_state_has_a_rate() -> None:
    assert len(CONTRACT.terms.vat) == 27


def test_a_table_has_a_row_where_vat_changes() -> None:
    plan = Plan(Decimal(20), Decimal("0.19"))
    rows = {str(row.day): row.gb for row in envelopes(plan, CONTRACT, vat=CONTRACT.vat_shares("DE"))}
    assert len(rows) == len(TABLE) + 1
    assert (rows["2020-01-01"], rows["2020-07-01"]) == (Decimal("9.6039"), Decimal("9.8523"))
    assert rows["2021-01-01"] == Decimal("11.2045")


def test_a_bundle_dearer_than_the_cap_takes_all_of_its_allowance_abroad() -> None:
    closed = envelope(Plan(Decimal(20), Decimal("0.2"), Decimal(2)), date(2017, 6, 15), CONTRACT)
    assert (closed.kind, closed.octets) == ("closed", 2_000_000_000)


def test_the_domestic_allowance_bounds_an_open_bundle() -> None:
    cheap = envelope(Plan(Decimal(20), Decimal("0.2"), Decimal(3)), date(2017, 6, 15), CONTRACT)
    assert (cheap.kind, cheap.gb) == ("open", Decimal(3))


@pytest.mark.parametrize(
    ("domestic", "shown"), [("2.00005", "2.0001"), ("2.0000001", "2.0001"), ("2", "2.0000"), ("2.0001", "2.0001")]
)
def test_what_is_shown_is_never_below_the_legal_minimum(domestic: str, shown: str) -> None:
    found = envelope(Plan(Decimal(20), Decimal("0.2"), Decimal(domestic)), date(2017, 6, 15), CONTRACT)
    assert str(found.gb) == shown
    assert found.gb * 10**9 >= found.octets


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


@pytest.mark.parametrize(
    ("plan", "day", "reported"),
    [
        (Plan(Decimal(20), Decimal("0.2")), date(2017, 6, 15),
         "your plan at 20.00 EUR includes 4.3291 GB | twice what 16.67 EUR before VAT | cap of 7.70 EUR | at most 7.70 "
         "EUR before VAT, 9.24 EUR with VAT of 20 %"),
        (Plan(Decimal(20), Decimal("0.16")), date(2020, 12, 1), "includes 9.8523 GB | 17.24 EUR | with VAT of 16 %"),
        (Plan(Decimal(20), Decimal("0.2"), Decimal(3)), date(2026, 8, 1), "all 3 GB | Each of its gigabytes costs"),
        (Plan(Decimal(20), Decimal("0.2"), Decimal(20)), date(2026, 8, 1), "all 20 GB | calculation would give more"),
        (Plan(Decimal(10), prepaid=True), date(2027, 1, 1), "includes 10 GB | what 10.00 EUR of credit | at most 1.00"),
    ],
)  # fmt: skip
def test_a_customer_learns_the_volume_how_it_comes_about_and_what_is_due_beyond(
    plan: Plan, day: date, reported: str
) -> None:
    text = explained(plan, envelope(plan, day, load_roaming()), "en").replace("\u00a0", " ")
    assert all(part in text for part in reported.split(" | ")), text
    french = explained(plan, envelope(plan, day, load_roaming()), "fr")
    assert "€" in french
    assert not re.search(r"\b(the|your|with|EUR|GB)\b|\d\.\d", french)
