"""The elements common to all contracts: values with their origin, ambiguities, and the types of values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import CLOCK_TIME, Frozen, Keys, choice, dotted

T = TypeVar("T")
K = TypeVar("K")

Status = Literal["seed", "source", "assumption", "contract"]
Strength = Literal["must", "should", "may", "info"]
Means = Literal["wire", "simulation", "bill", "declaration"]

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=24)]
ClockTime = Hour | Annotated[str, msgspec.Meta(pattern=CLOCK_TIME)]
"""A time of the day: whole hours as a number, or a text such as "08:30"."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Width = Annotated[float, msgspec.Meta(ge=0, le=10)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Counts = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=100)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=20)]


class Term(Frozen, Generic[T], frozen=True, forbid_unknown_fields=True):
    """One value of the contract, in `unit`, with its clause and its origin.

    `status`: "seed" (the published offer), "source" (another public source), "assumption" (ours), "contract" (the
    signed contract). `source` is the line of the offer ("B:137") or the document. An assumption may have no clause.

    `value` is the value, `unit` its unit, and `clause` the clause that states it. `note` is a remark for readers.
    """

    value: T
    unit: str
    status: Status
    clause: str
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Reject amounts that no bill can contain, because msgspec has no bounds for decimals."""
        if isinstance(self.value, Decimal):
            check_amount(self.value)


def check_amount(amount: Decimal) -> None:
    """Raise ValueError for an amount that no bill can contain."""
    if not (amount.is_finite() and 0 <= amount <= 1_000_000 and amount.as_tuple().exponent in range(-6, 1)):
        raise ValueError('expected an amount from "0" to "1000000" with at most 6 decimals')


class Verified(Protocol):
    """A clause as far as rules need it: the purposes that verify it."""

    @property
    def verified_by(self) -> tuple[str, ...]:
        """The purposes that verify the clause."""


def clause_of(clauses: Mapping[str, Verified], purpose: str) -> str:
    """Return the first clause that a purpose verifies, "" if there is none."""
    return next((name for name, clause in clauses.items() if purpose in clause.verified_by), "")


class Ambiguity(Frozen, frozen=True):
    """A passage that can be read in several ways: `readings` maps the key of each reading to its explanation.

    `reading` is the chosen one ("" means `default`); it is an assumption until an overlay sets the status "contract".

    `question` is the question that the contract leaves open. `clauses` lists the clauses concerned. `status` is
    "assumption" or "contract".
    """

    question: str
    clauses: Annotated[tuple[Word, ...], msgspec.Meta(max_length=20)]
    default: str
    readings: dict[str, str]
    reading: str = ""
    status: Literal["assumption", "contract"] = "assumption"


class TermGroups(Frozen, frozen=True):
    """Every value of a contract, by group."""

    def by_name(self) -> dict[str, Term[Any]]:
        """Return every term by its dotted name, "throughput.jitter_ms" or "throughput.tiers[1]", in order."""
        return {dotted(keys): term for keys, term in placed_terms(self)}


def placed_terms(terms: msgspec.Struct) -> Iterator[tuple[Keys, Term[Any]]]:
    """Yield every term below a struct with its keys, in the order of the structs."""
    yield from _placed((), terms)


def _placed(keys: Keys, held: Any) -> Iterator[tuple[Keys, Term[Any]]]:
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(held, Term):
        yield keys, held
    elif isinstance(held, msgspec.Struct):
        inner = ((name, getattr(held, name)) for name in held.__struct_fields__)
    elif isinstance(held, dict):
        inner = held.items()
    elif isinstance(held, tuple):
        inner = enumerate(held)
    for key, value in inner:
        yield from _placed((*keys, key), value)


def known(table: Mapping[str, K], name: str, place: str, what: str) -> K:
    """Return the entry of a name. Raises BadInput, with the nearest name, for an unknown one."""
    if name not in table:
        raise BadInput(place, f"no {what} `{name}`", choice(name, table))
    return table[name]
