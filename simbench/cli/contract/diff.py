"""`simbench contract diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup

from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.cli.contract.comparison import Difference
    from simbench.contract.engine import Loaded
    from simbench.finding import Finding
    from simbench.ledger import Run

KINDS = {
    "parties": ("party", "parties"), "terms": ("figure", "figures"), "ambiguities": ("reading", "readings"),
    "clauses": ("clause", "clauses"),
}  # fmt: skip


@command(see=("simbench contract show", "simbench judge"))
@cloup.argument("first", help="Name of a built-in contract, or a contract file.")
@cloup.argument("second", help="The contract it is compared with.")
@cloup.option_group(
    "Verdicts",
    cloup.option(
        "--run",
        "folder",
        type=click.Path(path_type=Path),
        help="Folder of a run, or of a session of conform: also list verdicts that differ on it.",
    ),
)
@cloup.option_group(
    "Output",
    cloup.option("--all", "all_", is_flag=True, help="Also list figures that differ in clause or status only."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of lines."),
)
def diff(first: str, second: str, folder: Path | None, *, all_: bool, as_json: bool) -> None:
    """Compare two contracts: parties, figures, readings, clauses, purposes, and the verdicts on a run.

    Tiers are compared by rate, ranges by use, and prices by charge.

    \b
    Examples:
      simbench contract diff orange_ops_2016 my-operator.toml
      simbench contract diff orange_ops_2016 signed.toml --run reports/first
    """
    from simbench.base.json_files import indented
    from simbench.cli.contract.comparison import differences, only_of, purposes_of

    ours, theirs = _both(first, second)
    rows = list(differences(ours, theirs))
    verdicts = list(_verdicts(first, second, folder)) if folder is not None else []
    clauses, purposes = only_of(ours, theirs), (purposes_of(ours), purposes_of(theirs))
    only = [[one for one in own if one not in other] for own, other in (purposes, purposes[::-1])]
    if as_json:
        result = {
            "differences": [row._asdict() for row in rows],
            "only_first": {"clauses": clauses[0], "purposes": only[0]},
            "only_second": {"clauses": clauses[1], "purposes": only[1]},
            "verdicts": verdicts,
        }
        click.echo(indented(result))
        return
    _print(rows, all_=all_)
    for name, own, judged in zip((first, second), clauses, only, strict=True):
        if own:
            click.echo(f"clauses only of {name}: {', '.join(own)}")
        if judged:
            click.echo(f"purposes judged only under {name}: {', '.join(judged)}")
    if not rows and not any(clauses):
        click.echo("the contracts say the same")
    if folder is not None:
        click.echo(f"\nverdicts on {folder}")
        for row in verdicts:
            place = " ".join(filter(None, (row["purpose"], row["exercise"])))
            click.echo(f"    {place}: {row['first']} -> {row['second']}  {row['summary']}".rstrip())
        if not verdicts:
            click.echo("    the same")


def _print(rows: list[Difference], *, all_: bool) -> None:
    from simbench.base.text import count

    shown = [row for row in rows if all_ or not row.of_origin]
    for row in shown:
        click.echo(f"{row.what}: {row.first} -> {row.second}")
    whats = [row.what.rpartition(".")[0] if row.what.startswith("clauses") else row.what for row in shown]
    names = {kind: {what for what in whats if what.startswith(kind)} for kind in KINDS}
    parts = [f"{len(found)} {KINDS[kind][len(found) > 1]}" for kind, found in names.items() if found]
    rest = len(rows) - len(shown)
    more = f"; {count(rest, 'figure')} only in clause or status (--all)" if rest else ""
    if parts or rest:
        click.echo(f"\ndifferent: {', '.join(parts) or 'no value'}{more}")


def _both(first: str, second: str) -> tuple[Loaded[Any], Loaded[Any]]:
    """Read both contracts. Raises ContractError for a mistake in one, BadInput for contracts of different products."""
    from simbench.base.errors import BadInput
    from simbench.cli.contract.kinds import examined

    sides = []
    for name in (first, second):
        schema, loaded, problems = examined(name)
        if loaded is None:
            raise problems[0].error()
        sides.append((schema.kind, loaded))
    (kind, ours), (other, theirs) = sides
    if kind != other:
        raise BadInput(second, f"is a contract of kind {other}", f"one of kind {kind}, as {first}")
    return ours, theirs


def _verdicts(first: str, second: str, folder: Path) -> Iterator[dict[str, str]]:
    from simbench.bench.runner.session_record import NAME

    judged = _of_session if (folder / NAME).exists() else _of_run
    ours, theirs = (judged(folder, name) for name in (first, second))
    for key in dict.fromkeys((*ours, *theirs)):
        one, other = ours.get(key), theirs.get(key)
        outcomes = [found.outcome if found else "not judged" for found in (one, other)]
        if outcomes[0] != outcomes[1]:
            found = other or one
            yield {
                "purpose": key[0], "exercise": key[1], "first": outcomes[0], "second": outcomes[1],
                "summary": found.summary if found else "",
            }  # fmt: skip


def _of_run(folder: Path, name: str) -> dict[tuple[str, str], Finding]:
    """Return every verdict on a run: on the service level, and on the wire."""
    from simbench.api.audit import audit_run
    from simbench.contract import load_contract
    from simbench.ledger import open_run
    from simbench.rules.rule import Case, judge, ordered
    from simbench.trace.trace import Trace

    run: Run = open_run(folder)
    contract = load_contract(name)
    case = Case(Trace(run), contract)
    found = [judge(purpose, case, run.info.run) for purpose in ordered(contract, "sla")]
    return {(one.purpose, ""): one for one in (*found, *audit_run(run, contract).findings)}


def _of_session(folder: Path, name: str) -> dict[tuple[str, str], Finding]:
    """Return every verdict on a session of conform, judged again."""
    from simbench.bench.runner.options import judged_again
    from simbench.bench.runner.session_record import read_record

    return {(one.purpose, one.exercise): one for one in judged_again(read_record(folder), folder, name).findings}
