"""`make sample`: write one report of each kind to reports/sample, in virtual time, so that they are always the same.

A correct client and one with two planted faults, a plan, roaming, dial-up, and a year with its service level. The
repository keeps their JSON, and two pictures for the README, drawn where Chromium is installed.
"""

from __future__ import annotations

from pathlib import Path

from simbench.base.outputs import claim
from simbench.base.version import __version__
from simbench.bench.report import ExerciseRun, Judgement, write_findings, write_report
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.selection import select
from simbench.bench.runner.session_findings import concluded
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import load_contract
from simbench.rules.rule import standing
from simbench.trace.trace import Trace
from tools.sample.dialup import write_dialup_sample
from tools.sample.pictures import write_pictures
from tools.sample.planning import write_plan_sample
from tools.sample.roaming import write_roaming_sample
from tools.sample.year import write_year_sample

FOLDER = Path(__file__).parents[2] / "reports" / "sample"
SHOWN = (
    "session", "one-by-one", "backlog-monitored", "long-messages", "originators", "mixed-recipients", "late-results",
    "total-outage", "evening-edge", "opt-outs",
)  # fmt: skip
"""A selection; a report of all exercises has five megabytes."""
SAMPLES: dict[str, tuple[str, ...]] = {"correct": (), "faulty": ("fast-1-percent", "sends-any-oadc")}


def main() -> None:
    """Write every sample."""
    for folder in (FOLDER, *(FOLDER / name for name in (*SAMPLES, "plan", "roaming", "year", "dialup"))):
        claim(folder)
    for name, faults in SAMPLES.items():
        folder = FOLDER / name
        judgement = judged(faults)
        write_findings(folder / "findings.json", judgement)
        write_report(folder / "report.html", judgement)
        print(folder / "report.html")
    print(write_plan_sample(FOLDER / "plan"))
    print(write_roaming_sample(FOLDER / "roaming"))
    print(write_year_sample(FOLDER / "year"))
    write_dialup_sample(FOLDER / "dialup")
    for picture in write_pictures(FOLDER):
        print(picture)


def judged(faults: tuple[str, ...]) -> Judgement:
    """The exercises shown with the reference client, with these faults."""
    contract = load_contract()
    findings, runs = [], []
    for name, (exercise, purposes) in select(SHOWN).items():
        conducted = conduct_in_memory(exercise, contract, faults)
        findings += judge_exercise(conducted, purposes, contract, EVERYTHING)
        trace = Trace(conducted.run)
        runs.append(ExerciseRun(name, exercise.title, trace, trace.span[0]))
    info: dict[str, str | int | float] = {
        "system": "reference" + (f" with the faults {', '.join(faults)}" if faults else ""),
        "system_version": __version__,
        "contract": contract.name,
        "contract_digest": contract.digest,
        "seed": 1,
        "bench_version": __version__,
        "started_at": contract.calendar.instant(2026, 3, 2, 10, 0, 0),
        "time": "virtual",
    }
    everywhere = {name: [one for one in findings if one.purpose == name] for name in standing(contract)}
    own = [one for one in findings if one.purpose not in everywhere]
    return Judgement(info, [*own, *(concluded(found) for found in everywhere.values() if found)], contract, runs)


if __name__ == "__main__":
    main()
