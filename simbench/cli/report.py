"""`simbench report`: the report of a simulated run, or of a stored conformance session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.base.outputs import adopt, claim
from simbench.cli.late_lines import steps_done
from simbench.cli.options import OUTPUT_FOLDER, RULES, language_option
from simbench.cli.pages import JUDGED, command

FINDINGS = "findings.json"


@command(
    exits=JUDGED,
    files="OUTPUT, or RUN: report.html, data.json and findings.json; with --pdf also report.pdf.",
    see=("simbench run", "simbench judge", "docs/guides/sla.md"),
)
@cloup.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@RULES
@cloup.option_group(
    "Form",
    language_option("report"),
    cloup.option("--form", default="", metavar="NAME", help="Name of a report in an installed package."),
    cloup.option("--pdf", is_flag=True, help="Also write report.pdf."),
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for the report (default: RUN itself)."),
    cloup.option("--json", "as_json", is_flag=True, help="Findings as JSON instead of lines."),
    cloup.option("--unmasked", is_flag=True, help="Write telephone numbers in full (reports of conformance sessions)."),
)
def report(**given: Any) -> int:
    """Report on the service level of a run: verdicts, availability, budget, restoration, throughput, delivery.

    RUN is the folder of a simulation. For the folder of a conformance session, the command writes that report again.

    \b
    Examples:
      simbench report reports/year
      simbench report reports/year --lang fr --pdf -o reports/rapport
      simbench report reports/mine --form acme -o reports/acme
    """
    from simbench.api.contracts import contract_for
    from simbench.api.sessions import is_session
    from simbench.finding import counted, exit_status
    from simbench.ledger import open_run

    options = Options(**given)
    if options.form:
        return _in_form(options)
    if is_session(options.folder):
        return _of_session(options)
    if options.unmasked:
        raise BadInput("--unmasked", "a service-level report shows no telephone numbers", "a conformance session")
    from simbench.api.audit import of_a_capture
    from simbench.sla.report import SlaRun, write_sla

    run = open_run(options.folder)
    if of_a_capture(run):
        problem = "is the ledger of a capture, which is too short for a service level"
        raise BadInput(str(options.folder), problem, "simbench judge, or the folder of a run")
    contract = contract_for(options.folder, options.contract_name)
    output = options.output or options.folder
    (claim if options.output else adopt)(output)  # earlier versions wrote no manifest
    findings, written = write_sla(
        output, SlaRun(run, contract, options.language), pdf=options.pdf, progress=steps_done()
    )
    if options.as_json:
        click.echo((output / FINDINGS).read_text("utf-8"))
    else:
        for one in findings:
            click.echo(f"{one.outcome:<13}{one.clause:<12}{one.purpose:<26}{one.summary}")
        click.echo(f"\n{counted(findings)}.  Written: {', '.join(map(str, written))}")
    return exit_status(findings)


class Options(msgspec.Struct, frozen=True):
    """The options of the command line."""

    folder: Path
    output: Path | None
    language: str
    contract_name: str | None
    pdf: bool
    as_json: bool
    unmasked: bool
    form: str


def _of_session(options: Options) -> int:
    """Write the report of a conformance session again from its findings and ledgers."""
    from simbench.api.sessions import read_session
    from simbench.bench.report import write_report
    from simbench.finding import exit_status

    if options.pdf or options.language != "en":
        what = "--pdf" if options.pdf else f"--lang {options.language}"
        raise BadInput(what, "reports of conformance sessions lack this option", "the run of a world")
    session = read_session(options.folder, options.contract_name)
    output = options.output or options.folder
    (claim if options.output else adopt)(output)
    path = output / "report.html"
    write_report(path, session.judgement, mask=not options.unmasked)
    click.echo((options.folder / FINDINGS).read_text("utf-8") if options.as_json else f"Written: {path}")
    return exit_status(session.findings)


def _in_form(options: Options) -> int:
    """Write the report of another package; it has no verdict of its own."""
    from simbench.api.reports import report as made

    for name in ("pdf", "as_json", "unmasked"):
        if getattr(options, name):
            problem = "cannot be combined with --form, the report of a package"
            raise BadInput(f"--{name.removeprefix('as_')}", problem, "one of the two")
    page = made(options.folder, form=options.form, contract=options.contract_name)
    output = options.output or options.folder / options.form
    click.echo(f"Written: {', '.join(map(str, page.save(output)))}")
    return 0
