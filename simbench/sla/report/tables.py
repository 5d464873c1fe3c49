"""Tables of the SLA report: months, busiest minutes, recovery, incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from simbench.base.units import HOUR_US
from simbench.sla.report.picture import Columns, iso
from simbench.sla.report.traffic import busiest_columns, busiest_rows
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View, columns_of
from simbench.sla.tickets import tickets


@dataclass(frozen=True)
class Table:
    """One table: headings and cells as text, how its figures are computed, and the figures.

    `texts`: places of the columns that hold words.
    """

    name: str
    title: str
    note: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    columns: Columns
    texts: frozenset[int] = frozenset({0})


def tables_of(view: View, words: Words) -> list[Table]:
    """The tables that have rows."""
    made = (_months(view, words), _busiest(view, words), _recovery(view, words), _incidents(view, words))
    return [table for table in made if table.rows]


def _headings(words: Words, *names: str) -> tuple[str, ...]:
    return tuple(words(f"table.{name}") for name in names)


def _months(view: View, words: Words) -> Table:
    number = words.number
    offered = any(month.offered for month in view.months)
    rows = [
        (
            f"{words.month(one.first.month)} {one.first.year}", words.share(one.availability),
            number(one.unplanned_h, 2), number(one.planned_h, 2), number(one.outages),
            number(one.offered) if offered else "–", number(one.accepted), number(one.refused),
            number(one.delivered), words.share(one.busiest_share, 0),
        )
        for one in view.months
    ]  # fmt: skip
    columns = columns_of(view.months)
    columns["first"] = [first.isoformat() for first in columns["first"]]
    columns["availability"] = [one.availability for one in view.months]
    headings = _headings(
        words, "month", "availability", "unplanned", "planned", "outages", "offered", "accepted", "refused",
        "delivered", "busiest",
    )  # fmt: skip
    return Table("months", words("table.months_title"), words("table.months_note"), headings, rows, columns)


def _busiest(view: View, words: Words) -> Table:
    rows = [
        (
            code, words.moment(at), words.number(count), words.number(count / 60, 2), words.number(tier),
            words.share(count / 60 / tier if tier else None, 1),
        )
        for code, at, count, tier in busiest_rows(view)
    ]  # fmt: skip
    headings = _headings(words, "code", "at", "messages", "rate", "tier", "share")
    return Table(
        "busiest", words("table.busy_title"), words("table.busy_note"), headings, rows, busiest_columns(view),
        frozenset({0, 1}),
    )  # fmt: skip


def _recovery(view: View, words: Words) -> Table:
    rows = [
        (
            one.ticket, words.moment(one.start), words.hours((one.end - one.start) / HOUR_US, exact=True),
            words.number(one.at_end), words.number(one.most), words.number(one.gone_after_min),
        )
        for one in view.recoveries
    ]  # fmt: skip
    columns = columns_of(view.recoveries)
    for name in ("after", "waiting"):
        columns.pop(name, None)
    for name in ("start", "end"):
        columns[name] = [iso(at) for at in columns.get(name, [])]
    headings = _headings(words, "ticket", "start", "hours", "at_end", "most", "gone")
    return Table(
        "recoveries", words("table.recovery_title"), words("table.recovery_note"), headings, rows, columns,
        frozenset({0, 1}),
    )  # fmt: skip


def _incidents(view: View, words: Words) -> Table:
    found = tickets(view.service, view.case.contract)
    rows = []
    for one, ticket in zip(view.service.counted, found, strict=True):
        incident = one.incident
        ends = words.moment(incident.end) if incident.end is not None else words("answer.still-lasts")
        subject = words("answer.whole") if incident.subject == "platform" else incident.subject
        answer = words(f"answer.{ticket.restored_in_time.replace(' ', '-')}")
        leaves = ticket.leaves_window_at
        rows.append(
            (
                incident.ticket,
                words.moment(incident.start),
                ends,
                words.hours(ticket.hours, exact=True),
                subject,
                words(f"class.{one.counted_as}"),
                answer,
                leaves[:10] if leaves else "–",
            )
        )
    headings = _headings(words, "ticket", "start", "end", "hours", "scope", "class", "in_time", "leaves")
    return Table(
        "incidents", words("table.incidents_title"), words("table.incidents_note"), headings, rows,
        {name: [getattr(one, name) for one in found] for name in _fields(found)}, frozenset({0, 1, 2, 4, 5, 6, 7}),
    )  # fmt: skip


def _fields(found: Sequence[msgspec.Struct]) -> tuple[str, ...]:
    return found[0].__struct_fields__ if found else ()
