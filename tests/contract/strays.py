"""Finds contract numbers written into program text: figures that belong in a contract file.

Reads syntax trees only, runs nothing. What counts is derived from a loaded contract, so it follows the contract.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from simbench.contract import Contract

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "days": 86400}
"""Unit suffixes of names and of terms, in seconds."""

GENERIC_S = {1, 60, 3600, 86_400, 604_800}  # a second, minute, hour, day, week mean nothing by themselves
VAGUE = {"max", "default", "first", "expected", "after"}
MONEY = {"price", "fee", "tariff", "euro", "euros", "cost", "vat"}
NO_MONEY = re.compile(r"(_(us|ms|s|min|h|octets|rows|px|dpi)|port|size|seed|width|height)$")
RATES = {"rate", "tier", "rate_per_s", "tier_per_s", "default_per_s", "default_rate", "default_tier", "subscribed_rate"}
UNIT_NAME = re.compile(r"^_?(?P<unit>SECOND|MINUTE|HOUR|DAY)S?(_(US|MS|S))?$")
UNIT_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
OPERATIONS = {ast.Add: "__add__", ast.Sub: "__sub__", ast.Mult: "__mul__", ast.Div: "__truediv__"}

Value = int | float


class Stray(NamedTuple):
    """A figure out of place: the line, the program text, and the term it repeats."""

    line: int
    text: str
    term: str


class Figures:
    """The distinctive figures of a contract: values, sequences, and values by name."""

    def __init__(self, contract: Contract) -> None:
        # Where two terms share a figure the brochure's is named, then the first.
        ordered = sorted(contract.terms.by_name().items(), key=lambda named: named[1].status != "seed")
        terms = {name: (term.value, term.unit) for name, term in ordered}
        self.prices = {name: value for name, (value, _) in terms.items() if isinstance(value, Decimal)}
        for number, tier in enumerate(contract.terms.throughput.tiers):
            if tier.price:
                self.prices[f"throughput.tiers[{number}].price"] = tier.price
        self.tiers = contract.terms.throughput.rates
        self.shares = {value: name for name, (value, unit) in terms.items() if unit == "share" and value > 0.5}
        self.hours = {value: name for name, (value, unit) in terms.items() if unit == "hour of day"}
        self.seconds = dict(reversed(list(self._durations(terms))))
        self.ladders = dict(self._ladders(terms))
        self.patterns = {value: name for name, (value, unit) in terms.items() if unit == "pattern"}
        self.patterns[str(contract.terms.numbering.code_pattern)] = "numbering.ranges"
        self.named = list(self._named(terms))
        self.anywhere = dict(self._anywhere(contract))

    @staticmethod
    def _durations(terms: dict[str, Any]) -> Iterator[tuple[float, str]]:
        """Durations of an hour and more, in seconds: shorter ones are too common."""
        for name, (value, unit) in terms.items():
            if unit in SECONDS and isinstance(value, int):
                seconds = value * SECONDS[unit]
                if seconds > 3600 and seconds not in GENERIC_S:
                    yield seconds, name

    def _ladders(self, terms: dict[str, Any]) -> Iterator[tuple[tuple[Value, ...], tuple[str, float]]]:
        """Yield (steps, (term, seconds in the unit they are written in, 0 for none))."""
        yield self.tiers[1:], ("throughput.tiers", 0)
        for name, (value, unit) in terms.items():
            if isinstance(value, tuple):
                for other in {unit, "us", "ms", "s"} if unit in SECONDS else {unit}:
                    scale = SECONDS.get(unit, 1) / SECONDS.get(other, 1)
                    yield tuple(step * scale for step in value), (name, SECONDS.get(other, 0))

    @staticmethod
    def _named(terms: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], float | None, Any, str]]:
        """Yield (words of the name, seconds in its unit or None, value, term)."""
        for name, (value, unit) in terms.items():
            words = tuple(name.split(".")[1].split("_"))
            scale = SECONDS.get(words[-1]) if words[-2:-1] != ("per",) else None
            if unit == "messages/s" or (scale and value * scale in GENERIC_S and len(words) == 2):
                continue
            yield (words[:-1] if scale else words), scale, value, name
            plain = tuple(word for word in words[:-1] if word not in VAGUE)
            if scale and plain and plain != words[:-1]:
                yield plain, scale, value, name

    def _anywhere(self, contract: Contract) -> Iterator[tuple[Value, str]]:
        """Distinctive figures: odd or large prices, long durations, and consequences of the promises."""
        for name, price in self.prices.items():
            if price > self.tiers[-1] and (price % 100 or price >= 1000):
                yield int(price), name
        for seconds, name in self.seconds.items():
            yield from ((round(seconds * scale), name) for scale in (1, 10**3, 10**6))
        hours = contract.terms.hours["marketing"]
        day_s = (hours.closes_min - hours.opens_min) * 60
        yield day_s, "hours.marketing.closes_at_h"
        yield from ((day_s * tier, "throughput.tiers") for tier in self.tiers)
        for days in (365, 366):
            lost_h = round((1 - contract.terms.quality.availability.value) * days * 24, 6)
            yield from ((value, "quality.availability") for value in (lost_h, round(lost_h * 60, 6)))


def strays(source: str, figures: Figures) -> list[Stray]:
    """Find the contract's figures in a program text, each place once."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found: dict[tuple[int, int], Stray] = {}
    for node, term in _suspects(tree, parents, figures):
        place = (node.lineno, node.col_offset)
        found.setdefault(place, Stray(node.lineno, ast.unparse(_statement(node, parents)).split("\n")[0], term))
    return [found[place] for place in sorted(found)]


def _suspects(tree: ast.AST, parents: dict[ast.AST, ast.AST], figures: Figures) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            yield from ((node, term) for term in _by_value(node, parents, figures))
        for name, value in _namings(node):
            yield from ((value, term) for term in _by_name(name, value, figures))


def _by_value(node: ast.expr, parents: dict[ast.AST, ast.AST], figures: Figures) -> Iterator[str]:
    """Yield the terms that an expression repeats, under any name."""
    parent = parents[node]
    value = folded(node)
    if value is not None:
        whole = not isinstance(parent, ast.expr) or folded(parent) is None
        if whole and value in figures.anywhere and not _measures_otherwise(parent, figures.anywhere[value]):
            yield figures.anywhere[value]
        if value in figures.shares and isinstance(parent, ast.Compare | ast.BinOp):
            yield figures.shares[value]
    if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
        steps = sequence(node)
        bare = steps[1:] if steps and steps[0] == figures.tiers[0] else steps
        for term, unit in (figures.ladders[known] for known in (steps, bare) if known in figures.ladders):
            units = {SECONDS.get(name.lower().rpartition("_")[2], unit) for name, _ in _namings(parent)}
            if not unit or units <= {unit}:
                yield term
        if len(steps) == 2 and steps == tuple(sorted(figures.hours)):
            yield figures.hours[steps[0]]
    if isinstance(node, ast.Compare) and any("hour" in ast.unparse(side) for side in (node.left, *node.comparators)):
        sides = [folded(side) for side in (node.left, *node.comparators)]
        yield from (figures.hours[side] for side in sides if side in figures.hours)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from (name for pattern, name in figures.patterns.items() if pattern in node.value)
    if isinstance(node, ast.Call):
        yield from _by_call(node, figures)


def _by_call(node: ast.Call, figures: Figures) -> Iterator[str]:
    called = ast.unparse(node.func).rpartition(".")[2]
    first = node.args[0] if node.args else None
    if called == "Decimal" and first is not None:
        amount = _amount(first)
        yield from (name for name, price in figures.prices.items() if price == amount and price != Decimal("0.01"))
    if called == "time" and first is not None and folded(first) in figures.hours:
        yield figures.hours[folded(first)]
    if called == "timedelta":
        units = {"hours": 3600, "days": 86400, "minutes": 60, "seconds": 1}
        given = [(units.get(word.arg or ""), folded(word.value)) for word in node.keywords]
        total = sum(scale * value for scale, value in given if scale and value)
        yield from [figures.seconds[total]] if total in figures.seconds else []


def _by_name(name: str, node: ast.expr, figures: Figures) -> Iterator[str]:
    """Yield the terms with a name and value that an assignment, default, keyword or entry repeats."""
    words = tuple(name.lower().strip("_").split("_"))
    value: Any = sequence(node) if isinstance(node, ast.Tuple | ast.List) else folded(node)
    if MONEY & set(words):
        yield from (term for term, price in figures.prices.items() if price == _amount(node))
    if value is None:
        return
    if "_".join(words) in RATES and value in figures.tiers:
        yield "throughput.tiers"
    for stem, scale, wanted, term in figures.named:
        unit = SECONDS.get(words[-1]) if scale else None
        body = words[:-1] if unit else words
        if body[-len(stem) :] == stem and (not scale or unit) and _same(value, unit or 1, wanted, scale or 1):
            yield term


def _same(value: Any, unit: float, wanted: Any, scale: float) -> bool:
    here, there = (each if isinstance(each, tuple) else (each,) for each in (value, wanted))
    if len(here) != len(there) or any(isinstance(each, str) for each in there):
        return False
    return all(abs(float(a) * unit - float(b) * scale) < 1e-9 for a, b in zip(here, there, strict=True))


def _namings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield (name, value) of assignments, defaults, keyword arguments and entries of dicts."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((ast.unparse(target).rpartition(".")[2], node.value) for target in targets)
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.arguments):
        plain = [*node.posonlyargs, *node.args]
        defaults = zip(plain[len(plain) - len(node.defaults) :], node.defaults, strict=True)
        keywords = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        yield from ((arg.arg, value) for arg, value in (*defaults, *keywords) if value is not None)
    elif isinstance(node, ast.Dict):
        entries = zip(node.keys, node.values, strict=True)
        yield from ((str(key.value), value) for key, value in entries if isinstance(key, ast.Constant))


def folded(node: ast.AST) -> Value | None:
    """Compute a constant expression; names such as HOUR_US count as seconds. None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None
    if isinstance(node, ast.Name | ast.Attribute):
        unit = UNIT_NAME.match(node.id if isinstance(node, ast.Name) else node.attr)
        return UNIT_SECONDS[unit["unit"]] if unit else None
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        left, right = folded(node.left), folded(node.right)
        if left is None or right is None or (right == 0 and isinstance(node.op, ast.Div)):
            return None
        result = float(getattr(float(left), OPERATIONS[type(node.op)])(float(right)))
        return int(result) if result.is_integer() else result
    return None


def sequence(node: ast.Tuple | ast.List | ast.Set | ast.Dict) -> tuple[Value, ...]:
    """Give the numbers of a literal in order, keys of a dict; empty if it holds anything else."""
    items = [folded(item) for item in (node.keys if isinstance(node, ast.Dict) else node.elts) if item is not None]
    numbers = tuple(item for item in items if item is not None)
    return numbers if len(numbers) == len(items) else ()


def _amount(node: ast.expr) -> Decimal | None:
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return None
    try:
        return Decimal(str(node.value))
    except InvalidOperation:
        return None


def _measures_otherwise(parent: ast.AST, term: str) -> bool:
    """Tell whether a price's figure is bound to a name that measures something else, such as a port."""
    names = [name for name, _ in _namings(parent)] if not isinstance(parent, ast.Dict) else []
    return (term.startswith("tariff.") or term.endswith(".price")) and any(
        NO_MONEY.search(name.lower()) for name in names
    )


def _statement(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    while not isinstance(node, ast.stmt):
        node = parents[node]
    return node
