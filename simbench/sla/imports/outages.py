"""Outages from a table, one row per outage; a mapping gives other headings.

`start` is the start of the outage, `end` its end; an empty `end` means that the outage is still open. `scope` is
"total" or "partial". `planned` is true for planned work. `announced_at` is the time of its announcement, empty if it
was not announced; the column may be missing only if no row is planned. `announced_end` is the announced end of planned
work. `ticket` is the name of the outage; without it rows are numbered. `share` is the part of the platform that was
down in a partial outage, above 0 and at most 1, or a percentage. `subject` is the platform, link or short code that was
down. `noticed_at` is the time at which the outage was noticed (default: the start). `attributed_to` is the responsible
party (default: the operator): "operator", "client", or the key or name of a party of the contract; any other name
excludes the outage. `cause` is free text for reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from itertools import product
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.base.toml_files import label, shown
from simbench.contract import Contract
from simbench.ledger.incidents import PART, PLATFORM, TOTAL, Incident
from simbench.sla.classification import CLIENT, PLATFORM_OF_SEVERAL
from simbench.tables.cells import digits_of, number_of, text_of, truth_of
from simbench.tables.columns import Columns
from simbench.tables.frames import Frame
from simbench.tables.instants import Moment, moment_of
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Remark, Row, collect

NEEDED = ("start", "end", "scope", "planned")  # and announced_at, if anything is planned
KINDS: Final[Mapping[str, Kind]] = {
    "start": "instant", "end": "instant", "scope": "text", "planned": "truth", "announced_at": "instant",
    "announced_end": "instant",
    "ticket": "text", "share": "number", "subject": "text", "noticed_at": "instant", "attributed_to": "text",
    "cause": "note",
}  # fmt: skip
COLUMNS = tuple(KINDS)
OPERATOR = "operator"  # the responsible party, under any name of the contract's operator
_ROLES: Final = {OPERATOR: "operator", "opérateur": "operator", "operateur": "operator", "client": "client"}


class Readings(msgspec.Struct, frozen=True):
    """One row as an incident: the usual reading, and the shortest and longest one that a clock change allows."""

    usual: Incident
    least: Incident
    most: Incident
    skipped: tuple[str, ...] = ()  # columns with a time that a clock change skips


class Outages(msgspec.Struct, frozen=True):
    """The contents of a table: incidents by start, and notes on rejected and unusual rows.

    `least` and `most` are the same incidents, in the same order, in the platform's best and worst case if a time has
    two readings.
    """

    incidents: tuple[Incident, ...]
    notes: tuple[RejectedRow, ...] = ()
    rows: int = 0
    least: tuple[Incident, ...] = ()
    most: tuple[Incident, ...] = ()


def read_outages(path: Path | Frame, contract: Contract, mapping: Columns, zone: tzinfo | None = None) -> Outages:
    """Read a table of outages. An empty `end` is an open outage.

    A malformed row is rejected; an exact repetition, and a row that lasts no time, are skipped with a note. A row that
    overlaps another of its subject is used, with a note: the time is counted once. Raises BadInput for a missing
    column, a time without a zone, a table without usable rows, and planned work without a column of announcements.
    """
    table = read_table(path, KINDS, mapping, NEEDED)
    read = collect(table, lambda row: _incident(row, contract, mapping, zone))
    if not {"announced_at"} & {*table.columns, *mapping.defaults}:
        _check_nothing_planned(read.items, table.path)
    lines: dict[Incident, int] = {}
    found: list[Readings] = []
    remarks: list[RejectedRow] = []
    for line, one in read.items:
        if one.usual.end == one.usual.start:
            remarks.append(Remark(line, "ends when it starts; it counts as nothing"))
            continue
        if one.usual in lines:
            remarks.append(Remark(line, f"repeats line {lines[one.usual]}"))
            continue
        lines[one.usual] = line
        found.append(one)
        remarks += _of_clocks(one, line)
    found.sort(key=lambda one: (one.usual.start, one.usual.ticket))
    found, more = _open_rows(found, lines)
    remarks += [*more, *_of_strangers(found, contract, lines)]
    usual = tuple(one.usual for one in found)
    remarks += _overlaps(usual, lines)
    named = [_renamed(one, name) for one, name in zip(found, _tickets(usual), strict=True)]
    least, most, usual = (tuple(getattr(one, name) for one in named) for name in ("least", "most", "usual"))
    return Outages(usual, tuple(sorted([*read.notes, *remarks], key=lambda one: one.line)), read.rows, least, most)


def _check_nothing_planned(items: Iterable[tuple[int, Readings]], path: Path) -> None:
    """Reject planned work in a table without announcements: its class depends on whether it was announced in time."""
    line = next((line for line, one in items if one.usual.planned), None)
    if line is not None:
        raise BadInput(
            f"{label(path)}:{line}", "is planned, and there is no column announced_at",
            "announced_at, empty where nothing was announced, or [outages.defaults] of a map (announced_at = '')",
        )  # fmt: skip


def _incident(row: Row, contract: Contract, mapping: Columns, zone: tzinfo | None) -> Readings:
    cells = row.cells
    moments = {
        name: moment_of(cells[name], zone, name, mapping.time)
        for name in ("start", "end", "announced_at", "announced_end", "noticed_at") if name in cells
    }  # fmt: skip
    if "start" not in moments:
        raise BadInput("start", "is empty", "when the outage began")
    usual, shortest, longest = _spans(moments["start"], moments.get("end"))
    scope = text_of(cells.get("scope", "")).lower()
    if scope not in {"total", "partial"}:
        raise BadInput("scope", f"is {shown(scope)}", "total or partial")
    announced, noticed, until = (moments.get(name) for name in ("announced_at", "noticed_at", "announced_end"))
    if until is not None and until.first <= usual[0]:
        raise BadInput("announced_end", "is not after the start", "when the announced work was to end")
    one = Incident(
        ticket=text_of(cells.get("ticket", "")),
        start=usual[0],
        end=usual[1],
        scope="total" if scope == "total" else "partial",
        share=_share(row),
        subject=_subject(_named(cells.get("subject", "")), scope, contract),
        planned=truth_of(cells.get("planned", ""), "planned"),
        announced_at=announced.first if announced else None,
        noticed_at=noticed.first if noticed else None,
        attributed_to=_party(cells.get("attributed_to", OPERATOR), contract),
        cause=text_of(cells.get("cause", "")),
        announced_end=until.first if until else None,
    )
    skipped = tuple(name for name, moment in moments.items() if moment.skipped)
    if usual == shortest == longest and (announced is None or announced.first == announced.second):
        return Readings(one, one, one, skipped)
    early, late = (pick(announced.readings) if announced else None for pick in (min, max))
    return Readings(
        one,
        replace(one, start=shortest[0], end=shortest[1], announced_at=early),
        replace(one, start=longest[0], end=longest[1], announced_at=late),
        skipped,
    )


Span = tuple[int, int | None]


def _renamed(one: Readings, ticket: str) -> Readings:
    """Return the same outage with its ticket in all readings."""
    if one.usual.ticket == ticket:
        return one
    usual = replace(one.usual, ticket=ticket)
    if one.least is one.usual and one.most is one.usual:
        return Readings(usual, usual, usual, one.skipped)
    return Readings(usual, replace(one.least, ticket=ticket), replace(one.most, ticket=ticket), one.skipped)


def _spans(start: Moment, end: Moment | None) -> tuple[Span, Span, Span]:
    """Return the usual, the shortest and the longest span between two local times."""
    if end is None:
        first, last = min(start.readings), max(start.readings)
        return (start.first, None), (last, None), (first, None)
    if start.first == start.second and end.first == end.second and start.first < end.first:
        return (only := (start.first, end.first)), only, only
    spans = [(begins, ends) for begins, ends in product(start.readings, end.readings) if ends > begins]
    if not spans and end.first == start.first:
        return (only := (start.first, start.first)), only, only
    if not spans:
        raise BadInput("end", "is before the start", "a later end")
    return spans[0], min(spans, key=_length), max(spans, key=_length)


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _of_clocks(one: Readings, line: int) -> Iterable[Remark]:
    for name in one.skipped:
        yield Remark(line, f"{name}: the clocks skip this hour; read as the instant that fits")
    if one.least != one.most:
        yield Remark(line, "a time in the hour that the clocks repeat or skip has two readings that fit")


def _open_rows(found: list[Readings], lines: dict[Incident, int]) -> tuple[list[Readings], list[Remark]]:
    """Return the rows without the open ones that another row of the same ticket ends; with remarks.

    A total outage cannot still be open if another one of its subject begins later: its end is missing. At best it ended
    at once.
    """
    ends = {(one.usual.ticket, one.usual.start): lines[one.usual] for one in found if one.usual.end is not None}
    latest = {_down(one.usual): one.usual for one in found}  # in order of their starts
    kept, remarks = list[Readings](), list[Remark]()
    for one in found:
        usual, line = one.usual, lines[one.usual]
        closed, later = ends.get((usual.ticket, usual.start)), latest[_down(usual)]
        if usual.end is None and usual.ticket and closed is not None:
            remarks.append(Remark(line, f"line {closed} ends this outage"))
        elif usual.end is None and _down(usual) and later.start > usual.start:
            remarks.append(Remark(line, f"the end is missing, as line {lines[later]} is a later outage"))
            kept.append(replace(one, least=replace(one.least, end=one.least.start + 1)))
        else:
            kept.append(one)
    return kept, remarks


def _down(incident: Incident) -> tuple[str, str] | None:
    """Return what is down by whose fault in a total, unplanned outage; None for any other."""
    if incident.planned or incident.scope != "total":
        return None
    return incident.subject, incident.attributed_to


def _party(cell: Any, contract: Contract) -> str:
    """Return the party responsible for an outage; the operator and the client by role, key or name."""
    word = text_of(cell).casefold()
    roles = {name.casefold(): party.role for key, party in contract.parties.items() for name in (key, party.name)}
    role = _ROLES.get(word) or roles.get(word)
    return contract.operator if role == "operator" else CLIENT if role == "client" else text_of(cell).lower()


def _of_strangers(found: Iterable[Readings], contract: Contract, lines: dict[Incident, int]) -> Iterable[Remark]:
    """Remark once on each name that is no party's: its outages count against nobody."""
    seen = {contract.operator, CLIENT, *contract.parties}
    for one in found:
        name = one.usual.attributed_to
        if name not in seen:
            seen.add(name)
            yield Remark(lines[one.usual], f"{shown(name)} is no party of the contract: its outages do not count")


def _share(row: Row) -> float:
    cell = row.cells.get("share")
    if cell is None:
        return 1.0
    try:
        share = float(number_of(cell, "share", decimal_comma=row.decimal_comma))
    except BadInput:
        share = 0.0
    if not 0 < share <= 1:
        raise BadInput("share", f"is {shown(str(cell))}", "a number above 0 and at most 1, or 50 %")
    return share


def _named(cell: Any) -> str:
    digits = digits_of(cell)
    return digits if digits.isdigit() else text_of(cell)


def _subject(word: str, scope: str, contract: Contract) -> str:
    """Read the name of a platform or a link, or a short code; digits must be a valid short code."""
    if word.isdigit() and not re.fullmatch(contract.terms.numbering.code_pattern, word):
        raise BadInput("subject", f"{shown(word)} is not a short code", contract.terms.numbering.code_pattern)
    if word in {"", TOTAL}:
        return PLATFORM if scope == "total" else PART
    if scope == "total" and (word.isdigit() or word.startswith(PLATFORM_OF_SEVERAL)):
        expected = "scope partial with its share, or no subject where the whole platform was down"
        raise BadInput("subject", f"is {shown(word)}, a part of the platform, and scope is total", expected)
    return word


def _tickets(incidents: tuple[Incident, ...]) -> list[str]:
    """Give every outage a unique ticket."""
    taken: set[str] = set()
    names = []
    again: dict[str, int] = {}
    for number, one in enumerate(incidents, 1):
        ticket = named = one.ticket or f"O{number:04}"
        while ticket in taken:
            again[named] = again.get(named, 1) + 1
            ticket = f"{named} ({again[named]})"
        taken.add(ticket)
        names.append(ticket)
    return names


def _overlaps(incidents: tuple[Incident, ...], lines: dict[Incident, int]) -> list[Remark]:
    remarks = []
    latest: dict[str, Incident] = {}
    for one in incidents:
        before = latest.get(one.subject)
        if before is not None and (before.end is None or one.start < before.end):
            remarks.append(Remark(lines[one], f"overlaps line {lines[before]}; the time is counted once"))
        if before is None or (before.end is not None and (one.end is None or one.end > before.end)):
            latest[one.subject] = one
    return remarks
