"""The page of clauses: sentence, terms, rules, exercises and faults of each."""

from __future__ import annotations

from collections.abc import Iterator

import simbench.bench.runner.selection  # noqa: F401 - importing it registers the exercises
from simbench.bench.exercises.exercise import EXERCISES
from simbench.contract import Contract, load_contract
from simbench.rules.coverage import command_of
from simbench.rules.rule import Rule, load

ON_A_RUN = {"wire", "simulation"}

_HEAD = """# Clauses and how they are judged

This page lists each clause of the offer in our words, with its figures, the rules that judge it, the exercise that
triggers each purpose (or the command that judges it if no exercise can), and the named faults that prove the rule: a
client with the fault fails (or is weak, if the clause only recommends), one without it passes. A clause without a rule
has a reason. Figures marked * are our assumption until your own contract confirms them. A source such as B:137 is line
137 of the operator's brochure of October 2016, which is not part of this project.

This page is written by `python -m tools.reference --write`.

"""


def page() -> str:
    """Return the complete page."""
    contract = load_contract()
    return _HEAD + _counts(contract) + "".join(_clause(name, contract) for name in contract.clauses)


def on_a_run(contract: Contract) -> list[str]:
    """Clauses that can be judged on the wire or in simulation."""
    return [name for name, clause in contract.clauses.items() if ON_A_RUN & set(clause.verify)]


def _counts(contract: Contract) -> str:
    wanted = on_a_run(contract)
    with_rule = [name for name in wanted if contract.clauses[name].verified_by]
    faults = {fault for rule in load().values() for fault in rule.catches}
    return (
        f"{len(contract.clauses)} clauses; {len(wanted)} can be judged on the wire or in simulation: {len(with_rule)} "
        f"have a rule, {len(wanted) - len(with_rule)} a reason. {len(load())} rules, {len(EXERCISES)} exercises, "
        f"{len(faults)} named faults.\n"
    )


def _clause(name: str, contract: Contract) -> str:
    clause, known = contract.clauses[name], load()
    rules = [known[purpose] for purpose in clause.verified_by if purpose in known]
    lines = [
        f"\n## {name}: {clause.key_term}\n",
        f"{clause.gist}\n",
        f"*{clause.strength}, binds {' and '.join(clause.bound)}; {', '.join(clause.verify)}; {clause.source}*\n",
    ]
    terms = ", ".join(_terms(name, contract))
    if terms:
        lines.append(f"Figures: {terms}\n")
    if rules:
        lines += ["| Purpose | Rule | Exercise | Caught faults |", "|---|---|---|---|", *map(_row, rules), ""]
    elsewhere = [purpose for purpose in clause.verified_by if purpose not in known]
    if elsewhere:
        lines.append(f"Judged by other commands: {', '.join(f'`{one}` (`{command_of(one)}`)' for one in elsewhere)}.\n")
    if not clause.verified_by:
        lines.append(f"No rule: {clause.not_verified}.\n")
    return "\n".join(lines)


def _terms(name: str, contract: Contract) -> Iterator[str]:
    for dotted, term in contract.terms.by_name().items():
        if term.clause == name:
            value = ", ".join(map(str, term.value)) if isinstance(term.value, tuple) else term.value
            yield f"`{dotted}` = {value} {term.unit}{'*' if term.status == 'assumption' else ''}"
    for key, ambiguity in contract.ambiguities.items():
        if name in ambiguity.clauses:
            yield f"{key} read as `{contract.reading(key)}`"


def _row(rule: Rule) -> str:
    exercise = next((f"`{e.name}`" for e in EXERCISES.values() if rule.purpose in e.purposes), "") or _elsewhere(rule)
    needs = f" Needs `{rule.capability}`." if rule.capability else ""
    faults = ", ".join(f"`{fault}`" for fault in rule.catches) or "none: it checks the bench itself"
    return f"| `{rule.purpose}` | {rule.sentence}.{needs} | {exercise} | {faults} |"


def _elsewhere(rule: Rule) -> str:
    """The command that applies a rule without an exercise: it takes hours, months, or real traffic."""
    if "soak" in rule.suites:
        return "none in a session: `simbench conform --soak`"
    if "sla" in rule.suites:
        return "none (takes months): `simbench judge` or `report` on a run or on tickets"
    return "none (real traffic): `simbench judge` on a capture"
