"""Invoices are those worked out by hand; each ambiguity changes what it should."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from simbench.billing.acts import Acts, CodeActs, Month, Option, Tier
from simbench.billing.counts import Count, Counts
from simbench.billing.due import what_is_due
from simbench.billing.invoice import effects, invoice
from simbench.billing.page import Bundle, as_csv, as_html
from simbench.billing.readings import SWITCHES
from simbench.billing.received import Difference, added_up
from simbench.billing.words import HOME
from simbench.contract import load_contract
from simbench.reporting.format import money
from tests.billing.worked import CONTRACT, LONG_SINCE, NOTHING, OCTOBER, WORKED, amounts, codes, delivered


@pytest.mark.parametrize("name", WORKED)
def test_an_invoice_is_the_one_worked_out_by_hand(name: str) -> None:
    acts, counts, lines, total = WORKED[name]
    bill = invoice(CONTRACT, acts, counts, OCTOBER)
    assert added_up((one.clause, one.code, one.quantity, one.amount or Decimal(0)) for one in bill.lines) == amounts(
        lines
    )
    assert (bill.total_ht, bill.complete) == (Decimal(total), True)
    assert bill.total_ttc == bill.total_ht + bill.vat


@pytest.mark.parametrize("name", WORKED)
def test_the_judge_reckons_the_same_by_its_own_way(name: str) -> None:
    acts, counts, lines, _ = WORKED[name]
    assert what_is_due(CONTRACT, acts, counts, OCTOBER) == amounts(lines)


OTHERWISE = {
    # ten codes 34ABC: nine at 150 and one at 500 instead of ten at 150
    ("AMB-01", "from_10"): (Acts(codes(10, "34")), NOTHING, "350.00"),
    # 25 codes at 500 instead of 20 at 150 and 5 at 500
    ("AMB-02", "slab"): (Acts(codes(25)), NOTHING, "7000.00"),
    # the 150 of the code on a tier falls away
    ("AMB-03", "replaces"): (Acts((CodeActs("36020", LONG_SINCE, None, (Tier("2016-01", 20),)),)), NOTHING, "-150.00"),
    # both acts of the option in one month cost 280 once
    ("AMB-08", "once"): (
        Acts((CodeActs("36001", LONG_SINCE, None, (), (Option(date(2016, 10, 3), date(2016, 10, 20)),)),)),
        NOTHING,
        "-280.00",
    ),
    # an option that merely goes on costs 280 each month
    ("AMB-08", "monthly"): (
        Acts((CodeActs("36001", LONG_SINCE, None, (), (Option(date(2016, 6, 1)),)),)),
        NOTHING,
        "280.00",
    ),
    # of the four tiers 1,600, 2,500 and 3,000 fall away; that of 20/s keeps its price
    ("AMB-07", "quotation"): (WORKED["the four tiers"][0], NOTHING, "-7100.00"),
    # 100 accepted, 90 delivered: ten more at 0.030
    ("AMB-11", "routed"): (Acts(codes(1)), Counts("hand", {(OCTOBER, "36001"): Count(90, 100)}), "0.30"),
    # three 34ABC are billed as ordinary codes as well
    ("AMB-19", "adds"): (Acts(codes(3, "34")), NOTHING, "450.00"),
}


@pytest.mark.parametrize("switch", OTHERWISE)
def test_another_reading_changes_the_total_by_what_the_hand_says(switch: tuple[str, str]) -> None:
    acts, counts, difference = OTHERWISE[switch]
    by_switch = {(one.ambiguity, one.reading): one.difference for one in effects(CONTRACT, acts, counts, OCTOBER)}
    assert by_switch[switch] == Decimal(difference)
    read_otherwise = CONTRACT.read_as(*switch)
    due = what_is_due(read_otherwise, acts, counts, OCTOBER)
    total = sum(amount or Decimal(0) for _, amount in due.values())
    assert total == invoice(CONTRACT, acts, counts, OCTOBER).total_ht + Decimal(difference)


def test_a_tier_sold_by_quotation_has_no_price_until_one_is_quoted() -> None:
    code = CodeActs("36050", LONG_SINCE, None, (Tier("2016-01", 50, "R-1"),))
    by_quotation = CONTRACT.read_as("AMB-07", "quotation")
    unknown = invoice(by_quotation, Acts((code,)), NOTHING, OCTOBER)
    assert (unknown.complete, unknown.total_ht) == (False, Decimal("150.00"))
    quoted = invoice(by_quotation, Acts((code,), quotes={"50": Decimal("1234.50")}), NOTHING, OCTOBER)
    assert (quoted.complete, quoted.total_ht) == (True, Decimal("1384.50"))


def test_messages_rounded_one_by_one_cost_another_sum_where_the_price_has_parts_of_a_cent(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    price = 'per_delivered_mt = { value = "0.034", unit = "euro/message", status = "source", source = "test" }'
    mine.write_text(f'extends = "orange_ops_2016"\n[terms.tariff]\n{price}\n')
    contract = load_contract(mine)
    acts, counts = Acts(codes(1)), delivered(1000)  # 34.00, or a thousand times 0.03
    by_switch = {(one.ambiguity, one.reading): one.difference for one in effects(contract, acts, counts, OCTOBER)}
    assert by_switch["AMB-15", "per_message"] == Decimal("-4.00")
    due = what_is_due(contract.read_as("AMB-15", "per_message"), acts, counts, OCTOBER)
    assert due["OPS-TAR-05", ""] == (1000, Decimal("30.00"))


def test_the_tenth_green_code_is_pointed_out() -> None:
    assert invoice(CONTRACT, Acts(codes(9, "34")), NOTHING, OCTOBER).notes == ()
    assert "AMB-01" in invoice(CONTRACT, Acts(codes(10, "34")), NOTHING, OCTOBER).notes[0]


def test_a_code_closed_before_the_month_costs_nothing() -> None:
    acts = Acts((CodeActs("36001", LONG_SINCE, date(2016, 9, 30)),))
    assert invoice(CONTRACT, acts, NOTHING, OCTOBER).lines == ()
    assert invoice(CONTRACT, acts, NOTHING, Month(2016, 9)).total_ht == Decimal("300.00")  # the month and the closing


def test_the_option_of_a_code_ends_with_the_code() -> None:
    code = CodeActs("36001", LONG_SINCE, date(2016, 9, 30), (), (Option(date(2016, 6, 1)),))
    assert invoice(CONTRACT, Acts((code,)), NOTHING, OCTOBER).lines == ()
    assert what_is_due(CONTRACT, Acts((code,)), NOTHING, OCTOBER) == {}
    assert invoice(CONTRACT, Acts((code,)), NOTHING, Month(2016, 9)).total_ht == Decimal("450.00")  # 150 for it


def test_a_page_holds_every_amount_and_asks_for_nothing_outside() -> None:
    acts, counts, _, _ = WORKED["one new code"]
    bill = invoice(CONTRACT, acts, counts, OCTOBER)
    page = as_html([Bundle(bill, effects(CONTRACT, acts, counts, OCTOBER), "<script>")], CONTRACT)
    assert money(bill.total_ttc, CONTRACT.language, "EUR") in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert as_csv(bill, CONTRACT).splitlines()[1] == "OPS-TAR-01,36001,1,280,280.00"


def test_amounts_have_one_form_a_language_and_the_currency_given() -> None:
    assert money(Decimal("1234567.5"), "fr", "EUR") == "1\u202f234\u202f567,50\u00a0€"
    assert money(Decimal("1234567.5"), "en", "EUR") == "1,234,567.50 EUR"
    assert [money(Decimal(text), "fr", "EUR") for text in ("0.030", "0.0325")] == ["0,03\u00a0€", "0,0325\u00a0€"]
    assert (money(None, "fr", "EUR"), money(None, "en", "EUR")) == ("sur devis", "by quotation")
    assert money(Decimal(5), "en", "CHF") == "5.00 CHF"
    assert money(Decimal(5), "fr", "CHF") == "5,00\u00a0CHF"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", WORKED)
def test_a_page_is_of_one_language(name: str, language: str) -> None:
    acts, counts, _, _ = WORKED[name]
    contract = msgspec.structs.replace(CONTRACT, language=language)
    bill = invoice(contract, acts, counts, OCTOBER)
    missing = Difference("OPS-TAR-03", "", "missing", 1, Decimal("1234.5"), 0, Decimal(0))
    page = as_html([Bundle(bill, effects(contract, acts, counts, OCTOBER), "counts.csv", (missing,))], contract)
    body = re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    texts = body.replace(contract.title, "")
    other = r"\b(the|of|for|and|is|code|total before)\b"
    if language == "en":
        other = r"\b(le|les|des|numéro|dû|HT|TTC)\b"
    assert not re.search(other, texts)
    assert ("EUR" in texts) == (language == "en")
    assert (" €" in texts.replace("\u00a0", " ")) == (language == "fr")


def test_both_languages_of_an_invoice_have_the_same_texts() -> None:
    tables = [tomllib.loads((HOME / f"{name}.toml").read_text()) for name in ("en", "fr")]
    english, french = ({(s, k): v for s, entries in table.items() for k, v in entries.items()} for table in tables)
    assert set(english) == {key for key in french if key[0] != "reading"}
    readings = {(f"{name}-{one}") for name in SWITCHES for one in CONTRACT.ambiguity(name).readings}
    assert {key for section, key in french if section == "reading"} == readings
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", french[key])), key
