"""`simbench conform`: a client through the exercises, judged, with findings.json, junit.xml and report.html."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import click
import pytest
from rich.console import Console
from rich.table import Table

import simbench.conformance.suite
from simbench import __version__
from simbench.client.faults import FAULTS
from simbench.conformance.exercise import Exercise
from simbench.conformance.plugin import ConformancePlugin
from simbench.conformance.registry import make_sut
from simbench.conformance.selection import select
from simbench.conformance.session import RUNS, Judgements, Plan
from simbench.contract import load_contract
from simbench.contract.typed import choice
from simbench.errors import BadInput, Trouble
from simbench.finding import Finding, exit_status, tally
from simbench.report import ExerciseRun, Judgement, write_findings, write_report
from simbench.verdict.reading import Reading

STYLES = {
    "pass": "green", "fail": "bold red", "weak": "yellow", "inconclusive": "magenta", "error": "bold red",
    "unsupported": "dim",
}  # fmt: skip


def conform_command(  # noqa: PLR0913 - one argument an option
    sut: str,
    output: Path,
    only: tuple[str, ...],
    contract_name: str | None,
    seed: int,
    fault: tuple[str, ...],
    judge_from: Path | None,
    *,
    as_json: bool,
) -> int:
    """Run the session and write its output; the exit status of DESIGN section 6."""
    folder = judge_from or output
    contract = load_contract(contract_name or "orange_ops_2016")
    for name in fault if sut == "reference" else ():
        if name not in FAULTS:
            raise BadInput(f"--fault {name}", "the reference client has no such fault", choice(name, FAULTS))
    make = lambda: make_sut(sut, faults=fault)  # noqa: E731 - a factory bound to the options
    plan = Plan(select(only), contract, make, folder, seed)
    if judge_from is None and (folder / RUNS).exists():
        expected = "a new folder, or --from to judge it again"
        raise BadInput(f"-o {folder}", "holds the runs of an earlier session", expected)
    judgements = Judgements(plan)
    folder.mkdir(parents=True, exist_ok=True)
    started = time.time()
    ticker = _Ticker(plan)
    if judge_from is None:
        judgements.start(ticker.progress)
    else:
        judgements.reuse()
    _run_pytest(judgements, folder)
    ticker.stop()
    judgement = _judgement(judgements, sut, started)
    write_findings(folder / "findings.json", judgement)
    write_report(folder / "report.html", judgement)
    if as_json:
        click.echo((folder / "findings.json").read_text(encoding="utf-8"))
    else:
        _print(judgements.findings, folder)
    return exit_status(judgements.findings)


def _run_pytest(judgements: Judgements, folder: Path) -> None:
    """pytest is the runner: one item a purpose, JUnit out of its properties."""
    suite = Path(simbench.conformance.suite.__file__).parent
    arguments = [
        str(suite), "--rootdir", str(suite), "-c", os.devnull,
        "-p", "no:cacheprovider", "-p", "no:terminal", "--capture=no",
        f"--junitxml={folder / 'junit.xml'}", "-o", "junit_family=xunit1", "-o", "junit_suite_name=simbench conform",
    ]  # fmt: skip
    status = pytest.main(arguments, plugins=[ConformancePlugin(judgements)])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise Trouble(f"the session ended early ({pytest.ExitCode(status).name.lower().replace('_', ' ')})")
    for conducted in judgements.conducted.values():
        conducted.result()


def _judgement(judgements: Judgements, sut: str, started: float) -> Judgement:
    plan = judgements.plan
    client = plan.make()
    info: dict[str, str | int | float] = {
        "system": sut,
        "system_version": client.version,
        "contract": plan.contract.name,
        "contract_digest": plan.contract.digest,
        "seed": plan.seed,
        "bench_version": __version__,
        "started_at": int(started * 1_000_000),
        "duration_s": round(time.time() - started, 1),
    }
    exercises = []
    for name, (exercise, _) in plan.chosen.items():
        reading = Reading(judgements.conducted[name].result().run)
        if not reading.run.wire.num_rows:  # left out, or nobody came: there is nothing to draw
            continue
        exercises.append(ExerciseRun(name, exercise.title, reading, reading.span[0]))
    return Judgement(info, judgements.findings, plan.contract, exercises)


def _print(findings: list[Finding], folder: Path) -> None:
    console = Console(width=None if sys.stdout.isatty() else 180)
    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "purpose", "measured", "limit", "what was seen"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"outcome", "purpose"})
    for finding in findings:
        style = STYLES[finding.outcome]
        table.add_row(
            f"[{style}]{finding.outcome}[/]", finding.purpose, _figure(finding.measured, finding.unit),
            _figure(finding.limit, ""), finding.summary,
        )  # fmt: skip
    console.print(table)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in tally(findings).items() if count)
    console.print(f"\n{counts}.  Report: {folder / 'report.html'}", highlight=False)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4g} {unit}".strip()


class _Ticker:
    """Progress on standard error: one line a change, and where there is a terminal, seconds as they go by."""

    def __init__(self, plan: Plan) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, tuple[float, float]] = {}
        self._total = len(plan.chosen)
        self._done = 0
        self._live = sys.stderr.isatty()
        self._stopped = threading.Event()
        if self._live:
            threading.Thread(target=self._tick, daemon=True).start()

    def progress(self, exercise: Exercise, phase: str, trouble: str) -> None:
        """An exercise started or finished."""
        with self._lock:
            if phase == "started":
                self._running[exercise.name] = (time.monotonic(), exercise.seconds)
                line = f"{exercise.name}: {exercise.title} (about {exercise.seconds:.0f} s)"
            else:
                began, _ = self._running.pop(exercise.name)
                self._done += 1
                took = time.monotonic() - began
                line = f"[{self._done}/{self._total}] {exercise.name} finished in {took:.0f} s"
                line += f": {trouble}" if trouble else ""
        click.echo(("\r\033[K" if self._live else "") + line, err=True)

    def stop(self) -> None:
        """No more progress."""
        self._stopped.set()

    def _tick(self) -> None:
        while not self._stopped.wait(0.5):
            with self._lock:
                running = [
                    f"{name} {time.monotonic() - began:.0f}/{expected:.0f} s"
                    for name, (began, expected) in self._running.items()
                ]
            if running:
                click.echo("\r\033[K" + " | ".join(running)[:150], err=True, nl=False)
