"""`simbench conform`: run a client through the exercises, judge it, write findings.json, junit.xml, report.html."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
from msgspec.structs import replace

from simbench.base.errors import BadInput, Trouble
from simbench.base.outputs import claim
from simbench.base.text import count
from simbench.bench.runner import AT_ONCE, MOST_AT_ONCE
from simbench.cli.conform_progress import Ticker
from simbench.cli.options import OUTPUT_FOLDER
from simbench.cli.pages import JUDGED, command

if TYPE_CHECKING:
    from simbench.bench.exercises.exercise import Chosen
    from simbench.bench.report import Judgement
    from simbench.bench.runner.baseline import Baseline, Standing
    from simbench.bench.runner.options import SessionOptions
    from simbench.bench.runner.session import Judgements, Plan

OUTPUT = Path("reports/conform")


@dataclass(frozen=True)
class Options:
    """Options of the command line other than those that select client and exercises."""

    output: Path | None = None
    judge_from: Path | None = None
    baseline: Path | None = None
    update_baseline: bool = False
    last_failed: bool = False
    keep_up: bool = False
    strict: bool = False
    as_json: bool = False
    explain: tuple[str, ...] = ()
    shrink: Path | None = None
    tries: int = 60


@command(
    exits={**JUDGED, 1: "a finding failed; with --strict also a weak or inconclusive one, or an outdated deviation"},
    files=(
        "OUTPUT (reports/conform): findings.json, junit.xml, report.html, session.json, runs/EXERCISE/ledger,"
        " evidence/PURPOSE. An earlier session there is kept as earlier-1. --shrink: test_PURPOSE.py in FOLDER/shrunk."
    ),
    see=("simbench list", "simbench explain", "docs/guides/test-your-client.md", "docs/guides/ci.md"),
)
@cloup.option_group(
    "Client under test",
    cloup.option(
        "--sut",
        default="",
        metavar="NAME",
        help="Client: reference, kannel, command, external, or a description (.toml).",
    ),
    cloup.option("--program", default="", metavar="COMMAND", help="Program and arguments of `--sut command`."),
    cloup.option("--capabilities", type=click.Path(path_type=Path), help="Capabilities the client claims (TOML)."),
    cloup.option(
        "--fault", multiple=True, metavar="NAME", help="Plant this fault in the reference client; may be repeated."
    ),
    cloup.option("--keep-up", is_flag=True, help="Keep the SMSC running after the session, and print its port."),
    cloup.option(
        "--soak", default="", metavar="DURATION", help="Run an endurance test of this length instead (60s, 10m, 8h)."
    ),
)
@cloup.option_group(
    "Input",
    cloup.option(
        "--from",
        "judge_from",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Judge the ledgers of an earlier output folder again, without a client.",
    ),
    cloup.option(
        "--shrink",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="Search for the shortest script that repeats a failure of this earlier output folder with the client, and"
        " write it as a test; --only names purposes, without it one of each cause.",
    ),
)
@cloup.option_group(
    "Contract and rules",
    cloup.option(
        "--only", multiple=True, metavar="CLAUSE", help="Clause, chapter, purpose or exercise to run; may be repeated."
    ),
    cloup.option("--contract", "contract_name", help="Contract by name, or an overlay file of your own."),
    cloup.option("--baseline", type=click.Path(path_type=Path), help="Known deviations (TOML)."),
    cloup.option(
        "--update-baseline", is_flag=True, help="Write the baseline so that this session has no new deviation."
    ),
    cloup.option(
        "--explain",
        multiple=True,
        metavar="PURPOSE",
        help="Print what the exercises of this purpose, clause or name will do, and end; may be repeated.",
    ),
    cloup.option("--last-failed", is_flag=True, help="Run only what did not pass in the session of the output folder."),
    cloup.option("--strict", is_flag=True, help="Count weak and inconclusive findings as failures."),
)
@cloup.option_group(
    "Execution",
    cloup.option("--seed", type=int, default=1, show_default=True, help="Seed of every draw."),
    cloup.option(
        "--jobs",
        type=click.IntRange(1, MOST_AT_ONCE),
        default=AT_ONCE,
        show_default=True,
        help="Number of exercises to run at a time; those that measure high rates run alone, low ones four at a time.",
    ),
    cloup.option(
        "--tries",
        type=click.IntRange(5, 10_000),
        default=60,
        show_default=True,
        help="Number of runs after which --shrink takes the shortest script so far.",
    ),
)
@cloup.option_group(
    "Output",
    cloup.option(
        "-o",
        "--output",
        type=OUTPUT_FOLDER,
        help="Folder for findings.json, junit.xml, report.html, ledgers (default: reports/conform, or that of --from).",
    ),
    cloup.option("--json", "as_json", is_flag=True, help="Print findings.json instead of the table."),
)
def conform(**options: Any) -> int:
    """Run the exercises with a client and judge it, clause by clause, with evidence.

    Each exercise starts its own platform on loopback, creates one situation, and is judged only from the ledger. A
    purpose is unsupported if the client does not claim the required capability.

    \b
    Examples:
      simbench conform --sut reference
      simbench conform --sut kannel -o reports/kannel --only OPS-ENG-01 --only OPS-PRE-03
      simbench conform --sut reference --fault no-pacing --only backlog-monitored
      simbench conform --sut command --program './client --flag' --capabilities caps.toml
      simbench conform --sut my-client.toml --baseline known.toml --strict
      simbench conform --from reports/kannel --contract mine.toml --json
      simbench conform --sut reference --soak 8h -o reports/night
      simbench conform --explain rate.backlog-at-tier
      simbench conform --sut my-client.toml --shrink reports/mine --only submits.tried-again
    """
    from simbench.bench.runner.options import SessionOptions

    contract, faults = options.pop("contract_name") or "", options.pop("fault")
    of_client = {name: options.pop(name) for name in ("sut", "program", "capabilities", "only", "seed", "soak", "jobs")}
    return conform_command(SessionOptions(**of_client, contract=contract, faults=faults), Options(**options))


def conform_command(wanted: SessionOptions, options: Options) -> int:
    """Run the session, write its output and return the exit status (docs/reference/exit-status.md)."""
    if options.explain:
        from simbench.cli.conform_explain import explain_exercises

        return explain_exercises(replace(wanted, only=options.explain + wanted.only), as_json=options.as_json)
    if options.shrink:
        from simbench.cli.conform_shrink import shrink_session

        return shrink_session(wanted, options.shrink, options.output, options.tries)
    from simbench.bench.runner.baseline import compare, status, updated, write_baseline
    from simbench.bench.runner.junit import write_junit
    from simbench.bench.runner.output import JUNIT, write_output

    folder = options.output or options.judge_from or OUTPUT
    known = _known(options)
    judgements = (_again if options.judge_from else _anew)(wanted, options, folder)
    ticker = Ticker(judgements)
    if not options.judge_from:
        judgements.start(ticker.progress)
    try:
        judgements.wait()
    except KeyboardInterrupt:
        raise Trouble("the session was interrupted") from None
    finally:
        ticker.stop()
    today = date.today()
    standings = compare(judgements.findings, known, today, strict=options.strict)
    click.echo(f"writing {folder / 'report.html'}", err=True)
    judgement = write_output(judgements, folder, standings)
    write_junit(folder / JUNIT, judgements, standings, strict=options.strict)
    if options.update_baseline and options.baseline:
        before, known = known, updated(standings, known, today)
        write_baseline(options.baseline, known, before if options.baseline.exists() else None)
        standings = compare(judgements.findings, known, today, strict=options.strict)
        click.echo(f"written: {options.baseline}", err=True)
    if options.as_json:
        click.echo((folder / "findings.json").read_text(encoding="utf-8"))
    else:
        _print(standings, judgements, judgement, folder)
    if options.keep_up:
        keep_up(judgements.plan, judgements.reach.port)
    return status(standings, strict=options.strict)


def _known(options: Options) -> Baseline:
    from simbench.bench.runner.baseline import Baseline, read_baseline
    from simbench.rules.rule import load

    if options.baseline is None:
        if options.update_baseline:
            raise BadInput("--update-baseline", "needs a baseline", "--baseline FILE as well")
        return Baseline()
    if options.update_baseline and not options.baseline.exists():
        return Baseline()
    return read_baseline(options.baseline, load())


def _again(wanted: SessionOptions, options: Options, output: Path) -> Judgements:
    """Return the judgements of a stored session. Raises LedgerError, and BadInput for options that need a client."""
    from simbench.bench.runner.options import judged_again
    from simbench.bench.runner.session_record import read_record
    from simbench.cli.late_lines import steps_done

    folder = options.judge_from
    assert folder is not None, "--from names a stored session"
    of_client = {"program": wanted.program, "capabilities": wanted.capabilities, "fault": wanted.faults}
    for name, given in {**of_client, "soak": wanted.soak, "last-failed": options.last_failed}.items():
        if given:
            raise BadInput(f"--{name}", "cannot be combined with --from, a stored session", "one of the two")
    record = read_record(folder)
    if output.resolve() != folder.resolve():
        _check_new(output)
    # Without --contract, the stored session's own contract applies.
    return judged_again(record, folder, wanted.contract or record.contract_given, wanted.only, steps_done())


def _check_new(folder: Path) -> None:
    from simbench.bench.runner.session import RUNS

    if (folder / RUNS).exists():
        expected = "a new folder, --from to judge it again, or --last-failed"
        raise BadInput(f"-o {folder}", "already contains a session", expected)
    claim(folder)


def _anew(wanted: SessionOptions, options: Options, folder: Path) -> Judgements:
    from simbench.bench.runner.options import plan_of
    from simbench.bench.runner.output import set_aside
    from simbench.bench.runner.session import Judgements

    if not wanted.sut:
        raise BadInput("--sut", "is missing", "a client, or --from a stored session")
    plan = plan_of(wanted, folder)
    if options.last_failed:
        plan = _last_failed(plan, strict=options.strict)
        set_aside(folder)
    _check_new(folder)
    return Judgements(plan)


def _last_failed(plan: Plan, *, strict: bool) -> Plan:
    """Return the purposes of a plan that did not pass last time, by exercise. Raises BadInput if all passed."""
    from simbench.bench.runner.baseline import STRICT
    from simbench.bench.runner.output import read_output

    words = STRICT if strict else ("fail", "error", "inconclusive")
    failed = {
        (name, one.purpose)
        for one in read_output(plan.folder).findings
        if one.outcome in words
        for name in ([one.exercise] if one.exercise else {shown.exercise for shown in one.evidence})
    }
    chosen: Chosen = {}
    for name, (exercise, purposes) in plan.chosen.items():
        if still := tuple(purpose for purpose in purposes if (name, purpose) in failed):
            chosen[name] = (exercise, still)
    if not chosen:
        raise BadInput("--last-failed", "nothing failed last time", "a session without --last-failed")
    return replace(plan, chosen=chosen)


def keep_up(plan: Plan, port: int = 0) -> None:
    """Serve the demo codes on this port (0: a free one) until SIGINT or SIGTERM, to inspect a client."""
    import asyncio

    from fake_smsc.scenario import demo_scenario
    from fake_smsc.server.live import LiveSmsc
    from simbench.ledger import Ledger, RunInfo

    async def serve() -> None:
        info = RunInfo(run="kept-up", contract=plan.contract.name, contract_digest=plan.contract.digest)
        place, number = plan.folder / "kept-up", 1
        while place.exists():
            number += 1
            place = plan.folder / f"kept-up-{number}"
        scenario = demo_scenario(plan.contract)
        scenario = replace(scenario, server=replace(scenario.server, port=port))
        ledger = Ledger.create(place, info)
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with LiveSmsc(scenario, plan.contract, ledger) as smsc:
            click.echo(f"the SMSC stays up on port {smsc.server.port}; Ctrl-C ends it", err=True)
            await stopping.wait()
        ledger.close()

    asyncio.run(serve())


def _print(standings: list[Standing], judgements: Judgements, judgement: Judgement, folder: Path) -> None:
    from simbench.bench.runner.baseline import STATES
    from simbench.bench.runner.output import remarks_of
    from simbench.cli.console import console, styled
    from simbench.cli.findings import STYLES, columns, figures
    from simbench.finding import counted

    findings = [one.finding for one in standings]
    out = console(180)
    table = columns("outcome", "clause", "purpose", "exercise", "measured", "limit", "what was seen")
    for one in standings:
        finding = one.finding
        table.add_row(
            styled(finding.outcome, STYLES[finding.outcome]), finding.clause, finding.purpose, finding.exercise,
            *figures(finding), f"{remarks_of(one, judgements)} {finding.lines}".strip(),
        )  # fmt: skip
    out.print(table)
    counts = counted(findings)
    noted = Counter(one.state for one in standings if one.state)
    if any(one.deviation for one in standings):
        counts += "; " + ", ".join(f"{number} {STATES[state]}" for state, number in noted.items())
    for line in _untested(judgement):
        out.print(line)
    out.print(f"\n{counts}.  Report: {folder / 'report.html'}")


def _untested(judgement: Judgement) -> Iterator[str]:
    """Yield the clauses without a finding, by reason."""
    by_reason: dict[str, list[str]] = {}
    for one in judgement.untested:
        by_reason.setdefault(one.reason, []).append(one.clause)
    if by_reason:
        yield f"\n{len(judgement.untested)} of {count(len(judgement.contract.clauses), 'clause')} not tested:"
    for reason, clauses in by_reason.items():
        yield f"    {', '.join(clauses)}: {reason}"
