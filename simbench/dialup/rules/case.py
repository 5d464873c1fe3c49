"""The input of the rules of NetRevenu, their book, and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypedDict, Unpack

from simbench.dialup.offer import Offer
from simbench.dialup.records import Records
from simbench.dialup.statement import Statement
from simbench.finding import Evidence
from simbench.rulebook import Rulebook, Verdict

MOST_EVIDENCE: Final = 20


class Measured(TypedDict, total=False):
    """The fields of a verdict beside outcome, summary and evidence."""

    measured: float
    limit: float
    assumed: tuple[str, ...]


class Case(NamedTuple):
    """The input of a judgement: a tariff function always, records and a statement if given.

    `ports` says how many ports each access server has, by name; "" stands for all others, and none is not judged.
    """

    offer: Offer
    tariff: str
    records: Records | None = None
    statement: Statement | None = None
    ports: Mapping[str, int] = MappingProxyType({})


RULES: Final = Rulebook[Case](lambda case, purpose: case.offer.clause_of(purpose), binds="client", suites=("audit",))


def verdict(wrong: Sequence[Evidence], summary: tuple[str, str], **more: Unpack[Measured]) -> Verdict:
    """A verdict that fails if there is anything wrong: summary = (what passes, what fails)."""
    return Verdict("fail" if wrong else "pass", summary[bool(wrong)], evidence=tuple(wrong[:MOST_EVIDENCE]), **more)
