"""The input of the rules of NetRevenu, their rulebook, and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypedDict, Unpack

from simbench.contract.term import clause_of
from simbench.dialup.offer import Offer
from simbench.dialup.records import Records
from simbench.dialup.statement import Statement
from simbench.finding import Evidence
from simbench.rulebook import Rulebook, Verdict

MOST_EVIDENCE: Final = 20


class Measured(TypedDict, total=False):
    """The fields of a verdict besides outcome, summary and evidence."""

    measured: float
    limit: float
    assumed: tuple[str, ...]


class Case(NamedTuple):
    """The input of a judgement: a tariff function always, records and a statement if given.

    `ports` is the number of ports of each access server by name; "" is the default, and without it others are not
    judged.
    """

    offer: Offer
    tariff: str
    records: Records | None = None
    statement: Statement | None = None
    ports: Mapping[str, int] = MappingProxyType({})


RULES: Final = Rulebook[Case](
    lambda case, purpose: clause_of(case.offer.clauses, purpose), binds="client", suites=("audit",)
)


def verdict(wrong: Sequence[Evidence], summary: tuple[str, str], **more: Unpack[Measured]) -> Verdict:
    """Return a verdict that fails if there is any wrong evidence: summary = (text for pass, text for fail)."""
    return Verdict("fail" if wrong else "pass", summary[bool(wrong)], evidence=tuple(wrong[:MOST_EVIDENCE]), **more)
