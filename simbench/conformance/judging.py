"""From conducted exercises to findings. Starts no client and no server."""

from __future__ import annotations

from collections.abc import Iterable

from simbench.conformance.conduct import Conducted
from simbench.conformance.sut import Capabilities
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.verdict.reading import Reading
from simbench.verdict.rule import RULES, Case, judge


def judge_exercise(
    conducted: Conducted, purposes: Iterable[str], contract: Contract, capabilities: Capabilities
) -> list[Finding]:
    """One finding a purpose: unsupported without the capability, an error when the exercise broke, else the rule's."""
    case = Case(Reading(conducted.run), contract)
    return [_finding(purpose, conducted, case, capabilities) for purpose in purposes]


def _finding(purpose: str, conducted: Conducted, case: Case, capabilities: Capabilities) -> Finding:
    rule, name = RULES[purpose], conducted.exercise.name
    declared = getattr(capabilities, rule.needs) if rule.needs else True
    if not declared:
        said = "does not say that it does" if declared is None else "says that it does not"
        summary = f"needs the capability {rule.needs}; the client {said} have it"
        return Finding(purpose, rule.clause, "unsupported", summary, exercise=name)
    if conducted.trouble:
        return Finding(purpose, rule.clause, "error", conducted.trouble, blame=conducted.blame, exercise=name)
    return judge(purpose, case, name)
