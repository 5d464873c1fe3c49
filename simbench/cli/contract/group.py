"""`simbench contract`: the commands about contract files."""

from __future__ import annotations

import cloup

from simbench.cli.contract.check import check
from simbench.cli.contract.diff import diff
from simbench.cli.contract.list_ import list_
from simbench.cli.contract.new import new
from simbench.cli.contract.show import show
from simbench.cli.pages import group


@group(
    files="Only the file named for `simbench contract new`.",
    see=("docs/guides/contract.md", "docs/reference/contract.md", "simbench explain"),
    sections=[
        cloup.Section("Read", [list_, show, diff]),
        cloup.Section("Write", [new, check]),
    ],
)
def contract() -> None:
    """Contracts as files: list and show them, write and check your own, compare two.

    An operator is described by a file with rates, prices, hours, code ranges, service level and clauses. Every other
    command accepts it as --contract FILE.

    \b
    Examples:
      simbench contract list
      simbench contract new my-operator
      simbench contract check my-operator.toml
      simbench contract diff orange_ops_2016 my-operator.toml
    """
