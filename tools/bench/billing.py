"""Speed of a year's invoices from a ledger by minute with 300 million delivered messages."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from simbench.base.units import MINUTE_US
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo
from simbench.ledger.rows import MINUTE, ORDINAL
from tools.bench.tables import fill

CODES, A_MINUTE = 10, 58
START, END = load_contract().calendar.instant(2025, 1, 1), load_contract().calendar.instant(2026, 1, 1)


def billing() -> list[tuple[str, bool]]:
    """`simbench bill` on a folder with messages of ten codes in every minute of a year; the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        run, acts = Path(folder) / "run", Path(folder) / "acts.toml"
        rows = year_of_minutes(run)
        acts.write_text("".join(f'[[codes]]\ncode = "3601{n}"\nopened = 2024-03-01\n' for n in range(CODES)))
        command = [sys.executable, "-c", "from simbench.cli.main import main; main()", "bill", str(run)]
        taken = []
        for _ in range(3):
            started = time.perf_counter()
            done = subprocess.run([*command, "--acts", str(acts), "--json"], capture_output=True, text=True, check=True)
            taken.append(time.perf_counter() - started)
    lines = [line for bill in json.loads(done.stdout)["invoices"] for line in bill["invoice"]["lines"]]
    billed = sum(line["quantity"] for line in lines if line["clause"] == "OPS-TAR-05")
    euros = sum(Decimal(line["amount"]) for line in lines)
    print(
        f"invoices of {billed:,} messages, {rows:,} rows by minute: {min(taken):.2f} s with the start of the command "
        f"(three runs: {', '.join(f'{one:.2f}' for one in taken)}), {euros:,.2f} EUR"
    )
    return [("300 million messages billed under 2 s", min(taken) < 2), ("every one billed", billed == rows * A_MINUTE)]


def year_of_minutes(folder: Path) -> int:
    """Write a run folder with this many delivered messages a code in each minute of 2025; return the number of rows."""
    with Ledger.create(folder, RunInfo("year"), daily=False):
        pass
    minutes = (END - START) // MINUTE_US
    given = dict.fromkeys((column.name for column in (*MINUTE.columns, ORDINAL)), "0")
    given |= {"at": f"{START} + m * {MINUTE_US}", "code": "'3601' || c", "n": "m"}
    given |= dict.fromkeys(("offered", "submitted", "accepted", "delivered"), str(A_MINUTE))
    chosen = ", ".join(f'{value} as "{name}"' for name, value in given.items())
    return fill(
        folder,
        "minute",
        f"select {chosen} from (select unnest(range({CODES})) as c), (select unnest(range({minutes})) as m)",  # noqa: S608 - our own numbers
    )


if __name__ == "__main__":
    print(billing())
