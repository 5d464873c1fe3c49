"""From conducted exercises to findings. Starts no client and no server."""

from __future__ import annotations

from collections.abc import Iterable

from simbench.conformance.conduct import Conducted
from simbench.conformance.exercise import Exercise
from simbench.conformance.sut import Capabilities
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.verdict.clock import doubt
from simbench.verdict.reading import Reading
from simbench.verdict.rule import RULES, Case, judge


def judge_exercise(
    conducted: Conducted, purposes: Iterable[str], contract: Contract, capabilities: Capabilities
) -> list[Finding]:
    """One finding a purpose: unsupported without the capability, an error when the exercise broke, else the rule's."""
    case = Case(Reading(conducted.run), contract)
    return [_finding(purpose, conducted, case, capabilities) for purpose in purposes]


def unsupported(purpose: str, exercise: Exercise, capabilities: Capabilities) -> str:
    """Why a purpose cannot be judged with a client of these capabilities, "" when it can.

    A clock that cannot be moved leaves out what depends on the time of day: nothing of that can pass.
    """
    needs = RULES[purpose].needs
    if needs and not getattr(capabilities, needs):
        declared = getattr(capabilities, needs)
        said = "does not say that it does" if declared is None else "says that it does not"
        return f"needs the capability {needs}; the client {said} have it"
    if exercise.setup.clock == "moved" and capabilities.clock not in {"offset", "speed"}:
        return "the client's clock cannot be moved"
    return ""


def _finding(purpose: str, conducted: Conducted, case: Case, capabilities: Capabilities) -> Finding:
    exercise, clause = conducted.exercise, RULES[purpose].clause
    why = unsupported(purpose, exercise, capabilities)
    if why or conducted.left_out:
        return Finding(purpose, clause, "unsupported", why or conducted.left_out, exercise=exercise.name)
    if conducted.trouble:
        return Finding(purpose, clause, "error", conducted.trouble, blame=conducted.blame, exercise=exercise.name)
    if exercise.setup.clock == "moved" and (why := doubt(case)):
        summary = f"the client's clock is not proved: {why}"
        return Finding(purpose, clause, "unsupported", summary, exercise=exercise.name)
    return judge(purpose, case, exercise.name)
