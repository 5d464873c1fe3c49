"""The output folder of a session: findings.json, report.html, session.json and a folder for each purpose.

findings.json is authoritative; the other files are derived from it or from the ledgers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simbench.base.errors import BadInput
from simbench.base.version import __version__
from simbench.bench.report import ExerciseRun, Judgement, Result, read_findings, write_findings, write_report
from simbench.bench.report.evidence_folders import EVIDENCE, write_folders
from simbench.bench.runner.baseline import Standing, remark
from simbench.bench.runner.selection import exercised
from simbench.bench.runner.session import ATTEMPTS, RUNS, Judgements
from simbench.bench.runner.session_record import NAME as RECORD
from simbench.bench.runner.session_record import write_record
from simbench.rules.coverage import untested
from simbench.rules.rule import load
from simbench.trace.trace import Trace

FINDINGS, REPORT, JUNIT = "findings.json", "report.html", "junit.xml"


def write_output(judgements: Judgements, folder: Path, standings: Sequence[Standing] = ()) -> Judgement:
    """Write all files into the folder. Raises BadInput if that is impossible."""
    judgement = judgement_of(judgements, standings)
    if not judgements.reused:  # the record of the runs stays complete, even when part of it is judged again
        write_record(folder, judgements.record())
    write_findings(folder / FINDINGS, judgement)
    write_folders(folder / EVIDENCE, judgement, judgements.plan.folder / RUNS, judgements.several)
    write_report(folder / REPORT, judgement)
    return judgement


def read_output(folder: Path) -> Result:
    """Return the findings of an earlier session. Raises BadInput if there are none."""
    return read_findings(folder / FINDINGS)


def set_aside(folder: Path) -> Path:
    """Move an earlier session's files to a sub-folder of their own, and return it."""
    number = 1
    while (aside := folder / f"earlier-{number}").exists():
        number += 1
    try:
        aside.mkdir()
        for name in (RUNS, ATTEMPTS, EVIDENCE, FINDINGS, REPORT, JUNIT, RECORD):
            if (folder / name).exists():
                (folder / name).rename(aside / name)
    except OSError as problem:
        raise BadInput(str(folder), problem.strerror or str(problem), "a folder that can be written") from None
    return aside


def judgement_of(judgements: Judgements, standings: Sequence[Standing] = ()) -> Judgement:
    """Return the session as the input of a report."""
    record = judgements.record()
    info: dict[str, str | int | float] = {
        "system": record.system, "system_version": record.system_version, "contract": record.contract,
        "contract_digest": record.contract_digest, "seed": record.seed, "bench_version": __version__,
        "started_at": record.started_at, "duration_s": record.duration_s,
    }  # fmt: skip
    if record.attempts:
        info["attempts"] = ", ".join(f"{name}: {len(earlier) + 1}" for name, earlier in record.attempts.items())
    exercises = []
    for name, (exercise, _) in judgements.plan.chosen.items():
        trace = Trace(judgements.conducted[name].result().run)
        if not trace.run.wire.num_rows:  # left out, or without a connection: no picture
            continue
        exercises.append(ExerciseRun(name, exercise.title, trace, trace.span[0]))
    remarks = {(one.finding.purpose, one.finding.exercise): remarks_of(one, judgements) for one in standings}
    return Judgement(
        info,
        judgements.findings,
        judgements.plan.contract,
        exercises,
        {purpose: rule.sentence for purpose, rule in load().items()},
        {key: text for key, text in remarks.items() if text},
        untested(judgements.plan.contract, judgements.findings, exercised()),
    )


def remarks_of(standing: Standing, judgements: Judgements) -> str:
    """Return the remarks on a finding: its baseline entry, and the number of attempts."""
    return " ".join(filter(None, (remark(standing), judgements.attempt(standing.finding.exercise))))
