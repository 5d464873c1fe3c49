"""Finds the rules that judge a clause, and the clauses that a session left untested, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

from simbench.contract import Contract
from simbench.finding import Finding
from simbench.rules.rule import load

COMMANDS: Final = {"bill": "simbench bill --against", "forecast": "simbench forecast", "probe": "simbench probe"}
"""Commands with rules on other inputs than ledgers, by topic."""


class Untested(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clause without a finding in a session, and the reason."""

    clause: str
    reason: str


def command_of(purpose: str) -> str:
    """Return the command that applies the rule of a purpose without an exercise."""
    rule = load().get(purpose)
    if rule is None:
        return COMMANDS.get(purpose.partition(".")[0], "another command")
    return "simbench conform --soak" if "soak" in rule.suites else "simbench judge"


def untested(contract: Contract, findings: Iterable[Finding], exercised: Collection[str]) -> list[Untested]:
    """Return the clauses that no finding verifies, in the order of the contract.

    `exercised` are the purposes that have an exercise, so that a session could have tested them.
    """
    judged = {finding.purpose for finding in findings}
    return [
        Untested(name, "; ".join(_reasons(clause.verified_by, exercised)) or clause.not_verified)
        for name, clause in contract.clauses.items()
        if not judged.intersection(clause.verified_by)
    ]


def _reasons(purposes: tuple[str, ...], exercised: Collection[str]) -> Iterator[str]:
    also = ""
    if any(purpose in exercised for purpose in purposes):
        also = "also "
        yield "not part of this session"
    commands = dict.fromkeys(command_of(purpose) for purpose in purposes if purpose not in exercised)
    if commands:
        yield f"{also}judged by {', '.join(f'`{command}`' for command in commands)}"
