"""All rules on an operator's contract, for every kind of record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from simbench.rulebook import Rule


class Known(msgspec.Struct, frozen=True):
    """A rule for help and pages: the command that applies it if no exercise does, its sentence, its planted faults."""

    command: str
    sentence: str
    catches: tuple[str, ...] = ()


def known_purposes() -> dict[str, Known]:
    """Return every purpose that a clause of a push-SMS contract may name in `verified_by`."""
    from simbench.billing import forecast
    from simbench.billing import rules as bills
    from simbench.probe.rules import CHECKS
    from simbench.rules.rule import load

    books: dict[str, Mapping[str, Rule[Any]]] = {
        "simbench judge": load(),
        "simbench forecast": forecast.RULES,
        "simbench bill --against": bills.RULES,
        "simbench probe": CHECKS,
    }
    return {
        purpose: Known(command, rule.sentence, rule.catches)
        for command, book in books.items()
        for purpose, rule in book.items()
    }
