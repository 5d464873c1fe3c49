"""Which exercises and purposes a session is about. Runs nothing.

Importing this module enters every exercise and every rule.
"""

from __future__ import annotations

from collections.abc import Iterable

import simbench.conformance.stories
import simbench.conformance.stories_campaigns
import simbench.conformance.stories_hours
import simbench.conformance.stories_link
import simbench.conformance.stories_outages
import simbench.verdict.clock
import simbench.verdict.continuity
import simbench.verdict.fates
import simbench.verdict.granted
import simbench.verdict.hours
import simbench.verdict.logins
import simbench.verdict.losses
import simbench.verdict.marketing
import simbench.verdict.oddities
import simbench.verdict.outage
import simbench.verdict.pace
import simbench.verdict.ranges
import simbench.verdict.recipients
import simbench.verdict.refusals
import simbench.verdict.senders
import simbench.verdict.sessions
import simbench.verdict.stop
import simbench.verdict.throughput  # noqa: F401 - importing these enters their exercises and rules
from simbench.conformance.exercise import EXERCISES, Exercise
from simbench.errors import BadInput
from simbench.verdict.rule import RULES

STANDING = ("OPS-CON-02/oddities", "OPS-ACH-03/oddities")  # every exercise reveals these, whatever else it is for

Chosen = dict[str, tuple[Exercise, tuple[str, ...]]]


def select(only: Iterable[str] = ()) -> Chosen:
    """Of every exercise there is, those wanted; see `choose`."""
    return choose(EXERCISES.values(), only)


def choose(exercises: Iterable[Exercise], only: Iterable[str] = ()) -> Chosen:
    """Exercises and their purposes for these clauses, chapters (OPS-ENG), purposes or exercise names; all without.

    Every exercise that is wanted for itself is judged by the STANDING purposes as well.

    Raises BadInput naming what is known when a word matches nothing.
    """
    words, exercises = list(only), list(exercises)
    chosen: Chosen = {}
    matched: set[str] = set()
    for exercise in exercises:
        name = exercise.name
        purposes = []
        whole = not words or name in words
        for purpose in dict.fromkeys((*exercise.purposes, *(STANDING if whole else ()))):
            hits = {word for word in words if _matches(word, name, purpose)}
            matched |= hits
            if hits or not words:
                purposes.append(purpose)
        if purposes:
            chosen[name] = (exercise, tuple(purposes))
    for word in words:
        if word not in matched:
            clauses = {RULES[purpose].clause for exercise in exercises for purpose in exercise.purposes}
            known = ", ".join(sorted(clauses | {exercise.name for exercise in exercises}))
            raise BadInput(f"--only {word}", "no clause, purpose or exercise of that name", known)
    return chosen


def _matches(word: str, exercise: str, purpose: str) -> bool:
    clause = RULES[purpose].clause
    return word in {exercise, purpose, clause, clause.rpartition("-")[0]}
