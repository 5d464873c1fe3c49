"""`simbench conform --shrink`: the shortest script that still fails, as a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from simbench.base.errors import BadInput

if TYPE_CHECKING:
    from simbench.bench.runner.options import SessionOptions

PLACE = "shrunk"


def shrink_session(wanted: SessionOptions, session: Path, output: Path | None, tries: int) -> int:
    """Shrink the failures of a session and write a test for each; return 3 if a failure is not reproducible."""
    from simbench.base.json_files import write_octets
    from simbench.base.outputs import claim
    from simbench.bench.runner.options import plan_of
    from simbench.bench.runner.output import read_output
    from simbench.bench.runner.session_record import read_record
    from simbench.bench.runner.shrink import Search, size_of
    from simbench.bench.runner.shrinking import failures, live
    from simbench.bench.runner.shrunk_test import name_of, source_of
    from simbench.bench.sut.protocol import reach_of

    if not wanted.sut:
        raise BadInput("--sut", "is missing", "the client of that session")
    record, folder = read_record(session), output or session / PLACE
    contract = wanted.contract or record.contract_given
    plan = plan_of(replace(wanted, only=(), contract=contract, seed=record.seed), folder)
    client = plan.make()
    if client.name != record.system:
        click.echo(f"the session is of {record.system}; its failures are shrunk with {client.name}", err=True)
    undecided = 0
    for failure in failures(read_output(session).findings, plan, wanted.only):
        click.echo(f"{failure.purpose} in {failure.exercise.name}, at most {tries} tries", err=True)
        show = lambda line: click.echo(f"  {line}", err=True)  # noqa: E731 - of one line
        search = Search(failure, (client.capabilities, reach_of(client)), live(plan), tries, show)
        found = search.shortest()
        if found.unstable:
            undecided += 1
            click.echo(f"{failure.purpose}: inconclusive: {found.unstable}; no test written")
            continue
        if not folder.exists() or folder == output:
            claim(folder)
        path = folder / f"{name_of(failure.purpose)}.py"
        write_octets(path, source_of(failure, found).encode("utf-8"))
        click.echo(f"{failure.purpose}: {size_of(found.whole)} shrunk to {size_of(found.steps)}: {path}")
    return 3 if undecided else 0
