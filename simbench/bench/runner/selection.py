"""Which exercises and purposes a session is about. Importing this module enters every exercise."""

from __future__ import annotations

from collections.abc import Iterable

# Exercises run in the order in which they are entered.
# isort: off
import simbench.bench.exercises.connection
import simbench.bench.exercises.marketing_hours
import simbench.bench.exercises.campaigns
import simbench.bench.exercises.operations
import simbench.bench.exercises.texts
import simbench.bench.exercises.links
import simbench.bench.exercises.civil_time
import simbench.bench.exercises.outages  # noqa: F401 - importing these enters their exercises

# isort: on
from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import EXERCISES, Chosen, Exercise
from simbench.contract import Contract, load_contract
from simbench.rules.rule import current, load, standing


def exercised() -> frozenset[str]:
    """The purposes that an exercise tests."""
    return frozenset(purpose for each in EXERCISES.values() for purpose in each.purposes) | frozenset(standing())


def select(only: Iterable[str] = (), contract: Contract | None = None) -> Chosen:
    """Select exercises among all there are; see `choose`."""
    return choose(EXERCISES.values(), only, contract)


def choose(exercises: Iterable[Exercise], only: Iterable[str] = (), contract: Contract | None = None) -> Chosen:
    """Exercises and their purposes for these clauses, chapters (OPS-ENG), topics (rate), purposes or exercise names.

    Without words it is all of them. Purposes that verify no clause of the contract (the default one without) are left
    out, with the exercises that have no other; every exercise that is wanted for itself is judged by the standing
    purposes as well.

    Raises BadInput naming what is known when a word matches nothing.
    """
    contract = contract or load_contract()
    words = [current(word) for word in only]
    exercises = [exercise.under(contract) for exercise in exercises]
    chosen: Chosen = {}
    matched: set[str] = set()
    everywhere, watched = standing(contract), load("watched")
    # A standing purpose that no exercise is for, as of a package's own rule, is chosen by its name in all of them.
    nowhere = set(everywhere) - {purpose for exercise in exercises for purpose in exercise.purposes}
    for exercise in exercises:
        name = exercise.name
        purposes = []
        own = [purpose for purpose in exercise.purposes if contract.clause_of(purpose)]
        whole = not words or name in words
        more = [one for one in everywhere if (whole or one in nowhere) and own and (exercise.asks or one in watched)]
        for purpose in dict.fromkeys((*own, *more)):
            hits = {word for word in words if _matches(word, name, purpose, contract)}
            matched |= hits
            if hits or not words:
                purposes.append(purpose)
        if purposes:
            chosen[name] = (exercise, tuple(purposes))
    for word in words:
        if word not in matched:
            clauses = {name for each in exercises for one in each.purposes for name in contract.clauses_for(one)}
            known = ", ".join(sorted(clauses | {exercise.name for exercise in exercises}))
            raise BadInput(f"--only {word}", "no clause, purpose or exercise of that name", known)
    return chosen


def _matches(word: str, exercise: str, purpose: str, contract: Contract) -> bool:
    clauses = contract.clauses_for(purpose)
    chapters = {clause.rpartition("-")[0] for clause in clauses}
    return word in {exercise, purpose, purpose.partition(".")[0], *clauses, *chapters}
