"""The page of rules: what each reads besides the wire, and what follows when that is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from simbench.contract import Contract, load_contract
from simbench.rules.audit import KINDS
from simbench.rules.rule import Rule, load
from tools.reference.keys import table

HEAD: Final = Path(__file__).with_name("rules_head.md")
LISTS: Final = {"requests": "requests", "consents": "consents"}  # lists whose unread lines may excuse a breach
PARTS: Final[tuple[tuple[str, Callable[[Rule], bool]], ...]] = (
    (
        "Rules on a client, in exercises and recorded traffic",
        lambda rule: "audit" in rule.suites and rule.binds == "client",
    ),
    (
        "Rules on a client, in exercises only",
        lambda rule: not {"audit", "sla"} & {*rule.suites} and rule.binds == "client",
    ),
    ("Rules on the platform", lambda rule: rule.binds == "platform" and "sla" not in rule.suites),
    ("Rules on the service level", lambda rule: "sla" in rule.suites),
)


def page(note: str) -> str:
    """The whole page; `note` says how it is written."""
    contract, rules = load_contract(), load()
    assert all(sum(belongs(rule) for _, belongs in PARTS) == 1 for rule in rules.values()), "each rule in one part"
    needs = "\n".join(f"* *{kind}*: {text}" for kind, text in KINDS.items() if kind != "exercise")
    head = HEAD.read_text("utf-8").replace("NOTE", note.strip(), 1).replace("KINDS", needs, 1)
    return head + "\n".join(
        f"## {title}\n\n" + table(
            ("purpose", "clause", "expected", "how it is judged", "needs", "if something is missing"),
            [_row(rule, contract) for rule in rules.values() if belongs(rule)],
        )
        for title, belongs in PARTS
    )  # fmt: skip


def _row(rule: Rule, contract: Contract) -> tuple[str, ...]:
    method = " ".join((rule.judge.__doc__ or "").split())
    needs = [*rule.reads, *([f"capability `{rule.capability}`"] if rule.capability else [])]
    clause = contract.clause_of(rule.purpose)
    return (
        f"`{rule.purpose}`", f"[{clause}](clauses.md)" if clause else "–", rule.sentence, method,
        ", ".join(needs) or "–", "; ".join(_missing(rule)) or "–",
    )  # fmt: skip


def _missing(rule: Rule) -> list[str]:
    """What follows from gaps of the record."""
    found = []
    if rule.occasional:
        found.append("no occasion: unsupported (in an exercise inconclusive)")
    if rule.absence == "session":
        found.append("a gap in the session: a breach is inconclusive")
    if rule.absence == "anywhere":
        found.append("a gap anywhere: a breach is inconclusive")
    if rule.counts_all:
        found.append("a gap: a pass is inconclusive")
    if rule.by_duration:
        found.append("no usable clock: inconclusive")
    if rule.excused_by:
        unread = ", ".join(LISTS[name] for name in rule.excused_by)
        found.append(f"unread lines of {unread}: a breach is inconclusive")
    return found
