"""One finding per session: a standing purpose is judged in every exercise, and summarised once over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from simbench.base.text import count
from simbench.bench.exercises.exercise import Chosen
from simbench.finding import GRAVEST_FIRST, Evidence, Finding, prose
from simbench.rules.rule import standing

EVERY: Final = ""  # the exercise of a finding on the whole session
NAMED: Final = 5  # exercises in a summary


def items_of(chosen: Chosen) -> list[tuple[str, str]]:
    """Return exercise and purpose of every finding of a session, in order; standing purposes last, with EVERY."""
    everywhere = [purpose for purpose in standing() if exercises_of(chosen, purpose)]
    own = [(name, purpose) for name, (_, purposes) in chosen.items() for purpose in purposes]
    return [item for item in own if item[1] not in everywhere] + [(EVERY, purpose) for purpose in everywhere]


def exercises_of(chosen: Chosen, purpose: str) -> list[str]:
    """Return the exercises that are judged by a purpose."""
    return [name for name, (_, purposes) in chosen.items() if purpose in purposes]


def concluded(findings: Sequence[Finding]) -> Finding:
    """Combine the findings of one purpose in several exercises to one of the session, with the worst outcome.

    Its evidence names the exercises; each exercise with that outcome has some. `measured` is their sum.
    """
    judged = [one for one in findings if one.outcome != "unsupported"] or list(findings)
    outcome = min((one.outcome for one in judged), key=GRAVEST_FIRST.index)
    shown = [one for one in judged if one.outcome == outcome]
    parts = _parts(shown, len(judged))
    measured = [one.measured for one in judged if one.measured is not None]
    return msgspec.structs.replace(
        shown[0],
        summary=prose(parts),
        parts=parts,
        measured=sum(measured) if measured else None,
        assumed=tuple(sorted({name for one in judged for name in one.assumed})),
        evidence=tuple(evidence for one in shown for evidence in _evidence(one)),
        exercise=EVERY,
    )


def _parts(shown: Sequence[Finding], total: int) -> tuple[str, ...]:
    summaries = {one.summary for one in shown}
    if len(shown) == total and len(summaries) == 1:
        return (f"{shown[0].summary}, in {count(total, 'exercise')}",)
    head = f"in {len(shown)} of {count(total, 'exercise')}"
    if len(shown) == 1:
        return (f"{head}: {shown[0].exercise} ({shown[0].summary})",)
    named = [f"{one.exercise}: {one.summary}" for one in shown[:NAMED]]
    more = [f"and in {count(len(shown) - NAMED, 'other exercise')}"] if len(shown) > NAMED else []
    return (head, *named, *more)


def _evidence(finding: Finding) -> list[Evidence]:
    found = finding.evidence or (Evidence(finding.summary),)
    return [msgspec.structs.replace(one, exercise=finding.exercise) for one in found]
