"""Time of the report of a year from totals by minute: 300 million messages of ten codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simbench.base.units import DAY_US, HOUR_US, MINUTE_US
from simbench.ledger import Ledger, RunInfo, open_run, scan
from simbench.ledger.incidents import Period
from simbench.ledger.rows import COUNTED, TIMES
from simbench.sla.imports.record import history_rows
from tests.sla.report.years import END, START, outages
from tools.bench.tables import fill

CODES, RATE, OPENS_H, CLOSES_H = 10, 50, 8, 22
MOST_S = 10.0


def report() -> list[tuple[str, bool]]:
    """`simbench report` on the folder of such a year, in a separate process, without and with a PDF."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        messages = year_by_minute(run)
        taken = {form: _reported(run, Path(place) / "out", form) for form in ((), ("--pdf",))}
        size = sum(path.stat().st_size for path in (Path(place) / "out").glob("report.html")) / 1e6
    print(
        f"report of a year, {messages / 1e6:.0f} million messages of {CODES} codes by the minute: "
        f"{taken[()][0]:.1f} s of the processor ({taken[()][1]:.1f} s on the wall), with a PDF "
        f"{taken[('--pdf',)][0]:.1f} s ({taken[('--pdf',)][1]:.1f} s); page of {size:.1f} MB"
    )
    return [("report of a year under 10 s", taken[()][0] < MOST_S)]


def _reported(run: Path, out: Path, form: tuple[str, ...]) -> tuple[float, float]:
    """Processor seconds, because other programs may be running, and elapsed seconds."""
    simbench = Path(sys.executable).parent / "simbench"
    started, before = time.perf_counter(), os.times()
    subprocess.run([simbench, "report", run, "-o", out, *form], check=False, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, time.perf_counter() - started


def year_by_minute(folder: Path) -> int:
    """Write a run folder of totals by minute, every code near its tier in the legal hours; return the message count."""
    with Ledger.create(folder, RunInfo("year", scenario="a full year"), daily=False) as ledger:
        for row in history_rows(outages(14), Period(START, END, START)):
            ledger.events.append(row)
        for code in range(CODES):
            ledger.events.append((START, "tier", f"3601{code}", None, json.dumps({"rate_per_s": RATE})))
    accepted = "80 + i % 37"
    values = dict.fromkeys((*COUNTED, *TIMES, "backlog"), "0")
    values |= dict.fromkeys(("offered", "submitted", "accepted", "delivered", "within_10s"), accepted)
    fill(
        folder,
        "minute",
        f"""select {START} + i * {MINUTE_US} as "at", '3601' || c as code, row_number() over () - 1 as n,
            {", ".join(f"{value} as {name}" for name, value in values.items())}
        from (select unnest(range({(END - START) // MINUTE_US})) as i), (select unnest(range({CODES})) as c)
        where (i * {MINUTE_US}) % {DAY_US} between {OPENS_H * HOUR_US} and {CLOSES_H * HOUR_US - 1}""",  # noqa: S608 - our own names and numbers
    )
    counted = scan.sums_of(open_run(folder), "minute", scan.field("code"), scan.field("accepted"))
    return int(counted["accepted"].sum())


if __name__ == "__main__":
    report()
