"""The offer NetRevenu: the published points, and what every tariff function must be."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput, ContractError
from simbench.contract.layers import HOME
from simbench.dialup.offer import load_netrevenu

OFFER = load_netrevenu()
FUNCTIONS = sorted(OFFER.functions)
MINUTES = st.one_of(st.integers(0, 400_000_000), st.sampled_from([1, 49_999_999, 50_000_001, 99_999_999, 100_000_000]))
HALF_A_CENTIME = Fraction(1, 200)
names = pytest.mark.parametrize("name", FUNCTIONS)


@names
def test_fifty_million_minutes_bring_seven_hundred_thousand_francs(name: str) -> None:
    assert OFFER.share_ff(50_000_000, name) == Decimal(700_000)


@names
def test_a_hundred_and_fifty_million_bring_more_than_two_and_a_half_million(name: str) -> None:
    assert OFFER.share_ff(150_000_000, name) > 2_500_000


def test_the_second_point_by_function_and_in_euros() -> None:
    assert [str(OFFER.share_ff(150_000_000, name)) for name in FUNCTIONS] == [
        "2550000.00", "2550000.00", "2550000.00", "2503563.99"]  # fmt: skip
    assert str(OFFER.eur(Decimal(700_000))) == "106714.31"
    assert str(OFFER.eur(Decimal(2_500_000))) == "381122.54"


@names
def test_nothing_brings_nothing_and_a_hundred_minutes_bring_something(name: str) -> None:
    assert OFFER.share_ff(0, name) == 0
    assert OFFER.share_ff(100, name) > 0


@names
@given(MINUTES, MINUTES)
def test_more_minutes_never_bring_less(name: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert OFFER.share_ff(low, name) <= OFFER.share_ff(high, name)


@names
@given(MINUTES.filter(bool), MINUTES.filter(bool))
def test_the_average_rate_never_falls_but_by_rounding(name: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    below, above = (Fraction(OFFER.share_ff(minutes, name)) for minutes in (low, high))
    assert (below - HALF_A_CENTIME) / low <= (above + HALF_A_CENTIME) / high


@given(MINUTES)
def test_the_power_law_is_rounded_as_whole_numbers_decide(minutes: int) -> None:
    share = Fraction(OFFER.share_ff(minutes, "F4"))
    exact_to_the = Fraction(minutes, 50_000_000) ** 29 * 700_000**25
    assert max(share - HALF_A_CENTIME, Fraction(0)) ** 25 <= exact_to_the < (share + HALF_A_CENTIME) ** 25


def test_the_whole_volume_function_jumps_by_three_hundred_thousand() -> None:
    assert OFFER.share_ff(100_000_000, "F3") - OFFER.share_ff(99_999_999, "F3") == Decimal("300000.01")


def test_prices_and_vat_change_on_their_days() -> None:
    before, after = OFFER.retail_on(date(2000, 12, 4)), OFFER.retail_on(date(2000, 12, 5))
    assert (before.credit_ff, before.credit_s, before.peak_ff_per_min) == (Decimal("0.74"), 180, Decimal("0.28"))
    assert (after.credit_ff, after.credit_s, after.off_peak_ff_per_min) == (Decimal("0.60"), 60, Decimal("0.12"))
    assert OFFER.vat_on(date(2000, 3, 31)) == Decimal("0.206")
    assert OFFER.vat_on(date(2000, 4, 1)) == Decimal("0.196")
    with pytest.raises(BadInput, match="is not known"):
        OFFER.retail_on(date(1999, 2, 28))


def test_another_reading_is_another_offer() -> None:
    other = OFFER.with_readings({"NRV-AMB-01": "F3"})
    assert other.share_ff(120_000_000) == Decimal("2040000.00")
    assert other.digest != OFFER.digest


@pytest.mark.parametrize(
    ("readings", "expected"),
    [({"NRV-AMB-99": "x"}, "no such ambiguity"), ({"NRV-AMB-02": "seconds"}, "perhaps `second`")],
)
def test_a_reading_there_is_not_is_refused(readings: dict[str, str], expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        OFFER.with_readings(readings)


def test_what_the_article_says_is_seed_and_what_we_assume_cites_nobody() -> None:
    for name, term in OFFER.terms.by_name().items():
        assert (term.status == "assumption") == (not term.source), name
    seeds = {name for name, term in OFFER.terms.by_name().items() if term.status == "seed"}
    assert seeds == {f"points.{name}" for name in ("first_minutes", "first_share_ff", "second_minutes",
                                                   "second_share_over_ff")}  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('kind = "slab"', 'kind = "stairs"', 'functions.F3.kind: is "stairs"'),
        ('exponent = "1.16"', 'exponent = "1.1587"', "at most 3 decimals"),
        ("since = 2000-12-05", "since = 1998-12-05", "retail: dates do not increase"),
        ('default = "exact"', 'default = "guess"', 'ambiguities.NRV-AMB-02.default: is "guess"'),
        ("[functions.F4]", "[functions.F5]", "functions.F4: is missing"),
        ('clause = "NRV-STA-04"', 'clause = "NRV-STA-40"', 'clause: unknown clause: "NRV-STA-40"'),
        ("peak_from_h = { value = 8", "peak_from_h = { value = 20", "the peak ends before it begins"),
        ("smallest", "smalest", "perhaps `smallest`"),
    ],
)
def test_a_wrong_offer_is_refused_in_one_line(old: str, new: str, expected: str, tmp_path: Path) -> None:
    text = (HOME / "netrevenu_2000.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ContractError) as refused:
        load_netrevenu(path)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)
