"""The built-in contract against the brochure: clauses, figures, prices, and where each comes from."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import pytest

from simbench.base.errors import BadInput
from simbench.contract import load_contract

CONTRACT = load_contract()
TERMS = CONTRACT.terms.by_name()
UNITS = {"_per_s": "messages/s", "_ms": "ms", "_s": "s", "_min": "min", "_h": "h", "_share": "share", "_days": "days"}


def test_clauses_are_named_by_chapter_and_number_each_chapter_in_one_place_and_in_order() -> None:
    """A chapter's numbers begin at 1 and rise; some are free."""
    places = [re.fullmatch(r"OPS-([A-Z]{3})-(\d\d)", name) for name in CONTRACT.clauses]
    assert all(places)
    chapters = [
        (chapter, [int(one[2]) for one in group]) for chapter, group in groupby(filter(None, places), itemgetter(1))
    ]
    assert len({chapter for chapter, _ in chapters}) == len(chapters) > 5
    for chapter, numbers in chapters:
        assert numbers[0] == 1, chapter
        assert numbers == sorted(set(numbers)), chapter
        assert len({clause.chapter for name, clause in CONTRACT.clauses.items() if chapter in name}) == 1


def test_the_twenty_ambiguities_are_there_and_in_force_as_recommended() -> None:
    assert list(CONTRACT.ambiguities) == [f"AMB-{number:02}" for number in range(1, 21)]
    assert [CONTRACT.reading(amb) for amb in ("AMB-02", "AMB-04", "AMB-05", "AMB-11", "AMB-20")] == [
        "marginal", "calendar", "sliding", "delivered", "half_open"]  # fmt: skip


def test_every_clause_is_complete_and_says_who_is_bound_and_how_it_is_seen() -> None:
    for name, clause in CONTRACT.clauses.items():
        assert all((clause.gist, clause.key_term, clause.check, clause.chapter, clause.bound, clause.verify)), name
        assert re.fullmatch(r"B:\d+(-\d+)?", clause.source), name


def test_recommendations_are_not_obligations() -> None:
    assert {name for name, clause in CONTRACT.clauses.items() if clause.strength == "should"} == {
        "OPS-DEO-13", "OPS-DEO-14"}  # fmt: skip


def test_what_the_brochure_says_cites_a_line_and_what_we_assume_cites_none() -> None:
    for name, term in TERMS.items():
        if term.status == "seed":
            assert re.fullmatch(r"B:\d+(-\d+)?(, B:\d+(-\d+)?)*", term.source), name
        else:
            assert (term.status == "assumption") == (not term.source), name


@pytest.mark.parametrize("name", TERMS)
def test_a_term_carries_the_unit_its_name_promises(name: str) -> None:
    promised = next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), None)
    allowed = {promised, "hour of day"} if promised == "h" else {promised}
    assert promised is None or TERMS[name].unit in allowed


def test_prices_are_exact_and_bands_end_as_in_the_brochure() -> None:
    """The prices themselves are in the invoices that are worked out by hand, in tests/billing."""
    prices = [term.value for term in TERMS.values() if "euro" in term.unit]
    assert prices
    assert all(isinstance(price, Decimal) for price in prices)
    tariff = CONTRACT.terms.tariff
    assert (tariff["code_month_1_20"].last, tariff["green_geo_month_1_10"].last) == (20, 10)
    assert CONTRACT.terms.money.tier_months.value == 1
    assert (CONTRACT.terms.money.currency.value, str(CONTRACT.terms.money.vat_share.value)) == ("EUR", "0.20")


def test_bands_leave_no_code_without_a_price() -> None:
    for charge in ("code_month", "range_month"):
        low, high = CONTRACT.terms.rows(charge)
        assert (low.first, high.first, high.last) == (1, (low.last or 0) + 1, None)


def test_the_promises_are_those_of_the_brochure() -> None:
    t = CONTRACT.terms
    assert t.throughput.rates == (10, 20, 50, 100, 150)
    assert t.throughput.default_per_s.value == 10
    assert [rate for rate in t.throughput.rates if t.throughput.must_ask(rate)] == [50, 100, 150]
    assert (t.quality.availability.value, t.quality.availability_months.value) == (0.99, 12)
    assert t.quality.availability_window.value == "rolling"
    assert (t.quality.restoration_h.value, t.quality.notice_days.value, t.quality.rate_floor_per_s.value) == (6, 5, 10)
    hours = t.hours["marketing"]
    assert (hours.opens_at_h.value, hours.closes_at_h.value, hours.days.value) == (8, 22, "monday-to-saturday")
    assert t.forecast.per_year.value == 2


def test_the_parties_are_those_of_the_brochure() -> None:
    names = {key: (party.role, party.name) for key, party in CONTRACT.parties.items()}
    assert names == {
        "orange": ("operator", "Orange"), "cocontractant": ("client", "Cocontractant"),
        "emetteur": ("sender", "Émetteur"),
    }  # fmt: skip
    assert CONTRACT.operator == "orange"


def test_every_clause_says_what_verifies_it_or_why_nothing_does() -> None:
    for name, clause in CONTRACT.clauses.items():
        assert bool(clause.verified_by) != bool(clause.not_verified), name


def test_code_and_sender_patterns_tell_codes_from_names() -> None:
    numbering = CONTRACT.terms.numbering
    assert numbering.code_pattern == "3[4-8][0-9]{3}"
    for code in ("34001", "35010", "36010", "37000", "38001"):
        assert re.fullmatch(numbering.code_pattern, code)
    for other in ("33001", "39001", "3601", "360100", "36O10"):
        assert not re.fullmatch(numbering.code_pattern, other)
    for name, is_name in (
        ("MaMarque", True),
        ("Shop24", True),
        ("36010", False),
        ("Ma Marque", False),
        ("A" * 12, False),
    ):
        assert bool(re.fullmatch(numbering.oadc_alpha_pattern.value, name)) is is_name


def test_only_what_nobody_confirmed_counts_as_assumed() -> None:
    names = ("AMB-05", "throughput.default_per_s", "session.window_max", "throughput.jitter_ms")
    assert CONTRACT.assumed(*names) == ("AMB-05", "throughput.jitter_ms")
    assert CONTRACT.assumed() == ()


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(BadInput, match="no clause `OPS-ACH-4`; expected perhaps `OPS-ACH-04`"):
        CONTRACT.clause("OPS-ACH-4")
    with pytest.raises(BadInput, match="no ambiguity `AMB-21`"):
        CONTRACT.reading("AMB-21")
    with pytest.raises(BadInput, match=r"perhaps `throughput\.jitter_ms`"):
        CONTRACT.assumed("throughput.jitter")


def test_the_built_in_contract_is_read_once() -> None:
    assert load_contract("orange_ops_2016").terms is load_contract().terms
    assert re.fullmatch("[0-9a-f]{16}", CONTRACT.digest)
    assert (CONTRACT.name, CONTRACT.files) == ("orange_ops_2016", ("orange_ops_2016.toml",))


def test_importing_the_contract_loads_nothing_heavy() -> None:
    program = (
        "import sys, simbench.contract, simbench.base.calendar as c; c.UTC_CALENDAR.civil(0);"
        "print(sorted({'numpy', 'holidays', 'tomllib', 'difflib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
