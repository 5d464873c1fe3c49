"""`simbench contract diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.finding import Finding
    from simbench.ledger import Run


@command(see=("simbench contract show", "simbench judge"))
@cloup.argument("first", help="Name of a built-in contract, or a contract file.")
@cloup.argument("second", help="The contract it is compared with.")
@cloup.option_group(
    "Verdicts",
    cloup.option(
        "--run",
        "folder",
        type=click.Path(path_type=Path),
        help="Folder of a run: also list verdicts that differ on it.",
    ),
)
@cloup.option_group("Output", cloup.option("--json", "as_json", is_flag=True, help="JSON instead of lines."))
def diff(first: str, second: str, folder: Path | None, *, as_json: bool) -> None:
    """Compare two contracts: figures, readings, parties and clauses, and the verdicts on a run.

    \b
    Examples:
      simbench contract diff orange_ops_2016 my-operator.toml
      simbench contract diff orange_ops_2016 signed.toml --run reports/first
    """
    from simbench.base.json_files import indented

    rows = list(_differences(first, second))
    verdicts = list(_verdicts(first, second, folder)) if folder is not None else []
    if as_json:
        click.echo(indented({"differences": rows, "verdicts": verdicts}))
        return
    for row in rows:
        click.echo(f"{row['what']}: {row['first']} -> {row['second']}")
    if not rows:
        click.echo("the contracts say the same")
    if folder is not None:
        click.echo(f"\nverdicts on {folder}")
        for row in verdicts:
            click.echo(f"    {row['purpose']}: {row['first']} -> {row['second']}  {row['summary']}".rstrip())
        if not verdicts:
            click.echo("    the same")


def _differences(first: str, second: str) -> Iterator[dict[str, str]]:
    """Each value that differs, under its key; "-" where one contract has none."""
    from simbench.base.errors import BadInput
    from simbench.cli.contract.kinds import examined

    sides = []
    for name in (first, second):
        schema, loaded, problems = examined(name)
        if loaded is None:
            raise problems[0].error()
        sides.append((schema.kind, dict(_said(loaded.content))))
    (kind, ours), (other, theirs) = sides
    if kind != other:
        raise BadInput(second, f"is a contract of kind {other}", f"one of kind {kind}, as {first}")
    for key in dict.fromkeys((*ours, *theirs)):
        if ours.get(key) != theirs.get(key):
            yield {"what": key, "first": ours.get(key, "-"), "second": theirs.get(key, "-")}


def _said(content: Any) -> Iterator[tuple[str, str]]:
    from simbench.contract.term import named_terms

    for key, party in getattr(content, "parties", {}).items():
        yield f"parties.{key}", f"{party.name}, {party.role}"
    for name, term in named_terms(content.terms).items():
        beside = [
            f"{field} {getattr(term, field)}"
            for field in term.__struct_fields__
            if field not in {"value", "unit", "status", "clause", "source", "note", "label"} and getattr(term, field)
        ]
        value = ", ".join(map(str, term.value)) if isinstance(term.value, tuple) else term.value
        yield f"terms.{name}", ", ".join([f"{value} {term.unit} ({term.clause or '-'}, {term.status})", *beside])
    for name, one in getattr(content, "ambiguities", {}).items():
        yield f"ambiguities.{name}", f"{one.reading or one.default} ({one.status})"
    for name, clause in content.clauses.items():
        yield f"clauses.{name}", clause.gist


def _verdicts(first: str, second: str, folder: Path) -> Iterator[dict[str, str]]:
    from simbench.ledger import open_run

    run = open_run(folder)
    ours, theirs = (_findings(run, name) for name in (first, second))
    for purpose in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(purpose), theirs.get(purpose)
        outcomes = [found.outcome if found else "not judged" for found in (one, other)]
        if outcomes[0] != outcomes[1]:
            summary = (other or one).summary if (other or one) else ""  # type: ignore[union-attr] # one of them is there
            yield {"purpose": purpose, "first": outcomes[0], "second": outcomes[1], "summary": summary}


def _findings(run: Run, name: str) -> dict[str, Finding]:
    """Every verdict on a run: of the service level, and of the wire."""
    from simbench.api.audit import audit_run
    from simbench.contract import load_contract
    from simbench.rules.rule import Case, judge, ordered
    from simbench.trace.trace import Trace

    contract = load_contract(name if name == Path(name).stem else Path(name))
    case = Case(Trace(run), contract)
    found = [judge(purpose, case, run.info.run) for purpose in ordered(contract, "sla")]
    return {one.purpose: one for one in (*found, *audit_run(run, contract).findings)}
