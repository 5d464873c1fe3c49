"""`simbench certificate`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup

from simbench.base.errors import BadInput
from simbench.base.outputs import adopt
from simbench.cli.options import OUTPUT_FILE
from simbench.cli.pages import DONE, command

if TYPE_CHECKING:
    from simbench.bench.report.certificate import Certificate
    from simbench.bench.runner.baseline import Baseline


@command(
    exits={
        **DONE,
        0: "written, or verified without a difference",
        1: "with --verify: there are differences, which are listed",
    },
    files="OUTPUT, or certificate.html in RUN.",
    see=("simbench conform", "docs/guides/ci.md"),
)
@cloup.argument("run", type=click.Path(path_type=Path))
@cloup.option_group(
    "Contract and rules",
    cloup.option(
        "--baseline", type=click.Path(path_type=Path), help="Known deviations both parties have accepted (TOML)."
    ),
    cloup.option("--contract", help="Contract by name, or an overlay file."),
    cloup.option(
        "--verify", type=click.Path(path_type=Path), help="Recompute this certificate from the ledgers of RUN."
    ),
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FILE, help="File of the page (default: certificate.html in RUN)."),
)
def certificate(
    run: Path, output: Path | None, baseline: Path | None, contract: str | None, verify: Path | None
) -> int:
    """Write one page for the acceptance meeting, or verify one and list the differences.

    The page carries a digest of its own contents and of the ledgers. The digest is not a signature.

    \b
    Examples:
      simbench certificate reports/mine --baseline known.toml
      simbench certificate reports/mine --verify reports/mine/certificate.html
    """
    from simbench.bench.report.certificate import differences, read_certificate, write_certificate
    from simbench.bench.runner.baseline import Baseline, read_baseline
    from simbench.bench.runner.session_record import read_record
    from simbench.rules.rule import load

    if verify is not None:
        for name, given in {"--baseline": baseline, "-o": output}.items():
            if given is not None:
                raise BadInput(name, "given with --verify, which only compares", "one of the two")
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
    """Return the certificate of a stored session, with outcomes from its ledgers. Raises BadInput, LedgerError."""
    from simbench.bench.report.certificate import Certificate, Excused, digest_of, outcomes_of, sealed
    from simbench.bench.runner.baseline import compare
    from simbench.bench.runner.options import judged_again
    from simbench.bench.runner.selection import select
    from simbench.bench.runner.session_record import read_record
    from simbench.cli.late_lines import steps_done

    record = read_record(run)
    judgements = judged_again(record, run, contract, progress=steps_done())
    standings = compare(judgements.findings, known, today)
    ran = judgements.conducted
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
            {name: digest_of(one.result().run) for name, one in ran.items() if not one.result().left_out},
            tuple(sorted(whole - {finding.purpose for finding in judgements.findings})),
            tuple(
                Excused(e.purpose, e.exercise, e.reason, e.ticket, e.expires.isoformat())
                for e in dict.fromkeys(one.deviation for one in standings if one.deviation and one.state == "known")
            ),
        )
    )
