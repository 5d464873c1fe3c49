"""Traffic out of a table, as rows of a ledger: what was handed over and answered when. Judges nothing."""

from __future__ import annotations

import re
from datetime import tzinfo
from pathlib import Path
from typing import Any

import msgspec

from simbench.contract import Contract
from simbench.contract.typed import shown
from simbench.errors import BadInput
from simbench.imports.tables import Aside, Columns, Row, read_rows, refused
from simbench.imports.times import NoZone, instant_of

NEEDED = ("code", "submitted_at", "answered_at", "result")
OPTIONAL = ("recipient", "segments")
COLUMNS = (*NEEDED, *OPTIONAL)
RESULTS = ("accepted", "refused")
MOST_SEGMENTS = 255
_NUMBER = re.compile(r"(\+|00)?[0-9]{4,15}")

LedgerRow = tuple[object, ...]


class Traffic(msgspec.Struct, frozen=True):
    """Rows for the table `centre`, in order of time: "held" when handed over, then "accepted" or "refused"."""

    centre: tuple[LedgerRow, ...] = ()
    aside: tuple[Aside, ...] = ()
    rows: int = 0


def read_traffic(path: Path, contract: Contract, mapping: Columns, zone: tzinfo | None = None) -> Traffic:
    """Read a CSV or Parquet file of messages; rows set aside and BadInput as `read_outages`."""
    found: list[LedgerRow] = []
    aside: list[Aside] = []
    rows = 0
    for row in read_rows(path, mapping, NEEDED):
        rows += 1
        try:
            if isinstance(row, Aside):
                aside.append(row)
            else:
                found += _message(row, contract, mapping, zone)
        except NoZone as problem:
            raise BadInput(f"{path}: line {row.line}", problem.problem, problem.expected) from None
        except BadInput as problem:
            aside.append(Aside(row.line, str(problem)))
    if aside and not found:
        raise refused(aside, path)
    found.sort(key=lambda row: int(str(row[0])))
    return Traffic(tuple(found), tuple(aside), rows)


def _message(row: Row, contract: Contract, mapping: Columns, zone: tzinfo | None) -> list[LedgerRow]:
    cells = row.cells
    for name in NEEDED:
        if name not in cells:
            raise BadInput(name, "is empty", "a value")
    code, recipient = str(cells["code"]), str(cells.get("recipient", ""))
    if not re.fullmatch(contract.terms.numbering.code_pattern.value, code):
        raise BadInput("code", f"{shown(code)} is no short code", contract.terms.numbering.code_pattern.value)
    if recipient and not _NUMBER.fullmatch(recipient):
        raise BadInput("recipient", f"{shown(recipient)} is no number", "digits, perhaps after + or 00")
    result = str(cells["result"]).lower()
    if result not in RESULTS:
        raise BadInput("result", f"is {shown(result)}", "accepted or refused")
    submitted = instant_of(cells["submitted_at"], zone, "submitted_at", mapping.time)
    answered = instant_of(cells["answered_at"], zone, "answered_at", mapping.time)
    if answered < submitted:
        raise BadInput("answered_at", "is before submitted_at", "a later time")
    segments = _segments(cells.get("segments", 1))
    rows: list[LedgerRow] = [(answered, result, 0, code, recipient, row.line, 0, 0, None, segments)]
    if answered > submitted and result == "accepted":
        rows.insert(0, (submitted, "held", 0, code, recipient, 0, 0, 0, None, segments))
    return rows


def _segments(cell: Any) -> int:
    word = str(cell)
    if not (word.isascii() and word.isdigit() and len(word) <= 3 and 1 <= int(word) <= MOST_SEGMENTS):
        raise BadInput("segments", f"is {shown(word)}", f"a number from 1 to {MOST_SEGMENTS}")
    return int(word)
