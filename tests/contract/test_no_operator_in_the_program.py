"""No program text outside the contracts names an operator, a zone, a clause or a subscriber's number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from simbench.contract import load_contract
from simbench.numbering.plan import plan_of

ROOT: Final = Path(__file__).parents[2]
CONTRACTS: Final = [load_contract(name) for name in ("orange_ops_2016", "demo_telecom")]
PLANS: Final = [plan_of(contract) for contract in CONTRACTS]
NAMES: Final = {contract.party("operator").name for contract in CONTRACTS}
CLAUSES: Final = {name for contract in CONTRACTS for name in contract.clauses if re.match(r"[A-Z]{3}-", name)}
QUESTION: Final = re.compile(r"\b(?:[A-Z]+-)?AMB-\d+\b")
ZONE: Final = re.compile(r"\b(?:Europe|America|Asia|Africa|Pacific)/\w+")
NUMBER: Final = re.compile(r"(?<!\d)\+?\d{9,15}(?!\d)")
ALLOWED: Final = {
    ("simbench/bench/pytest/marker.py", "0639980001"): "an example of a number in an error",
    ("simbench/tables/instants.py", "Europe/Paris"): "an example of a zone in an error",
    ("simbench/sla/imports/kannel_frames.py", "Europe/Paris"): "an example of a zone in an error",
    ("simbench/cli/judge/options.py", "Europe/Paris"): "an example of a zone in the help",
    ("simbench/cli/sla/watch.py", "Europe/Paris"): "an example of a zone in the help",
    ("simbench/cli/encode.py", "33639980012"): "an example of a field in an error",
}


def named(text: str) -> Iterator[str]:
    """Operators, clauses, ambiguities, zones and mobile numbers in a program text, without its docstrings."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in prose:
            continue
        words = node.value
        yield from (name for name in NAMES if re.search(rf"\b{re.escape(name)}\b", words, re.IGNORECASE))
        yield from (clause for clause in CLAUSES if re.search(rf"\b{re.escape(clause)}\b", words))
        yield from QUESTION.findall(words)
        yield from ZONE.findall(words)
        for number in NUMBER.findall(words):
            if any(plan.classify(number).kind in {"mobile", "m2m"} for plan in PLANS):
                yield number


def test_no_program_text_names_an_operator_a_zone_a_clause_or_a_number() -> None:
    met: set[tuple[str, str]] = set()
    wrong = []
    for package in ("simbench", "fake_smsc"):
        for path in sorted((ROOT / package).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            for what in named(path.read_text("utf-8")):
                met.add((where, what))
                if (where, what) not in ALLOWED:
                    wrong.append(f"{where}: {what}")
    assert not wrong, "take these from the contract, or explain them in ALLOWED:\n" + "\n".join(wrong)
    assert met == set(ALLOWED), "ALLOWED explains what is gone"


def test_no_program_text_says_the_name_of_the_first_operator_at_all() -> None:
    paths = [path for package in ("simbench", "fake_smsc") for path in (ROOT / package).rglob("*.py")]
    assert len(paths) > 500
    assert not [path for path in paths if re.search(r"\borange\b", path.read_text("utf-8"), re.IGNORECASE)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("home = 'orange'", "Orange"),
        ("title = 'Sent to Demo Telecom'", "Demo Telecom"),
        ("zone = ZoneInfo('Europe/Lisbon')", "Europe/Lisbon"),
        ("clause = 'OPS-TAR-05'", "OPS-TAR-05"),
        ("read = contract.reading('AMB-05')", "AMB-05"),
        ("read = offer.reading('NRV-AMB-01')", "NRV-AMB-01"),
        ("to = '33639980012'", "33639980012"),
        ("to = '+384520000001'", "+384520000001"),
    ],
)
def test_a_planted_name_is_found(text: str, what: str) -> None:
    assert list(named(text)) == [what]


@pytest.mark.parametrize("text", ["code = '36010'", "when = '20261130051900'", "name = 'oranges'", '"""Orange."""', ""])
def test_ordinary_text_raises_no_alarm(text: str) -> None:
    assert not list(named(text))
