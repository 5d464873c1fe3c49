"""`simbench contract check`."""

from __future__ import annotations

import click
import cloup

from simbench.base.text import count
from simbench.cli.pages import command

EXITS = {0: "the file is a valid contract", 2: "wrong usage or input"}


@command(exits=EXITS, see=("docs/guides/contract.md", "docs/reference/contract.md"))
@cloup.argument("file", help="Contract or overlay file, or the name of a built-in contract.")
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of lines."))
def check(file: str, *, as_json: bool) -> int:
    """Check a contract file and list every mistake: file, line, key, value and expectation.

    Purposes without a rule and countries without known public holidays are listed as well.

    \b
    Example:
      simbench contract check my-operator.toml
    """
    from simbench.base.json_files import indented
    from simbench.base.toml_files import dotted
    from simbench.cli.contract.kinds import examined

    _, loaded, problems = examined(file, thorough=True)
    if as_json:
        rows = [
            {"file": one.file, "line": one.line, "key": dotted(one.keys), "problem": one.problem,
             "expected": one.expected}
            for one in problems
        ]  # fmt: skip
        click.echo(indented(rows))
    for problem in () if as_json else problems:
        click.echo(str(problem))
    if problems or loaded is None:
        click.echo(count(len(problems), "mistake"), err=True)
        return 2
    if not as_json:
        terms = loaded.content.terms.by_name()
        assumed = sum(term.status == "assumption" for term in terms.values())
        counts = f"{count(len(loaded.content.clauses), 'clause')}, {count(len(terms), 'figure')}"
        click.echo(f"{file}: valid; {counts}, {assumed} of them assumed; digest {loaded.digest}")
    return 0
