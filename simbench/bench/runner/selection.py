"""Selection of the exercises and purposes of a session. Importing this module registers every exercise."""

from __future__ import annotations

from collections.abc import Iterable

# Exercises run in the order of their registration.
# isort: off
import simbench.bench.exercises.connection
import simbench.bench.exercises.marketing_hours
import simbench.bench.exercises.campaigns
import simbench.bench.exercises.operations
import simbench.bench.exercises.texts
import simbench.bench.exercises.links
import simbench.bench.exercises.civil_time
import simbench.bench.exercises.outages  # noqa: F401 - importing these registers their exercises

# isort: on
from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import EXERCISES, Chosen, Exercise
from simbench.contract import Contract, load_contract
from simbench.rules.rule import current, load, standing


def exercised() -> frozenset[str]:
    """Return the purposes that an exercise tests."""
    return frozenset(purpose for each in EXERCISES.values() for purpose in each.purposes) | frozenset(standing())


def select(only: Iterable[str] = (), contract: Contract | None = None) -> Chosen:
    """Select among all exercises; see `choose`."""
    return choose(EXERCISES.values(), only, contract)


def choose(exercises: Iterable[Exercise], only: Iterable[str] = (), contract: Contract | None = None) -> Chosen:
    """Return exercises with their purposes for clauses, chapters (OPS-ENG), topics (rate), purposes or exercise names.

    Without words all are selected. Purposes that verify no clause of the contract (default: the built-in contract) are
    left out, and so are exercises without another purpose. An exercise selected by name is judged by the standing
    purposes as well.

    Raises BadInput, which names the known words, if a word matches nothing.
    """
    contract = contract or load_contract()
    words = [current(word) for word in only]
    exercises = [exercise.under(contract) for exercise in exercises]
    chosen: Chosen = {}
    matched: set[str] = set()
    everywhere, watched = standing(contract), load("watched")
    # A standing purpose without an exercise, such as that of a package's own rule, is selected by name in all
    # exercises.
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
