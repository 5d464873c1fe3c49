"""`simbench judge`: judges a record with the given options, prints and writes the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simbench.api.contracts import contract_for
from simbench.api.judge_output import Paper, answer_of, write_judged
from simbench.api.judging import Inputs, judge_record
from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.base.progress import QUIET_S
from simbench.cli.judge.options import Options
from simbench.cli.judge.printing import print_answer, print_notes
from simbench.cli.late_lines import after_a_while
from simbench.finding import exit_status


def judge_command(source: Path, given: dict[str, Any], options: Options, kind: str = "") -> int:
    """Read `source`, judge, print, write, and return the exit status (docs/reference/exit-status.md).

    `given` are fields of `Inputs`.

    Raises BadInput if the source is of another kind than requested.
    """
    for option, given_ in (("--pdf", options.pdf), ("--claim", options.claim)):
        if given_ and options.output is None:
            raise BadInput(option, "has no folder to write to", "-o as well")
    contract = contract_for(source, options.contract_name)
    inputs = Inputs(source=source, **given, contract=contract, keep=options.output)
    say = after_a_while(QUIET_S)
    judged = judge_record(inputs, kind, lambda _, doing: say(doing))
    print_notes(judged.notes)
    if options.output is not None:
        paper = Paper(options.language, options.pdf, options.claim)
        written = write_judged(options.output, inputs, judged, paper)
        if options.claim and not any(path.name == "claim.md" for path in written):
            click.echo("no claim: no commitment of the operator is missed for certain", err=True)
    answer = answer_of(judged)
    if options.as_json:
        click.echo(indented(answer))
    else:
        print_answer(answer, options, contract)
    return exit_status(judged.findings)
