"""Every mistake of a contract file at once, each with file, line, key and expectation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import ContractError
from simbench.contract.engine import Schema, examine
from simbench.contract.layers import HOME, builtin_names
from simbench.contract.load import SMS
from simbench.dialup.offer import DIALUP, load_netrevenu
from simbench.roaming.contract import ROAMING, load_roaming

BAD = """extends = "demo_telecom"
title = "bad"
[terms.throughput]
tiers = [
  { value = 5, unit = "messages/s", price = "0", status = "contract", clause = "3.1" },
  { value = 25, unit = "messages/s", price = "210", status = "contract", clause = "7.4a" },
  { value = 25, unit = "messages/s", status = "contract", clause = "7.4b" },
]
[terms.tariff.code_month_6_12]
first = 4
[terms.tariff.code_month_13_on]
value = "12x"
[terms.numbering]
ranges = [
  { value = "61", unit = "digits", use = "reply", status = "contract", clause = "4.3" },
  { value = "7222", unit = "digits", use = "marketing", status = "contract", clause = "4.2" },
]
[terms.hours.marketing]
opens_at_h = { value = 21, status = "contract" }
[terms.calendar]
zone = { value = "Europe/Lisbom", status = "contract" }
[clauses."4.2"]
bound = ["custommer"]
[clauses."4.3"]
gist = "x"
[clauses."4.3"]
gist = "x"
[terms.quality]
avalability = 3
"""
MISTAKES = [
    'bad.toml:26: clauses."4.3": is defined twice; expected one definition',
    "bad.toml:29: terms.quality.avalability: unknown key; expected perhaps `availability`",
    'bad.toml:12: terms.tariff.code_month_13_on.value: is "12x": Invalid decimal string',
    'bad.toml:23: clauses."4.2".bound[0]: is "custommer"; expected perhaps `customer`',
    "bad.toml:7: terms.throughput.tiers[2].value: is 25, which another tier has; expected each rate once",
    "bad.toml:7: terms.throughput.tiers[2].price: is missing; expected an amount, or by_quotation = true",
    'bad.toml:16: terms.numbering.ranges[1].value: is "7222", which no code can have; expected fewer than 4 digits',
    "bad.toml:10: terms.tariff.code_month_6_12.first: is 4: the band overlaps that of code_month_1_5; expected 6",
    "bad.toml:19: terms.hours.marketing.opens_at_h.value: is 21; expected earlier than hours.marketing.closes_at_h",
    'bad.toml:21: terms.calendar.zone.value: is "Europe/Lisbom"; expected perhaps `Europe/Lisbon`',
]


def mistakes(folder: Path, text: str, schema: Schema[Any] = SMS) -> list[str]:
    path = folder / "bad.toml"
    path.write_text(text, "utf-8")
    loaded, problems = examine(schema, path)
    assert (loaded is None) == bool(problems)
    return [str(problem).replace(f"{folder}/", "") for problem in problems]


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    assert sorted(mistakes(tmp_path, BAD)) == sorted(MISTAKES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind = "roaming"\n', 'kind: is "roaming"; expected "sms"'),
        ('title = "x"\n', "parties: is missing"),
        ('extends = "common"\nabstract = true\n', "abstract: is true: the file is not a contract"),
        ('extends = "demo_telecom"\nparties.other = { role = "operator", name = "X" }\n', "has 2 of role operator"),
        ('extends = "demo_telecom"\n[clauses.own]\nchapter = "a"\ngist = "a"\nkey_term = "a"\nbound = []\n'
         'strength = "must"\nverify = []\nsource = "a"\ncheck = "a"\n', "has neither verified_by nor"),
        ('extends = "demo_telecom"\nterms.throughput.default_per_s.value = 6\n', "is 6; expected one of the tiers"),
        ('extends = "demo_telecom"\nterms.tariff.code_month_6_12.last = 5\n', "last: is 5; expected at least 6"),
        ('extends = "demo_telecom"\nterms.tariff.message.last = 50000\n', 'charge "message" has one price'),
        (
            'extends = "demo_telecom"\nterms.tariff.message.clause = "7.2a"\n', 'also the clause of tariff.opening'),
        ('extends = "demo_telecom"\nterms.numbering.ranges = []\n', "ranges: is empty"),
        ('extends = "demo_telecom"\nterms.money.vat_share.value = "1.2"\n', "expected a share below 1"),
    ],
)  # fmt: skip
def test_a_contradiction_is_reported(text: str, problem: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, text)
    assert any(problem in one for one in found), found


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_file_is_sound_or_a_base(name: str) -> None:
    kinds: dict[str, Schema[Any]] = {"netrevenu_2000": DIALUP, "roaming_eu": ROAMING}
    _, problems = examine(kinds.get(name, SMS), name)
    assert [str(one) for one in problems if "the file is not a contract" not in one.problem] == []


def test_the_template_is_sound_and_assumes_everything() -> None:
    loaded, problems = examine(SMS, HOME / "templates" / "sms.toml")
    assert problems == []
    assert loaded is not None
    statuses = {term.status for term in loaded.content.terms.by_name().values()}
    assert statuses == {"assumption"}


def test_offers_and_roaming_contracts_take_overlays_too(tmp_path: Path) -> None:
    offer, roaming = tmp_path / "offer.toml", tmp_path / "roaming.toml"
    offer.write_text('extends = "netrevenu_2000"\nterms.redial.delay_mean_s = { value = 90, status = "contract" }\n')
    roaming.write_text('extends = "roaming_eu"\nterms.fair_use.alert_days = { value = 21, status = "contract" }\n')
    assert load_netrevenu(offer).terms.redial.delay_mean_s.value == 90
    assert load_netrevenu(offer).digest != load_netrevenu().digest
    assert load_roaming(roaming).terms.fair_use.alert_days.value == 21
    roaming.write_text('extends = "roaming_eu"\nterms.fair_use.alert_days.value = 21\n')
    with pytest.raises(ContractError, match='changed to 21 while its status stays "source"'):
        load_roaming(roaming)


LINES = st.sampled_from([line for line in BAD.splitlines() if line and "extends" not in line])


@settings(max_examples=40)
@given(st.lists(LINES | st.text(max_size=12), max_size=12))
def test_any_file_is_read_or_every_mistake_of_it_is_one_line(tmp_path_factory: Any, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "bad.toml"
    path.write_bytes("\n".join(['extends = "demo_telecom"', *lines]).encode("utf-8", "replace"))
    try:
        loaded, problems = examine(SMS, path)
    except ContractError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - one of two right outcomes
        return
    assert (loaded is None) == bool(problems)
    assert all("\n" not in str(problem) for problem in problems)
