"""Outages out of a table: start, end, scope, planned, announced_at, and what else a mapping finds. Judges nothing."""

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
from simbench.incident import PLATFORM, TOTAL, Incident

NEEDED = ("start", "end", "scope", "planned")
OPTIONAL = ("announced_at", "ticket", "share", "subject", "noticed_at", "attributed_to", "cause")
COLUMNS = (*NEEDED, *OPTIONAL)
YES, NO = ("true", "yes", "1", "oui"), ("false", "no", "0", "non")
PART = "part"  # the subject of a partial outage that names none


class Outages(msgspec.Struct, frozen=True):
    """What a table held: incidents by start, and the rows set aside or remarked on."""

    incidents: tuple[Incident, ...]
    aside: tuple[Aside, ...] = ()
    rows: int = 0


def read_outages(path: Path, contract: Contract, mapping: Columns, zone: tzinfo | None = None) -> Outages:
    """Read a CSV or Parquet file of outages. An empty `end` is an outage that still lasts.

    A malformed row and an exact repetition are set aside; one that overlaps another of its subject is kept and
    remarked on, for time is counted once. Raises BadInput: no such column, a time without zone, no row of use.
    """
    found: dict[Incident, int] = {}
    aside: list[Aside] = []
    rows = 0
    for row in read_rows(path, mapping, NEEDED):
        rows += 1
        try:
            incident = row if isinstance(row, Aside) else _incident(row, contract, mapping, zone)
        except NoZone as problem:
            raise BadInput(f"{path}: line {row.line}", problem.problem, problem.expected) from None
        except BadInput as problem:
            incident = Aside(row.line, str(problem))
        if isinstance(incident, Aside):
            aside.append(incident)
        elif incident in found:
            aside.append(Aside(row.line, f"repeats line {found[incident]}"))
        else:
            found[incident] = row.line
    if aside and not found:
        raise refused(aside, path)
    incidents = tuple(sorted(found, key=lambda one: (one.start, one.ticket)))
    remarks = _overlaps(incidents, found)
    return Outages(_named(incidents), tuple(sorted([*aside, *remarks], key=lambda one: one.line)), rows)


def _incident(row: Row, contract: Contract, mapping: Columns, zone: tzinfo | None) -> Incident:
    cells = row.cells

    def instant(name: str) -> int | None:
        return instant_of(cells[name], zone, name, mapping.time) if name in cells else None

    start, end = instant("start"), instant("end")
    if start is None:
        raise BadInput("start", "is empty", "when the outage began")
    if end is not None and end <= start:
        raise BadInput("end", "is before the start" if end < start else "is the start", "a later end")
    scope = str(cells.get("scope", "")).lower()
    if scope not in {"total", "partial"}:
        raise BadInput("scope", f"is {shown(scope)}", "total or partial")
    return Incident(
        ticket=str(cells.get("ticket", "")),
        start=start,
        end=end,
        scope="total" if scope == "total" else "partial",
        share=_share(cells.get("share", 1)),
        subject=_subject(str(cells.get("subject", "")), scope, contract),
        planned=_truth(cells.get("planned", "")),
        announced_at=instant("announced_at"),
        noticed_at=instant("noticed_at"),
        attributed_to=str(cells.get("attributed_to", "orange")).lower(),
        cause=str(cells.get("cause", "")),
    )


def _share(cell: Any) -> float:
    try:
        share = float(cell)
    except (TypeError, ValueError):
        share = 0.0
    if not 0 < share <= 1:
        raise BadInput("share", f"is {shown(str(cell))}", "a number above 0 and at most 1")
    return share


def _truth(cell: Any) -> bool:
    word = str(cell).lower()
    if word not in {*YES, *NO}:
        raise BadInput("planned", f"is {shown(str(cell))}", "true or false")
    return word in YES


def _subject(word: str, scope: str, contract: Contract) -> str:
    """A platform, a link or a short code; digits that are no short code are refused."""
    if word.isdigit() and not re.fullmatch(contract.terms.numbering.code_pattern.value, word):
        raise BadInput("subject", f"{shown(word)} is no short code", contract.terms.numbering.code_pattern.value)
    if word in {"", TOTAL}:
        return PLATFORM if scope == "total" else PART
    return word


def _named(incidents: tuple[Incident, ...]) -> tuple[Incident, ...]:
    """Give a ticket to those that have none, and to those whose ticket another has."""
    taken: set[str] = set()
    named = []
    for number, one in enumerate(incidents, 1):
        ticket = one.ticket or f"O{number:04}"
        while ticket in taken:
            ticket += "'"
        taken.add(ticket)
        named.append(msgspec.structs.replace(one, ticket=ticket))
    return tuple(named)


def _overlaps(incidents: tuple[Incident, ...], lines: dict[Incident, int]) -> list[Aside]:
    remarks = []
    latest: dict[str, Incident] = {}
    for one in incidents:
        before = latest.get(one.subject)
        if before is not None and (before.end is None or one.start < before.end):
            told = f"overlaps line {lines[before]}; the time is counted once"
            remarks.append(Aside(lines[one], told, kept=True))
        if before is None or (before.end is not None and (one.end is None or one.end > before.end)):
            latest[one.subject] = one
    return remarks
