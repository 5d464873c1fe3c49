"""The differences between two contracts of one product.

Parties are compared by role, tiers by rate, ranges by use, and prices by charge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simbench.contract.engine import Loaded
    from simbench.contract.term import Term

PLAIN = ("value", "unit", "status", "clause", "source", "note", "label")
NONE = "-"


class Statement(NamedTuple):
    """One statement of a contract: its subject, its value, and its origin, which does not count as a difference."""

    value: str
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.origin})" if self.origin else self.value


class Difference(NamedTuple):
    """The values of one subject in two contracts; NONE if a contract has none."""

    what: str
    first: str
    second: str
    of_origin: bool = False


def value_of(term: Term[Any]) -> str:
    """Return the value of a term with its unit and its other fields: price, use, charge, band."""
    value = ", ".join(map(str, term.value)) if isinstance(term.value, tuple) else term.value
    beside = []
    for name in term.__struct_fields__:
        more = getattr(term, name)
        if name in PLAIN or more is None or more is False or more == () or (name == "first" and more == 1):
            continue
        shown = ", ".join(map(str, more)) if isinstance(more, tuple) else str(more)
        beside.append(name.replace("_", " ") if more is True else f"{name} {shown}")
    return ", ".join([f"{value} {term.unit}".strip(), *beside])


def clauses_of(loaded: Loaded[Any]) -> Mapping[str, Any]:
    """Return the clauses of a contract, their sentences with figures."""
    from simbench.contract.load import contract_of
    from simbench.contract.sms import SmsFile

    return contract_of(loaded).clauses if isinstance(loaded.content, SmsFile) else loaded.content.clauses


def differences(first: Loaded[Any], second: Loaded[Any]) -> Iterator[Difference]:
    """Yield every difference of parties, figures and readings, and of clauses that both contracts have."""
    ours, theirs = dict(_statements(first)), dict(_statements(second))
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key), theirs.get(key)
        if one != other:
            of_origin = one is not None and other is not None and one.value == other.value
            yield Difference(key, str(one or NONE), str(other or NONE), of_origin)
    own, there = clauses_of(first), clauses_of(second)
    for name in own:
        if name in there:
            for field in ("gist", "strength", "bound", "verified_by", "not_verified"):
                here, yonder = (_listed(getattr(clauses[name], field, "")) for clauses in (own, there))
                if here != yonder:
                    yield Difference(f"clauses.{name}.{field}", here, yonder)


def only_of(first: Loaded[Any], second: Loaded[Any]) -> tuple[list[str], list[str]]:
    """Return for each contract the clauses that the other lacks."""
    own, there = clauses_of(first), clauses_of(second)
    return [name for name in own if name not in there], [name for name in there if name not in own]


def purposes_of(loaded: Loaded[Any]) -> dict[str, list[str]]:
    """Return the purposes verified by a contract, each with its clauses."""
    found: dict[str, list[str]] = {}
    for name, clause in clauses_of(loaded).items():
        for purpose in clause.verified_by:
            found.setdefault(purpose, []).append(name)
    return found


def _listed(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or NONE


def _statements(loaded: Loaded[Any]) -> Iterator[tuple[str, Statement]]:
    content = loaded.content
    for key, party in getattr(content, "parties", {}).items():
        yield f"parties, {party.role}", Statement(f"{party.name} ({key})")
    grouped: dict[str, list[Statement]] = {}
    for name, term in content.terms.by_name().items():
        statement = Statement(value_of(term), f"{term.clause or NONE}, {term.status}")
        grouped.setdefault(_place(name, term), []).append(statement)
    for place, all_of_it in grouped.items():
        for number, statement in enumerate(all_of_it):
            yield place + (f", no. {number + 1}" if number else ""), statement
    for name, one in getattr(content, "ambiguities", {}).items():
        yield f"ambiguities.{name}", Statement(one.reading or one.default, one.status)


def _place(name: str, term: Term[Any]) -> str:
    """Return the key for a comparison: rows of a list are compared by subject, not by number."""
    group = name.rpartition("[")[0]
    if hasattr(term, "by_quotation"):
        return f"terms.{group}, {term.value}/s"
    if hasattr(term, "use"):
        return f"terms.{group}, {term.use}"
    if hasattr(term, "charge"):
        uses = f", {' and '.join(own)}" if (own := getattr(term, "uses", ())) else ""
        return f"terms.tariff, {term.charge}{uses}"
    return f"terms.{name}"
