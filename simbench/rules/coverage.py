"""Which clauses have rules, and why the others have none: the reasons are data (`uncovered.toml`)."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from simbench.rules.rule import Rule, load


def rules_of(clause: str) -> list[Rule]:
    """The rules on a clause, by purpose."""
    return sorted((rule for rule in load().values() if rule.clause == clause), key=lambda rule: rule.purpose)


@lru_cache(maxsize=1)
def reasons() -> dict[str, str]:
    """Clause to the reason why it has no rule."""
    chapters = tomllib.loads(Path(__file__).with_name("uncovered.toml").read_text("utf-8"))
    return {clause: reason for chapter in chapters.values() for clause, reason in chapter.items()}
