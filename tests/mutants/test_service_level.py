"""Each rule on the service level fails on the events tampered for it, and on no other."""

from __future__ import annotations

from functools import lru_cache

import pytest

from simbench.rules.rule import Case, judge, load
from tests.mutants.service_level import TAMPERINGS, tampered
from tests.sla.years import SERVICE_LEVEL

RULES = load()


@lru_cache(maxsize=8)
def case(name: str) -> Case:
    return tampered(name)


@pytest.mark.parametrize("purpose", SERVICE_LEVEL)
@pytest.mark.parametrize("fault", TAMPERINGS)
def test_each_rule_fails_on_its_own_fault_only(purpose: str, fault: str) -> None:
    found = judge(purpose, case(fault), "year")
    caught = fault in RULES[purpose].catches
    assert found.outcome == ("fail" if caught else "pass"), found.summary
    if caught:
        assert found.blame == RULES[purpose].binds
        assert found.evidence


def test_every_rule_names_what_it_catches_and_every_fault_is_caught() -> None:
    named = {fault for purpose in SERVICE_LEVEL for fault in RULES[purpose].catches}
    assert all(RULES[purpose].catches for purpose in SERVICE_LEVEL)
    assert named == set(TAMPERINGS) - {""}
