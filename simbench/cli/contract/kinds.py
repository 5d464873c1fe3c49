"""The kinds of contracts, with checks that need the rules and calendars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from simbench.base.toml_files import Mistake, choice, shown
from simbench.contract.engine import Loaded, Schema, examine
from simbench.contract.layers import Problem, layers_of, merged
from simbench.contract.load import SMS

More = Callable[[Any], Iterator[Mistake]]


def schemas() -> dict[str, Schema[Any]]:
    """Return the types of contracts of each product, by kind."""
    from simbench.dialup.offer import DIALUP
    from simbench.roaming.contract import ROAMING

    return {schema.kind: schema for schema in (SMS, DIALUP, ROAMING)}


def examined(name_or_path: str, *, thorough: bool = False) -> tuple[Schema[Any], Loaded[Any] | None, list[Problem]]:
    """Read a contract of any kind: its types, its content unless there is a mistake, and every mistake.

    `thorough` also checks that purposes, countries and numbers of the bench exist.
    Raises ContractError for an unreadable file.
    """
    layers, known = layers_of(name_or_path), schemas()
    kind = next((layer.table["kind"] for layer in layers if "kind" in layer.table), SMS.kind)
    if kind not in known:
        layer = next(layer for layer in reversed(layers) if "kind" in layer.table)
        problem = Problem(layer.file, layer.line(("kind",)), ("kind",), f"is {shown(kind)}", choice(str(kind), known))
        return SMS, None, [problem]
    more = _more() if thorough and kind == SMS.kind else ()
    return known[kind], *examine(known[kind], name_or_path, more)


def base_of(name_or_path: str) -> dict[str, Any] | None:
    """Return the merged table of a base, which can only be extended; None for a contract."""
    layers = layers_of(name_or_path)
    if layers[-1].table.get("abstract") is not True:
        return None
    table: dict[str, Any] = {}
    for layer in layers:
        table = merged(table, layer.table)
    return table


def _more() -> tuple[More, ...]:
    from simbench.cli.rulebooks import known_purposes
    from simbench.contract.consistency import unknown_country, unknown_purposes
    from simbench.numbering.plan import wrong_numbers

    def numbers(file: Any) -> Iterator[Mistake]:
        operator = next((key for key, party in file.parties.items() if party.role == "operator"), "")
        return wrong_numbers(file.numbering_plan, operator)

    return unknown_country, numbers, partial(unknown_purposes, purposes=known_purposes())
