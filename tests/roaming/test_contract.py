"""The roaming contract: what its sources say, and what a file of one's own may not."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput, ContractError
from simbench.contract.layers import HOME
from simbench.roaming.contract import DEFAULT, load_roaming

CONTRACT = load_roaming()
TEXT = (HOME / f"{DEFAULT}.toml").read_text()


def test_the_caps_fall_as_the_regulations_say() -> None:
    caps = [(str(cap.since), cap.value) for cap in CONTRACT.terms.caps.data]
    assert caps[0] == ("2017-06-15", Decimal("7.70"))
    assert [value for _, value in caps] == sorted((value for _, value in caps), reverse=True)
    assert caps[-1] == ("2027-01-01", Decimal("1.00"))
    assert CONTRACT.cap("voice", date(2022, 6, 30)).value == Decimal("0.032")
    assert CONTRACT.cap("sms", date(2032, 6, 30)).value == Decimal("0.003")


def test_what_the_article_says_is_of_the_seed_and_what_nobody_confirmed_is_an_assumption() -> None:
    terms = CONTRACT.terms.by_name()
    seed = {str(cap.since.year) for cap in CONTRACT.terms.caps.data if cap.status == "seed"}
    assert seed == {"2017", "2018", "2019", "2022"}
    assert all(term.source for term in terms.values() if term.status != "assumption")
    assert all(term.note for term in terms.values() if term.status == "assumption")
    assert CONTRACT.assumed("caps.voice[0]", "caps.voice[1]", "fair_use.alert_days") == ("caps.voice[1]",)


def test_every_clause_is_named_by_a_term_or_a_rule_of_its_own() -> None:
    assert {term.clause for term in CONTRACT.terms.by_name().values()} <= set(CONTRACT.clauses)


def test_a_fixed_window_is_never_shorter_than_any_four_months() -> None:
    longest = max(
        (date(2018 + (month + 4) // 13, (month + 3) % 12 + 1, 1) - date(2018, month, 1)).days for month in range(1, 13)
    )
    assert CONTRACT.terms.fair_use.observation_days.value == longest


WRONG = [
    ('value = "7.70"', 'value = "-7.70"', "expected an amount"),
    ('value = "7.70"', 'value = "0.00"', "terms.caps.data[0].value: is zero; expected a price above zero"),
    ('value = "7.70"', 'valeu = "7.70"', "terms.caps.data[0].valeu: unknown key; expected perhaps `value`"),
    (
        "since = 2018-01-01",
        "since = 2017-01-01",
        "terms.caps.data[1].since: is 2017-01-01; expected dates in",
    ),
    ("since = 2018-01-01, ", "", "terms.caps.data[1].since: is missing"),
    ("[terms.spending]", "[terms.spendings]", "terms.spendings: unknown key; expected perhaps `spending`"),
    (
        'status = "seed", clause = "ROM-ENV-01"',
        'status = "sure", clause = "ROM-ENV-01"',
        "terms.envelope.factor.status: is",
    ),
    ('clause = "ROM-LIM-02"', 'clause = "ROM-LIM-99"', "unknown clause"),
    ("value = 123", "value = 100", "expected at least fair_use.observation_months"),
    ('FR = { value = "0.20"', 'FR = { value = "1.20"', "terms.vat.FR.value: is 1.20; expected a share below 1"),
    ("since = 2020-07-01", "since = 2006-07-01", "terms.vat.DE[1].since: is 2006-07-01; expected dates in ascending"),
    (
        'since = 2020-07-01, value = "0.16"',
        'since = 2020-07-01, value = "16"',
        "terms.vat.DE[1].value: is 16; expected",
    ),
    ('limit_eur = { value = "50"', 'limit_eur = { value = "0"', "expected an amount above zero"),
]


@pytest.mark.parametrize(("was", "becomes", "expected"), WRONG)
def test_a_wrong_file_is_refused_with_file_and_key(was: str, becomes: str, expected: str, tmp_path: Path) -> None:
    assert was in TEXT
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(was, becomes, 1))
    with pytest.raises(ContractError) as refused:
        load_roaming(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_of_ones_own_stands_for_the_built_in_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace('value = "7.70"', 'value = "7.00"'))
    mine = load_roaming(path)
    assert (mine.name, mine.cap("data", date(2017, 7, 1)).value) == ("mine", Decimal("7.00"))
    assert mine.digest != CONTRACT.digest


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = TEXT.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(st.text(max_size=20) | st.just("") | st.just(lines[place][:-3]) | st.sampled_from(lines))
    path = tmp_path_factory.mktemp("damaged") / "c.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    problem = ""
    try:
        load_roaming(path)
    except BadInput as refused:
        problem = str(refused)
    assert "\n" not in problem
    assert tomllib.loads(TEXT)["title"] == CONTRACT.title
