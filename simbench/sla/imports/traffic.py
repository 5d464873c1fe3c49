"""Traffic from a table as rows of a ledger: the times at which each message was submitted and answered.

`code` is the short code of the message. `submitted_at` is the time of its submission, `answered_at` that of the result.
`result` is "accepted" or "refused". `recipient` is the telephone number of the recipient. `segments` is the number of
segments of the message (default: 1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo
from itertools import product
from pathlib import Path
from typing import Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import shown
from simbench.contract import Contract
from simbench.numbering.plan import plan_of
from simbench.tables.cells import digits_of, text_of, whole_of
from simbench.tables.columns import Columns, folded
from simbench.tables.frames import Frame
from simbench.tables.instants import moment_of
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Row, collect, filled

NEEDED = ("code", "submitted_at", "answered_at", "result")
KINDS: Final[Mapping[str, Kind]] = {
    "code": "text", "submitted_at": "instant", "answered_at": "instant", "result": "text", "recipient": "text",
    "segments": "number",
}  # fmt: skip
COLUMNS = tuple(KINDS)
RESULTS = ("accepted", "refused")
MOST_SEGMENTS = 255

LedgerRow = tuple[object, ...]


class Traffic(msgspec.Struct, frozen=True):
    """Rows for the table `centre` by time: "held" at submission, then "accepted" or "refused"."""

    centre: tuple[LedgerRow, ...] = ()
    notes: tuple[RejectedRow, ...] = ()
    rows: int = 0


def read_traffic(path: Path | Frame, contract: Contract, mapping: Columns, zone: tzinfo | None = None) -> Traffic:
    """Read a table of messages; rejected rows and BadInput as in `read_outages`."""
    last = 0

    def message(row: Row) -> list[LedgerRow]:
        nonlocal last
        filled(row, *NEEDED)
        spans = _spans(row, mapping, zone)
        last, answered = next((span for span in spans if span[0] >= last), spans[0])
        return _message(row, contract, last, answered)

    read = collect(read_table(path, KINDS, mapping, NEEDED), message)
    found = [row for _, rows in read.items for row in rows]
    found.sort(key=lambda row: int(str(row[0])))
    return Traffic(tuple(found), read.notes, read.rows)


def is_traffic(source: Path | Frame, mapping: Columns) -> bool:
    """Tell whether a table has the columns of messages rather than those of outages."""
    if isinstance(source, Path):
        try:
            table = read_table(source, KINDS, mapping, ("code", "submitted_at"))
        except BadInput:
            return False
        for opened in (table.rows, table.source):
            getattr(opened, "close", lambda: None)()
        return True
    names = {folded(name) for name in source.columns}
    return all(folded(mapping.columns.get(name, name)) in names for name in ("code", "submitted_at"))


def _spans(row: Row, mapping: Columns, zone: tzinfo | None) -> list[tuple[int, int]]:
    """Return possible instants of submission and answer, the shortest span first: results come within seconds."""
    submitted, answered = (
        moment_of(row.cells[name], zone, name, mapping.time).readings for name in ("submitted_at", "answered_at")
    )
    spans = [(start, end) for start, end in product(submitted, answered) if end >= start]
    if not spans:
        raise BadInput("answered_at", "is before submitted_at", "a later time")
    shortest = min(end - start for start, end in spans)
    return [span for span in spans if span[1] - span[0] == shortest]


def _message(row: Row, contract: Contract, submitted: int, answered: int) -> list[LedgerRow]:
    cells = row.cells
    code, recipient = (
        digits_of(cells["code"]),
        plan_of(contract).read(cells["recipient"]) if "recipient" in cells else "",
    )
    if not re.fullmatch(contract.terms.numbering.code_pattern, code):
        raise BadInput("code", f"{shown(code)} is not a short code", contract.terms.numbering.code_pattern)
    if recipient is None:
        raise BadInput("recipient", f"{shown(str(cells['recipient']))} is not a number", "a telephone number")
    result = text_of(cells["result"]).lower()
    if result not in RESULTS:
        raise BadInput("result", f"is {shown(result)}", "accepted or refused")
    segments = whole_of(cells.get("segments", 1), "segments", 1, MOST_SEGMENTS)
    rows: list[LedgerRow] = [(answered, result, 0, code, recipient, row.line, 0, 0, None, segments, 0, 0)]
    if answered > submitted and result == "accepted":
        rows.insert(0, (submitted, "held", 0, code, recipient, 0, 0, 0, None, segments, 0, 0))
    return rows
