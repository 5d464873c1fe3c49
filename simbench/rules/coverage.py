"""Which rules judge a clause of a contract."""

from __future__ import annotations

from simbench.contract import Contract
from simbench.rules.rule import Rule, load


def rules_of(contract: Contract, clause: str) -> list[Rule]:
    """The rules on ledgers that verify a clause, in the order in which it names them.

    Bills, forecasts and probes have rules of their own, which a clause may name as well.
    """
    rules = load()
    return [rules[purpose] for purpose in contract.clause(clause).verified_by if purpose in rules]
