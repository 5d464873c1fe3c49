"""Finds well-typed values of a merged contract that contradict each other: unknown references, impossible orders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from simbench.base.toml_files import Keys, choice, shown
from simbench.contract.terms import Ambiguity, Clause, Terms

Contradiction = tuple[Keys, str, str]
"""Place, problem, expectation."""


def contradictions(
    clauses: dict[str, Clause], terms: Terms, ambiguities: dict[str, Ambiguity]
) -> Iterator[Contradiction]:
    """Yield every contradiction, references first."""
    known = terms.by_name()
    for name, term in known.items():
        if term.clause not in clauses:
            problem = f"unknown clause: {shown(term.clause)}"
            yield ("terms", *name.split("."), "clause"), problem, choice(term.clause, clauses)
    for amb_id, ambiguity in ambiguities.items():
        yield from _of_ambiguity(amb_id, ambiguity, clauses)
    for name, holds, expected in _RELATIONS:
        if not holds(terms):
            yield ("terms", *name.split("."), "value"), f"is {shown(known[name].value)}", expected


def _of_ambiguity(amb_id: str, ambiguity: Ambiguity, clauses: dict[str, Clause]) -> Iterator[Contradiction]:
    for place, clause_id in enumerate(ambiguity.clauses):
        if clause_id not in clauses:
            problem = f"unknown clause: {shown(clause_id)}"
            yield ("ambiguities", amb_id, "clauses", place), problem, choice(clause_id, clauses)
    for key, chosen in (("default", ambiguity.default), ("reading", ambiguity.reading or ambiguity.default)):
        if chosen not in ambiguity.readings:
            yield ("ambiguities", amb_id, key), f"is {shown(chosen)}", choice(chosen, ambiguity.readings)


def _ascending(numbers: tuple[int, ...]) -> bool:
    return all(low < high for low, high in pairwise(numbers))


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


_RELATIONS: tuple[tuple[str, Callable[[Terms], bool], str], ...] = (
    ("throughput.tiers_per_s", lambda t: _ascending(t.throughput.tiers_per_s.value), "rates in ascending order"),
    (
        "throughput.tiers_per_s",
        lambda t: t.throughput.default_per_s.value == t.throughput.tiers_per_s.value[0],
        "throughput.default_per_s first",
    ),
    (
        "throughput.tiers_per_s",
        lambda t: set(t.throughput.tiers_per_s.value[1:]) <= set(t.tariff.tier_month()),
        "only tiers with a price, tariff.tier_*",
    ),
    ("session.window", lambda t: t.session.window.value <= t.session.window_max.value, "at most session.window_max"),
    ("session.window_max", lambda t: t.session.window_max.value <= 100, "at most 100, the number of TRNs"),
    (
        "delivery.validity_default_h",
        lambda t: t.delivery.validity_default_h.value <= t.delivery.validity_max_h.value,
        "at most delivery.validity_max_h",
    ),
    (
        "marketing.opens_at_h",
        lambda t: t.marketing.opens_at_h.value < t.marketing.closes_at_h.value,
        "earlier than marketing.closes_at_h",
    ),
    ("numbering.code_pattern", lambda t: _compiles(t.numbering.code_pattern.value), "a regular expression"),
    ("numbering.oadc_alpha_pattern", lambda t: _compiles(t.numbering.oadc_alpha_pattern.value), "a regular expression"),
)
