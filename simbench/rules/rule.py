"""The rules on ledgers: their input, their registration, and their discovery.

A rule reads one run and returns one verdict. Rules on the client read its wire, the events and the requests to it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Final, TypeVar, Unpack, cast

import msgspec

from simbench import rulebook
from simbench.base.entry_points import loaded, place_of, shipped
from simbench.base.errors import BadInput
from simbench.contract import Contract
from simbench.finding import Finding, Outcome
from simbench.numbering.plan import NumberingPlan, plan_of
from simbench.rulebook import SUITES, Facts, Rulebook, Suite, Verdict, none_wrong, renamed, worst
from simbench.trace.trace import Trace

__all__ = [
    "Case", "Rule", "RuleFunction", "Verdict", "current", "judge", "load", "missed", "none_wrong", "ordered", "rule",
    "standing", "worst",
]  # fmt: skip

# Packages and modules with rules; packages are searched, so a new file in one needs no entry.
PLACES: Final = ("simbench.rules.client", "simbench.sla.rules")
GROUP: Final = "simbench.rules"
"""Entry points of packages that ship rules; loading one registers its rules."""


Found = TypeVar("Found")


class Case(msgspec.Struct, frozen=True):
    """The input of a rule: one run as read from its ledger, and the contract it is judged against.

    `once` caches results that several rules need.
    """

    trace: Trace
    contract: Contract
    kept: dict[Callable[[Case], object], object] = msgspec.field(default_factory=dict)

    @property
    def plan(self) -> NumberingPlan:
        """The contract's numbering plan."""
        return plan_of(self.contract)

    def once(self, worked_out: Callable[[Case], Found]) -> Found:
        """Return the result of a function of this case, which is called only once."""
        if worked_out not in self.kept:
            self.kept[worked_out] = worked_out(self)
        return cast(Found, self.kept[worked_out])


Rule = rulebook.Rule[Case]
RuleFunction = Callable[[Case], Verdict]
_BOOK: Final = Rulebook[Case](lambda case, purpose: case.contract.clause_of(purpose))


def rule(purpose: str, sentence: str, **facts: Unpack[Facts]) -> Callable[[RuleFunction], RuleFunction]:
    """Enter a function as the rule of a purpose. Raises ValueError if the purpose already has one."""

    return _BOOK.rule(purpose, sentence, **facts)


@lru_cache(maxsize=1)
def _import_places() -> None:
    for place in PLACES:
        module = import_module(place)
        for found in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{place}."):
            import_module(found.name)
    for entry in shipped(GROUP).values():
        before = set(_BOOK)
        try:
            loaded(entry)
            if not set(_BOOK) - before and not _enters(entry.module):
                raise BadInput(place_of(entry), f"its entry point {entry.value} of {GROUP} enters no rule", "@rule")
        except BadInput:
            _BOOK.forget(set(_BOOK) - before)  # a second attempt to load the package then fails in the same way
            raise


def _enters(module: str) -> bool:
    """Return whether a rule of the book comes from a module, which may have been imported before."""
    return any(one.judge.__module__.startswith(module) for one in _BOOK.values())


def load(*suites: Suite) -> dict[str, Rule]:
    """Return the rules of these suites (default: all) by purpose, sorted, independent of earlier imports."""
    _import_places()
    wanted = set(suites or SUITES)
    return {purpose: _BOOK[purpose] for purpose in sorted(_BOOK) if wanted.intersection(_BOOK[purpose].suites)}


def ordered(contract: Contract, *suites: Suite) -> list[str]:
    """Return the purposes of these suites that verify a clause of the contract, in the order of its clauses."""
    order = {clause: place for place, clause in enumerate(contract.clauses)}
    places = {purpose: order[clause] for purpose in load(*suites) if (clause := contract.clause_of(purpose))}
    return sorted(places, key=lambda purpose: (places[purpose], purpose))


def standing(contract: Contract | None = None) -> tuple[str, ...]:
    """Return the purposes judged in every exercise; with a contract, only those that verify one of its clauses."""
    return tuple(
        purpose
        for purpose, rule in load().items()
        if rule.standing and (contract is None or contract.clause_of(purpose))
    )


def current(word: str) -> str:
    """Return the present purpose for an id of an earlier version; any other word is returned unchanged."""
    return renamed(word, load())


def judge(purpose: str, case: Case, exercise: str) -> Finding:
    """Apply one rule. An exception in the rule is an error of the bench, never a failure of the client."""
    _import_places()
    return _BOOK.judge(purpose, case, exercise)


def missed(contract: Contract, *limits: str) -> Outcome:
    """Return the outcome of missing these limits: fail, or weak if one of them is only our assumption."""
    return "weak" if contract.assumed(*limits) else "fail"
