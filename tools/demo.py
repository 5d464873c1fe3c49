"""`make demo`: run three exercises with a real client, judge it, write the report, and print the paths.

Uses Kannel if it is installed, otherwise the reference client. Each demonstration gets its own folder in `reports/`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from textwrap import shorten

from simbench.base.errors import SimbenchError
from simbench.bench.report import read_findings
from simbench.finding import Finding, counted
from simbench.reporting.format import SYMBOLS, rank

EXERCISES = ("backlog-monitored", "total-outage", "originators")
# Among equal outcomes: the promise of a throughput, recovery from an outage, then what may be sent at all.
FIRST = ("OPS-ACH-04", "OPS-ENG-01", "OPS-ACH-02")
SHOWN = 3
JUDGED = {0, 1, 3}  # exit statuses of `simbench conform` that leave findings


def main() -> int:
    """Run the demonstration; return 0 if there is a report, with any verdict."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--sut", default="", help="System under test (default: kannel where installed).")
    sut = parser.parse_args().sut or ("kannel" if shutil.which("bearerbox") else "reference")
    folder = new_folder(Path("reports"))
    print(f"system under test: {sut}; about two minutes on an idle machine", flush=True)
    command = [sys.executable, "-m", "simbench", "conform", "--sut", sut, "-o", str(folder)]
    command += [word for name in EXERCISES for word in ("--only", name)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in JUDGED:
        return done.returncode
    try:
        findings = read_findings(folder / "findings.json").findings
    except SimbenchError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 3
    print("\n".join(closing(sut, folder, findings)))
    return 0


def new_folder(home: Path) -> Path:
    """The first of demo, demo-2, demo-3 … that does not exist, so that earlier demonstrations stay."""
    names = (home / (f"demo-{number}" if number > 1 else "demo") for number in count(1))
    return next(folder for folder in names if not folder.exists())


def closing(sut: str, folder: Path, findings: Iterable[Finding]) -> list[str]:
    """The closing lines: the most important findings, and where to look."""
    findings = list(findings)
    chosen = most_important(findings)
    clause = chosen[0].clause if chosen else FIRST[0]
    return [
        "",
        f"{sut}: {counted(findings)}. The most important findings:",
        *(f"  {SYMBOLS[one.outcome]} {one.outcome:<13}{one.purpose}: {short(one.summary)}" for one in chosen),
        "",
        "Look at:",
        f"  {folder / 'report.html'}     verdict, clauses, figures (open it in a browser)",
        f"  {folder / 'evidence'}        the frames that prove each finding, as captures",
        f"  .venv/bin/simbench explain {clause}    what a clause requires and how it is tested",
        "  docs/tutorial/first-session.md    the next step: your own client",
    ]


def short(text: str) -> str:
    """A summary shortened to one or two lines of a terminal; the report has the full text."""
    return shorten(text, 150, placeholder=" …")


def most_important(findings: Iterable[Finding]) -> list[Finding]:
    """The worst outcomes first; among equals the clauses of FIRST, then one finding a clause before a second."""
    chosen: list[Finding] = []
    left = sorted(findings, key=lambda one: (rank(one)[0], place(one.clause), one.purpose))
    while left and len(chosen) < SHOWN:
        outcome = left[0].outcome
        seen = {one.clause for one in chosen if one.outcome == outcome}
        equals = [one for one in left if one.outcome == outcome]
        chosen.append(next((one for one in equals if one.clause not in seen), equals[0]))
        left.remove(chosen[-1])
    return chosen


def place(clause: str) -> int:
    """The position of a clause in FIRST."""
    return FIRST.index(clause) if clause in FIRST else len(FIRST)


if __name__ == "__main__":
    sys.exit(main())
