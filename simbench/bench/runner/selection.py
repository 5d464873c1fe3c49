"""Which exercises and purposes a session is about. Runs nothing.

Importing this module enters every exercise and every rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Exercises run in the order in which they are entered.
# isort: off
import simbench.bench.exercises.connection
import simbench.bench.exercises.marketing_hours
import simbench.bench.exercises.campaigns
import simbench.bench.exercises.operations
import simbench.bench.exercises.outages

# isort: on
import simbench.rules.client.client_clock
import simbench.rules.client.code_ranges
import simbench.rules.client.connection_logins
import simbench.rules.client.connection_sessions
import simbench.rules.client.continuity
import simbench.rules.client.delivery_reports
import simbench.rules.client.granted
import simbench.rules.client.losses
import simbench.rules.client.marketing
import simbench.rules.client.marketing_hours
import simbench.rules.client.opt_outs
import simbench.rules.client.outages
import simbench.rules.client.protocol_violations
import simbench.rules.client.recipients
import simbench.rules.client.refusals
import simbench.rules.client.sender_names
import simbench.rules.client.throughput
import simbench.rules.client.throughput_segments  # noqa: F401 - importing these enters their exercises and rules
from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import EXERCISES, STANDING, Chosen, Exercise
from simbench.rules.rule import RULES, Rule


def purposes() -> Mapping[str, Rule]:
    """Every purpose a session may be judged by, with its rule."""
    return RULES


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
