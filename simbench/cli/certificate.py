"""`simbench certificate` and `simbench matrix`: stored sessions as one page for a meeting, and side by side."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.base.outputs import adopt
from simbench.bench.report.certificate import (
    Certificate,
    Excused,
    differences,
    digest_of,
    outcomes_of,
    read_certificate,
    sealed,
    write_certificate,
)
from simbench.bench.report.comparison import compared, write_comparison
from simbench.bench.runner.baseline import Baseline, compare, read_baseline
from simbench.bench.runner.options import plan_again
from simbench.bench.runner.output import read_output
from simbench.bench.runner.selection import select
from simbench.bench.runner.session import Judgements
from simbench.bench.runner.session_record import read_record
from simbench.cli.report import Progress
from simbench.report.format import SYMBOLS
from simbench.rules.rule import load


def certificate_command(
    run: Path, output: Path | None, baseline: Path | None, contract: str | None, verify: Path | None
) -> int:
    """Write the certificate of a session, or verify one; exit status 1 when anything in it differs."""
    if verify is not None:
        for name, given in {"--baseline": baseline, "-o": output}.items():
            if given is not None:
                raise BadInput(name, "given with --verify, which writes nothing and excuses nothing", "one of the two")
        certificate, text = read_certificate(verify)
        again = certified(run, contract or certificate.contract, Baseline(), date.min)
        found = differences(certificate, text, again)
        for line in found:
            click.echo(f"differs: {line}")
        if not found:
            click.echo(f"{verify}: agrees with the ledgers of {run}")
        return 1 if found else 0
    known = read_baseline(baseline, load()) if baseline else Baseline()
    today = date.today()
    path = output or run / "certificate.html"
    certificate = certified(run, contract or read_record(run).contract, known, today)
    if output is None:
        adopt(run)
    write_certificate(path, certificate)
    click.echo(f"{path}: digest {certificate.digest}")
    return 0


def certified(run: Path, contract: str, known: Baseline, today: date) -> Certificate:
    """The certificate of a stored session, every outcome out of its ledgers. Raises BadInput, LedgerError."""
    record = read_record(run)
    judgements = Judgements(plan_again(record, run, contract, ()))
    judgements.reuse(record)
    judgements.judge_again(Progress().told)
    standings = compare(judgements.findings, known, today)
    whole = {purpose for _, purposes in select().values() for purpose in purposes}
    return sealed(
        Certificate(
            record.system,
            record.system_version,
            judgements.plan.contract.name,
            judgements.plan.contract.digest,
            record.seed,
            record.started_at,
            record.versions,
            outcomes_of(judgements.findings),
            {
                name: digest_of(done.result().run)
                for name, done in judgements.conducted.items()
                if not done.result().left_out
            },
            tuple(sorted(whole - {finding.purpose for finding in judgements.findings})),
            tuple(
                Excused(e.purpose, e.exercise, e.reason, e.ticket, e.expires.isoformat())
                for e in dict.fromkeys(one.deviation for one in standings if one.deviation and one.state == "known")
            ),
        )
    )


def matrix_command(runs: tuple[Path, ...], html: Path | None, *, as_json: bool) -> int:
    """Compare the clients of several sessions."""
    comparison = compared([(str(run), read_output(run)) for run in runs])
    if html is not None:
        write_comparison(html, comparison)
        click.echo(f"written: {html}", err=True)
    if as_json:
        click.echo(indented(comparison))
        return 0
    table = Table(box=None, pad_edge=False)
    for heading in ("purpose", *comparison.clients):
        table.add_column(heading, overflow="fold")
    for line in comparison.lines:
        shown = [f"{SYMBOLS[word]} {word}" if word in SYMBOLS else "not judged" for word in line.outcomes]
        table.add_row(line.purpose, *shown, style="bold" if line.differs else "")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if len(set(comparison.contracts)) > 1:
        click.echo("The contracts differ.", err=True)
    return 0
