"""Hours of a contract that are not whole: the schema, the rules, the exercises and the reference client follow them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.errors import ContractError
from simbench.base.units import SECOND_US
from simbench.bench.exercises.marketing_hours import edge
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import EVERYTHING
from simbench.client.compliance import MarketingHours
from simbench.client.messages import knowledge_of
from simbench.contract import Contract, load_contract
from simbench.finding import Finding


def halves(tmp_path: Path, status: str = "contract", opens: str = '"08:30"', closes: str = '"20:45"') -> Contract:
    path = tmp_path / f"halves-{status}.toml"
    path.write_text(
        'extends = "demo_telecom"\ntitle = "halves"\n[terms.hours.marketing]\n'
        f'opens_at_h = {{ value = {opens}, status = "{status}" }}\n'
        f'closes_at_h = {{ value = {closes}, status = "{status}" }}\n'
    )
    return load_contract(path)


def judged(contract: Contract, exercise: str, *faults: str) -> Finding:
    one, _ = select(contract=contract)[exercise]
    (found,) = judge_exercise(conduct_in_memory(one, contract, faults), [f"hours.{exercise}"], contract, EVERYTHING)
    return found


def test_marketing_begins_and_ends_at_the_half_hour(tmp_path: Path) -> None:
    contract = halves(tmp_path)
    opens, closes = (contract.calendar.instant(2026, 3, 3, *clock) for clock in ((8, 30), (20, 45)))
    assert not contract.may_send("marketing", opens - SECOND_US)
    assert contract.may_send("marketing", opens)
    assert contract.may_send("marketing", closes - SECOND_US)
    assert not contract.may_send("marketing", closes)
    day = (contract.calendar.instant(2026, 3, 3), contract.calendar.instant(2026, 3, 4))
    assert list(contract.openings("marketing", *day)) == [(opens, closes)]
    assert f"{edge('opens')(contract):%H:%M} {edge('closes', seconds=10)(contract):%H:%M:%S}" == "08:30 20:44:50"
    hours = MarketingHours(knowledge_of(contract))
    assert hours.opens_at(day[0]) == opens
    assert hours.closes_at(opens) == closes
    assert "from 8:30 to 20:45" in contract.clauses["5.2"].gist


def test_whole_hours_may_be_written_either_way(tmp_path: Path) -> None:
    text, number = halves(tmp_path, "contract", '"09:00"', '"20:00"'), load_contract("demo_telecom")
    assert text.terms.hours["marketing"].opens_min == number.terms.hours["marketing"].opens_min == 540
    assert text.clauses["5.2"] == number.clauses["5.2"]


@pytest.mark.parametrize("wrong", ['"8:30"', '"08h30"', '"25:00"', '"24:30"', "8.5", "25", '""'])
def test_a_time_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ContractError, match=r"opens_at_h\.value: is .*; expected a whole (hour|number)"):
        halves(tmp_path, opens=wrong)


def test_hours_that_end_before_they_begin_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match='is "20:45"; expected earlier than'):
        halves(tmp_path, opens='"20:45"', closes='"20:30"')


@pytest.mark.parametrize(("exercise", "fault"), [("morning-edge", "opens-early"), ("evening-edge", "closes-late")])
def test_the_exercises_cross_the_half_hour(tmp_path: Path, exercise: str, fault: str) -> None:
    contract = halves(tmp_path)
    assert judged(contract, exercise).outcome == "pass"
    assert judged(contract, exercise, fault).outcome == "fail"


@pytest.mark.parametrize(("exercise", "fault"), [("morning-edge", "opens-early"), ("evening-edge", "closes-late")])
def test_exceeding_an_assumed_hour_is_weak_and_names_it(tmp_path: Path, exercise: str, fault: str) -> None:
    contract = halves(tmp_path, "assumption")
    found, sound = judged(contract, exercise, fault), judged(contract, exercise)
    assert (found.outcome, sound.outcome) == ("weak", "pass")
    for one in (found, sound):
        assert {"hours.marketing.opens_at_h", "hours.marketing.closes_at_h"} <= set(one.assumed)
        assert "hours.marketing.days" not in one.assumed


def test_a_sunday_fails_by_the_days_of_the_contract_though_the_hours_are_assumed(tmp_path: Path) -> None:
    assert judged(halves(tmp_path, "assumption"), "sundays", "works-on-sundays").outcome == "fail"
