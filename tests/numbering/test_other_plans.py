"""Plans of other operators: the same country under another operator, and a country that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.errors import ContractError
from simbench.contract import load_contract
from simbench.contract.engine import examine
from simbench.contract.load import SMS
from simbench.numbering.plan import Number, NumberingPlan, plan_of, wrong_numbers
from simbench.numbering.subscribers import BaseProfile, SubscriberBase
from tests.paris import PLAN

DEMO = plan_of(load_contract("demo_telecom"))
SFR = NumberingPlan(PLAN.data, "sfr")


@pytest.mark.parametrize(
    "written",
    ["520000007", "384520000007", "+384520000007", "00384520000007", "+384 52 000 00 07", "+384 (0) 520000007"],
)
def test_a_plan_without_a_national_prefix_reads_every_notation(written: str) -> None:
    assert DEMO.read(written) == "384520000007" == DEMO.key("520000007")
    assert DEMO.classify("520000007") == Number("384520000007", "mobile", "demo", fictional=True)


@pytest.mark.parametrize("address", ["0520000007", "52000000", "5200000070", "600000000", "38452", ""])
def test_what_is_no_number_of_it_is_malformed_or_foreign(address: str) -> None:
    assert DEMO.classify(address).kind in {"malformed", "foreign"}


def test_numbers_of_the_first_plan_are_foreign_under_the_second() -> None:
    assert DEMO.classify("33639980012").kind == "foreign"
    assert PLAN.classify("384520000007").kind == "malformed"  # nobody has the country code


def test_fictional_numbers_belong_to_the_operator_of_the_contract() -> None:
    assert (PLAN.classify("0710000000").holder, SFR.classify("0710000000").holder) == ("orange", "sfr")
    assert (PLAN.away, SFR.away) == (("sfr", "bouygues", "free"), ("orange", "bouygues", "free"))
    assert PLAN.classify("0607000000").holder == SFR.classify("0607000000").holder == "orange"
    for plan in (PLAN, SFR, DEMO):
        assert not list(wrong_numbers(plan.data, plan.home))


def test_a_subscriber_served_has_the_operators_token_and_a_ported_one_an_other() -> None:
    base = SubscriberBase(DEMO, 1, BaseProfile(share_ported_out=0.5))
    found = [base.find(DEMO.own(number)) for number in range(200)]
    assert {one.standing for one in found} == {"demo", "ported-out"}
    assert {one.operator for one in found if one.standing == "ported-out"} == {"rival", "third"}
    assert all(one.served is (one.standing == "demo") for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('numbering_plan = "fr"', "numbering_plan: is the plan of FR, while terms.calendar.country is"),
        ('numbering_plan = "invent"', "`invented`, a path ending in .toml"),
        ('numbering_plan = "none.toml"', "none.toml"),
        ("[numbering_plan]\ndigits = 9", "country_code"),
    ],
)
def test_a_wrong_plan_is_one_line(text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'extends = "demo_telecom"\n{text}\n')
    try:
        _, problems = examine(SMS, path)
        found = [str(one) for one in problems]
    except ContractError as refused:
        found = [str(refused)]
    assert any(expected in one for one in found), found
