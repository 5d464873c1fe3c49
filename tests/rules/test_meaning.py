"""Every purpose says why it matters and what usually breaks it; causes name the party that is bound."""

from __future__ import annotations

import pytest

from simbench.rules.meaning import meaning_of
from simbench.rules.rule import load

RULES = load()
CAUSES = {purpose: rule.usual_cause for purpose, rule in RULES.items() if rule.usual_cause}


@pytest.mark.parametrize("purpose", RULES)
def test_every_purpose_has_a_meaning_and_a_usual_cause(purpose: str) -> None:
    meaning = meaning_of(purpose)
    for sentence in meaning.matters, meaning.cause:
        assert sentence[0].isupper(), sentence
        assert sentence.endswith("."), sentence
    assert meaning.cause != RULES[purpose].sentence


def test_what_binds_the_platform_has_a_cause_on_its_side() -> None:
    bound = {purpose for purpose, rule in load("client").items() if rule.binds == "platform"}
    assert bound <= set(CAUSES), sorted(bound - set(CAUSES))
    assert all("platform" in CAUSES[purpose] for purpose in bound)


def test_the_purposes_of_sessions_and_submits_have_causes_of_their_own() -> None:
    general = {purpose for purpose in load("client") if purpose.partition(".")[0] in {"sessions", "submits", "texts"}}
    assert general - set(CAUSES) == {"submits.violations"}
