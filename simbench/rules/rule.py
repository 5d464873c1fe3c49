"""Rules by purpose: the registry, what a rule is given, and how a measurement becomes an outcome. Measures nothing.

A purpose is `CLAUSE/slug`; its rule reads one run and returns one finding. Rules on the client read wire, story and
asked only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from simbench.contract import Contract
from simbench.finding import OUTCOMES, Blame, Evidence, Finding, Outcome
from simbench.trace.trace import Reading


class Case(msgspec.Struct, frozen=True):
    """What a rule is given: one run as read from its ledger, and the contract it is judged against.

    `kept` is for what several rules work out of both, so that it is worked out once.
    """

    reading: Reading
    contract: Contract
    kept: dict[str, Any] = msgspec.field(default_factory=dict)


RuleFunction = Callable[[Case], "Judged"]


class Judged(msgspec.Struct, frozen=True):
    """What a rule found, before purpose and exercise are filled in."""

    outcome: Outcome
    summary: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    blame: Blame = ""
    assumed: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """One rule: its purpose, the sentence it checks, the named faults it must catch, and the capability it needs.

    `at_worst` is what a breach is at the worst: "weak" where the clause only recommends.
    """

    purpose: str
    sentence: str
    judge: RuleFunction
    binds: Blame
    catches: tuple[str, ...] = ()
    needs: str = ""
    at_worst: Outcome = "fail"

    @property
    def clause(self) -> str:
        """The clause of the contract."""
        return self.purpose.partition("/")[0]


RULES: dict[str, Rule] = {}


def rule(
    purpose: str, sentence: str, *, binds: Blame = "client", catches: Sequence[str] = (), needs: str = "",
    at_worst: Outcome = "fail",
) -> Callable[[RuleFunction], RuleFunction]:  # fmt: skip
    """Enter a function as the rule of a purpose. Raises ValueError when the purpose has one."""

    def enter(judge: RuleFunction) -> RuleFunction:
        if purpose in RULES:
            raise ValueError(f"{purpose} has a rule already")
        RULES[purpose] = Rule(purpose, sentence, judge, binds, tuple(catches), needs, at_worst)
        return judge

    return enter


def judge(purpose: str, case: Case, exercise: str) -> Finding:
    """Apply one rule. A rule that breaks is the bench's error, never the client's failure."""
    entry = RULES[purpose]
    try:
        judged = entry.judge(case)
    except Exception as error:  # any mistake of a rule must become a finding of its own
        judged = Judged("error", f"the rule broke: {type(error).__name__}: {error}", blame="bench")
    return Finding(
        purpose=purpose,
        clause=entry.clause,
        exercise=exercise,
        **{name: getattr(judged, name) for name in Judged.__struct_fields__},
    )


def missed(contract: Contract, *limits: str) -> Outcome:
    """What missing these limits is: a failure, or weak when one of them is only our assumption."""
    return "weak" if contract.assumed(*limits) else "fail"


def worst(judged: Iterable[Judged], summary: str = "") -> Judged:
    """Several measurements of one purpose as one: the worst outcome, every evidence, the sentences joined."""
    order: dict[Outcome, int] = {"fail": 0, "error": 1, "inconclusive": 2, "weak": 3, "pass": 4, "unsupported": 5}
    assert set(order) == set(OUTCOMES)
    ranked = sorted(judged, key=lambda one: order[one.outcome])
    if not ranked:
        return Judged("inconclusive", summary or "nothing to judge", blame="bench")
    first = ranked[0]
    sentences = [one.summary for one in ranked if one.outcome == first.outcome]
    return msgspec.structs.replace(
        first,
        summary="; ".join(sentences),
        evidence=tuple(e for one in ranked if one.outcome == first.outcome for e in one.evidence),
        assumed=tuple(sorted({name for one in ranked for name in one.assumed})),
    )
