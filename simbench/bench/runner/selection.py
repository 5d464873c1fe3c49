"""Which exercises and purposes a session is about. Importing this module enters every exercise."""

from __future__ import annotations

from collections.abc import Iterable

# Exercises run in the order in which they are entered.
# isort: off
import simbench.bench.exercises.connection
import simbench.bench.exercises.marketing_hours
import simbench.bench.exercises.campaigns
import simbench.bench.exercises.operations
import simbench.bench.exercises.outages  # noqa: F401 - importing these enters their exercises

# isort: on
from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import EXERCISES, Chosen, Exercise
from simbench.rules.rule import standing


def select(only: Iterable[str] = ()) -> Chosen:
    """Of every exercise there is, those wanted; see `choose`."""
    return choose(EXERCISES.values(), only)


def choose(exercises: Iterable[Exercise], only: Iterable[str] = ()) -> Chosen:
    """Exercises and their purposes for these clauses, chapters (OPS-ENG), purposes or exercise names; all without.

    Every exercise that is wanted for itself is judged by the standing purposes as well.

    Raises BadInput naming what is known when a word matches nothing.
    """
    words, exercises = list(only), list(exercises)
    chosen: Chosen = {}
    matched: set[str] = set()
    everywhere = standing()
    for exercise in exercises:
        name = exercise.name
        purposes = []
        whole = not words or name in words
        for purpose in dict.fromkeys((*exercise.purposes, *(everywhere if whole else ()))):
            hits = {word for word in words if _matches(word, name, purpose)}
            matched |= hits
            if hits or not words:
                purposes.append(purpose)
        if purposes:
            chosen[name] = (exercise, tuple(purposes))
    for word in words:
        if word not in matched:
            clauses = {purpose.partition("/")[0] for exercise in exercises for purpose in exercise.purposes}
            known = ", ".join(sorted(clauses | {exercise.name for exercise in exercises}))
            raise BadInput(f"--only {word}", "no clause, purpose or exercise of that name", known)
    return chosen


def _matches(word: str, exercise: str, purpose: str) -> bool:
    clause = purpose.partition("/")[0]
    return word in {exercise, purpose, clause, clause.rpartition("-")[0]}
