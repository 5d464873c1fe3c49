"""Finds figures of the roaming contract written into program text. Reads syntax trees only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from simbench.roaming.contract import Cap, RoamingContract
from tests.contract.strays import Stray

NANO = 10**9


def roaming_strays(source: str, contract: RoamingContract) -> list[Stray]:
    """Caps with decimals anywhere, other figures under a name or in a comparison that speaks of them."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found: dict[tuple[int, int], Stray] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and (value := _figure(node)) is not None:
            around = _around(node, parents)
            for term in _terms(value, around, contract):
                text = ast.unparse(_statement(node, parents)).split("\n")[0]
                found.setdefault((node.lineno, node.col_offset), Stray(node.lineno, text, term))
    return [found[place] for place in sorted(found)]


def _terms(value: Fraction, around: str, contract: RoamingContract) -> Iterator[str]:
    for name, term in contract.terms.by_name().items():
        amount = term.value
        if isinstance(amount, bool) or not isinstance(amount, int | float | Decimal):
            continue
        own, words = Fraction(str(amount)), name.split(".")[1].partition("[")[0].split("_")
        spoken = all(word in around for word in words[:-1] or words) or (words[-1] == "days" and "days" in around)
        if isinstance(term, Cap):
            decimals, in_neur = own.denominator > 1, "neur" in around and value == own * 1000 >= 1000
            if in_neur or (decimals and value == own):
                yield name
        elif spoken and value == own:
            yield name


def _figure(node: ast.Constant) -> Fraction | None:
    if isinstance(node.value, bool | bytes) or not isinstance(node.value, int | float | str):
        return None
    try:
        amount = Decimal(str(node.value))
    except InvalidOperation:
        return None
    return Fraction(amount) if amount.is_finite() and abs(amount) < NANO else None


def _around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """Names that say what a figure is: of an assignment, a keyword, a default, the other side of a comparison."""
    words: list[Any] = []
    while not isinstance(node, ast.stmt | ast.arguments):
        above = parents[node]
        if isinstance(above, ast.keyword):
            return above.arg or ""
        if isinstance(above, ast.Slice | ast.Subscript):
            return ""
        if isinstance(above, ast.Compare | ast.BinOp):
            words.append(ast.unparse(above))
        node = above
    if isinstance(node, ast.Assign | ast.AnnAssign):
        words += [ast.unparse(target) for target in (node.targets if isinstance(node, ast.Assign) else [node.target])]
    elif isinstance(node, ast.arguments):
        words.append(ast.unparse(node))
    return " ".join(words).lower()


def _statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    while not isinstance(node, ast.stmt):
        node = parents[node]
    return node
