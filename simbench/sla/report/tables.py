"""Tables of the SLA report: months, busiest minutes, recovery, incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simbench.base.units import HOUR_US
from simbench.finding import Finding
from simbench.ledger.incidents import PLATFORM
from simbench.rules.rule import Case
from simbench.sla.classification import PLATFORM_OF_SEVERAL, VARIANTS_OF
from simbench.sla.imports.decisions import Decision
from simbench.sla.readings import COLUMNS, NOTICE, RESTORATION, Line, readings_of
from simbench.sla.report.availability_figure import CLASSES
from simbench.sla.report.picture import Columns
from simbench.sla.report.traffic import busiest_columns, busiest_rows
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View, columns_of
from simbench.sla.tickets import tickets
from simbench.tables.rows import RejectedRow, Remark


@dataclass(frozen=True)
class Table:
    """One table: headings and cells as text, the formula of its figures, and the figures.

    `texts`: indices of the columns that hold words.
    """

    name: str
    title: str
    note: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    columns: Columns
    texts: frozenset[int] = frozenset({0})
    names: Sequence[str] = ()  # ids of the rows, for links
    tones: Sequence[Sequence[str]] = ()  # classes of the cells: "pass", "fail", "" or "force"
    cut: str = ""  # the number of all rows, if not all are shown


MOST_ROWS = 400
MOST_CSV = 6000  # the maximum rows of data within the page; data.json has all


def tables_of(view: View, words: Words) -> list[Table]:
    """Return the tables that have rows."""
    made = (
        _totals(view, words), _months(view, words), _busiest(view, words), _recovery(view, words),
        _incidents(view, words),
    )  # fmt: skip
    return [table for table in made if table.rows]


def _totals(view: View, words: Words) -> Table:
    """Return the number of incidents of each class that touch the period, and their hours in it."""
    period, found = view.service.period, []
    for name in CLASSES:
        own = view.service.of(name)
        hours = sum(
            (min(one.incident.end or period.end, period.end) - max(one.incident.start, period.start)) / HOUR_US
            for one in own
        )
        variants = ", ".join(VARIANTS_OF[name]) or "–"
        longest = max((one.incident.lasted(period.end) for one in own), default=0)
        found.append((name, len(own), hours, longest / HOUR_US, variants))
    rows = [
        (words(f"class.{name}"), words.number(number), words.hours(hours), words.hours(longest, exact=True), variants)
        for name, number, hours, longest, variants in found if number
    ]  # fmt: skip
    names = ("class", "incidents", "hours", "longest_h", "variants")
    columns = {name: [row[place] for row in found] for place, name in enumerate(names)}
    headings = _headings(words, "class", "incidents", "hours_sum", "longest", "variants")
    return Table(
        "totals", words("table.totals_title"), words("table.totals_note"), headings, rows, columns, frozenset({0, 4})
    )


def readings_table(case: Case, words: Words) -> Table:
    """Return the verdicts under every reading of the contract's open questions; the one in force is marked."""
    lines = readings_of(case)
    rows, tones = [], []
    for line in lines:
        mark = words("reading.in_force") if line.in_force and line.concerned else ""
        name = words(f"reading.{line.question}_{line.reading}") if line.concerned else words("reading.none")
        rows.append((words(f"reading.{line.question}"), f"{name}{mark}", *(_cell(line, key, words) for key in COLUMNS)))
        tone = {"met": "pass", "missed": "fail", "open": ""}
        tones.append(("", "force" if line.in_force else "", *(tone[line.cells[key].met] for key in COLUMNS)))
    columns: dict[str, list[Any]] = {
        "question": [line.question for line in lines], "reading": [line.reading for line in lines],
        "in_force": [line.in_force for line in lines],
        **{key: [line.cells[key].value for line in lines] for key in COLUMNS},
        **{f"{key}_met": [line.cells[key].met for line in lines] for key in COLUMNS},
    }  # fmt: skip
    headings = tuple(
        words(f"reading.column_{name}") for name in ("question", "reading", "V1", "V2", "V3", "V4", RESTORATION, NOTICE)
    )
    return Table(
        "readings", words("reading.title"), words("reading.note"), headings, rows, columns, frozenset({0, 1}),
        tones=tones,
    )  # fmt: skip


def _cell(line: Line, key: str, words: Words) -> str:
    cell = line.cells[key]
    sign = {"met": "✓", "missed": "✗", "open": "?"}[cell.met]
    if cell.value is None:
        return "–"
    if key == RESTORATION:
        return f"{words.hours(cell.value, exact=True)} {sign}"
    if key == NOTICE:
        return f"{words.number(cell.value)} {sign}"
    return f"{words.share(cell.value)} {sign}"


def decisions_table(
    decisions: Sequence[Decision], before: Sequence[Finding], after: Sequence[Finding], words: Words
) -> Table:
    """Return the decisions with author and reason, and the outcomes that they changed."""
    rows = [
        (one.incident, words(f"decision.{one.counted_as}"), one.reason, f"{one.who}, {one.when}") for one in decisions
    ]
    then = {one.purpose: one.outcome for one in before}
    changed = [one for one in after if then.get(one.purpose, one.outcome) != one.outcome]
    note = words("decision.same") if not changed else words("decision.changed", changes=", ".join(
        f"{one.clause}: {words(f'outcome.{then[one.purpose]}')} → {words(f'outcome.{one.outcome}')}" for one in changed
    ))  # fmt: skip
    columns: dict[str, list[Any]] = {
        "incident": [one.incident for one in decisions], "class": [one.counted_as for one in decisions],
        "reason": [one.reason for one in decisions], "who": [one.who for one in decisions],
        "when": [str(one.when) for one in decisions],
    }  # fmt: skip
    headings = tuple(words(f"decision.column_{name}") for name in ("incident", "class", "reason", "who"))
    return Table("decisions", words("decision.title"), note, headings, rows, columns, frozenset(range(4)))


def rejected_table(notes: Sequence[RejectedRow], words: Words) -> Table | None:
    """Return the rejected rows of a record, and remarks on others."""
    if not notes:
        return None
    rows = []
    for one in notes[:MOST_ROWS]:
        kind = words("rejected.remark" if isinstance(one, Remark) else "rejected.aside")
        reason = one.reason if words.language == "en" else _reason(one, words)
        rows.append((words.number(one.line) if one.line else "–", kind, reason))
    columns: dict[str, list[Any]] = {"line": [one.line for one in notes], "reason": [one.reason for one in notes]}
    cut = words("table.cut", shown=words.number(MOST_ROWS), all=words.number(len(notes)))
    headings = _headings(words, "line", "kind", "reason")
    return Table(
        "rejected", words("rejected.title"), words("rejected.note"), headings, rows, columns, frozenset({1, 2}),
        cut=cut if len(notes) > MOST_ROWS else "",
    )  # fmt: skip


def _headings(words: Words, *names: str) -> tuple[str, ...]:
    return tuple(words(f"table.{name}") for name in names)


def _months(view: View, words: Words) -> Table:
    number = words.number
    offered, traffic = any(month.offered for month in view.months), bool(view.traffic.hours.codes)
    formula = view.year.formula
    rows = [
        (
            f"{words.month(one.first.month)} {one.first.year}", words.share(one.availability),
            number(one.unplanned_h, 2), number(one.planned_h, 2), number(one.outages),
            *((
                number(one.offered) if offered else "–", number(one.accepted), number(one.refused),
                number(one.delivered), words.share(one.busiest_share, 0),
            ) if traffic else ()),
        )
        for one in view.months
    ]  # fmt: skip
    columns = columns_of(view.months)
    columns["first"] = [first.isoformat() for first in columns["first"]]
    headings = _headings(
        words, "month", "availability", "unplanned", "planned", "outages",
        *(("offered", "accepted", "refused", "delivered", "busiest") if traffic else ()),
    )  # fmt: skip
    note = words(
        "table.months_note" if traffic else "table.months_note_bare", formula=formula,
        lost=words(f"availability.lost_{formula}"),
    )  # fmt: skip
    return Table("months", words("table.months_title"), note, headings, rows, columns)


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
        "busiest", words("table.busy_title"), words("table.busy_note"), headings, rows, busiest_columns(view, words),
        frozenset({0, 1}),
    )  # fmt: skip


def _recovery(view: View, words: Words) -> Table:
    rows = [
        (
            words.ticket(one.ticket), words.moment(one.start), words.hours((one.end - one.start) / HOUR_US, exact=True),
            words.number(one.at_end), words.number(one.most), words.number(one.gone_after_min),
        )
        for one in view.recoveries
    ]  # fmt: skip
    columns = columns_of(view.recoveries)
    for name in ("after", "waiting"):
        columns.pop(name, None)
    for name in ("start", "end"):
        columns[name] = [words.iso(at) for at in columns.get(name, [])]
    headings = _headings(words, "ticket", "start", "hours", "at_end", "most", "gone")
    return Table(
        "recoveries", words("table.recovery_title"), words("table.recovery_note"), headings, rows, columns,
        frozenset({0, 1}),
    )  # fmt: skip


def _reason(one: RejectedRow, words: Words) -> str:
    """Return the reason for a rejected row or a remark, translated if the page is not in English."""
    place, _, rest = one.reason.partition(":")
    if isinstance(one, Remark):
        decision = place.removeprefix("decision on ")
        return words("rejected.other") if decision == place else words("rejected.decision", name=decision)
    return words("rejected.column", name=place) if rest else words("rejected.row")


def _incidents(view: View, words: Words) -> Table:
    found = tickets(view.service, view.case.contract)
    end = view.service.period.end
    order = list(range(len(found)))
    if len(order) > MOST_ROWS:  # the longest incidents that count
        order.sort(key=lambda place: (not found[place].counted_in, -found[place].hours))
        order = sorted(order[:MOST_ROWS])
    rows = []
    for place in order:
        one, ticket = view.service.counted[place], found[place]
        incident = one.incident
        ends = words.moment(incident.end) if incident.end is not None else words("answer.still-lasts")
        leaves = ticket.leaves_window_at
        rows.append(
            (
                words.ticket(incident.ticket),
                words.moment(incident.start),
                ends,
                words.lasting(incident.lasted(max(end, incident.start))),
                _scope(incident.subject, words),
                words(f"class.{one.counted_as}") + (words("answer.late") if one.late else ""),
                words(f"answer.{ticket.restored_in_time.replace(' ', '-')}"),
                words.moment(incident.announced_at) if incident.announced_at is not None else "–",
                words.cause(incident.cause) or "–",
                words.day(view.year.windows.leaves(incident.end)) if leaves and incident.end is not None else "–",
            )
        )
    headings = _headings(
        words, "ticket", "start", "end", "hours", "scope", "class", "in_time", "announced", "cause", "leaves"
    )
    cut = words("table.cut", shown=words.number(MOST_ROWS), all=words.number(len(found)))
    return Table(
        "incidents", words("table.incidents_title"), words("table.incidents_note"), headings, rows,
        columns_of(found),
        frozenset({0, 1, 2, 4, 5, 6, 7, 8, 9}), names=[f"incident-{place}" for place in order],
        cut=cut if len(found) > MOST_ROWS else "",
    )  # fmt: skip


def _scope(subject: str, words: Words) -> str:
    """Return the part that was down: the platform, a part of it, one of several platforms, or a short code."""
    if subject in {PLATFORM, "part"}:
        return words("answer.whole" if subject == PLATFORM else "answer.part")
    name = subject.removeprefix(PLATFORM_OF_SEVERAL)
    return words("answer.one_platform", name=name) if name != subject else subject
