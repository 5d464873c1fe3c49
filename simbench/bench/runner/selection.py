"""Which exercises and purposes a session is about. Importing this module enters every exercise."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

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
from simbench.contract import Contract, load_contract
from simbench.rules.rule import standing


def select(only: Iterable[str] = (), contract: Contract | None = None) -> Chosen:
    """Of every exercise there is, those wanted; see `choose`."""
    return choose(EXERCISES.values(), only, contract)


def choose(exercises: Iterable[Exercise], only: Iterable[str] = (), contract: Contract | None = None) -> Chosen:
    """Exercises and their purposes for these clauses, chapters (OPS-ENG), purposes or exercise names; all without.

    They are those that verify clauses of the contract, as they are run under it. Every exercise that is wanted for
    itself is judged by the standing purposes as well.

    Raises BadInput naming what is known when a word matches nothing.
    """
    contract = contract or load_contract()
    asked = partial(_asked, contract=contract)
    words, exercises = list(only), [exercise.under(contract) for exercise in exercises]
    chosen: Chosen = {}
    matched: set[str] = set()
    everywhere = tuple(filter(asked, standing()))
    for exercise in exercises:
        name = exercise.name
        purposes: list[str] = []
        own = tuple(filter(asked, exercise.purposes))
        if not own and exercise.purposes:
            continue
        whole = not words or name in words
        for purpose in dict.fromkeys((*own, *(everywhere if whole else ()))):
            hits = {word for word in words if _matches(word, name, purpose, contract)}
            matched |= hits
            if hits or not words:
                purposes.append(purpose)
        if purposes:
            chosen[name] = (exercise, tuple(purposes))
    for word in words:
        if word not in matched:
            purposes = [purpose for exercise in exercises for purpose in exercise.purposes]
            clauses = {clause for purpose in purposes for clause in contract.clauses_for(purpose)}
            known = ", ".join(sorted(clauses | {exercise.name for exercise in exercises}))
            raise BadInput(f"--only {word}", "no clause, purpose or exercise of that name", known)
    return chosen


def _asked(purpose: str, contract: Contract) -> bool:
    """Whether a clause of the contract asks for a purpose."""
    return bool(contract.clauses_for(purpose))


def _matches(word: str, exercise: str, purpose: str, contract: Contract) -> bool:
    own = purpose.partition("/")[0]
    clauses = {own, *contract.clauses_for(purpose)}
    return word in {exercise, purpose, *clauses, *(clause.rpartition("-")[0] for clause in clauses)} - {""}
