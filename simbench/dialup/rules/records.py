"""Rules on call records: rows that were set aside, by clause, and the ports of access servers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from simbench.base.text import count
from simbench.base.units import MINUTE_US
from simbench.dialup.calls import NO_FAULT, REASONS, SENT_AGAIN, Calls
from simbench.dialup.records import Records
from simbench.dialup.recount import recount
from simbench.dialup.rules.case import MOST_EVIDENCE, RULES, Case, verdict
from simbench.dialup.validation import released_us
from simbench.finding import Evidence
from simbench.rulebook import Verdict

ELSEWHERE: Final = frozenset({"overlap", "duplicate", "outside-month", SENT_AGAIN}) | NO_FAULT
UNDATED: Final = frozenset({"undated", "truncated"})  # reasons that leave the clauses on session and month open


@RULES.rule("calls.billable", "Every record is a call that can be billed", reads=("records",), unit="rows")
def billable(case: Case) -> Verdict:
    """Check rows set aside for reasons outside the other clauses."""
    return _rows(case, tuple(reason for reason in REASONS if reason not in ELSEWHERE), NO_FAULT)


@RULES.rule("calls.one-call-a-port", "A port carries one call at a time", reads=("records",), unit="rows")
def one_call_a_port(case: Case) -> Verdict:
    """Check rows that overlap another call of their port."""
    return _rows(case, ("overlap",), NO_FAULT)


@RULES.rule("calls.accounted-once", "A call is recorded once", reads=("records",), unit="rows")
def accounted_once(case: Case) -> Verdict:
    """Check rows of a session that was recorded before."""
    return _rows(case, ("duplicate",), UNDATED | {"ambiguous"})


@RULES.rule("calls.within-the-month", "No call outside its month is billed", reads=("records",), unit="rows")
def within_the_month(case: Case) -> Verdict:
    """Check whether the statement contains rows outside the judged months; such rows alone are nobody's fault."""
    records = case.records
    assert records is not None
    rows = records.aside.counts["outside-month"]
    if not rows:
        return _rows(case, ("outside-month",), UNDATED)
    shown = _aside(records, ("outside-month",))[:MOST_EVIDENCE]
    outside = f"{count(rows, 'row')} outside the month set aside"
    if case.statement is None:
        why = f"{outside}; without a statement it is not known whether their calls are billed"
        return Verdict("inconclusive", why, evidence=shown)
    over, differs = _beyond(case)
    if over:
        return Verdict("fail", f"{outside}, and the statement bills more: {over}", rows, 0, evidence=shown)
    if why := differs or unplaced(records):
        return Verdict("inconclusive", f"{outside}; whether their calls are billed is open: {why}", evidence=shown)
    return Verdict("pass", f"{outside}, none of them billed", 0, 0, evidence=shown)


def _beyond(case: Case) -> tuple[str, str]:
    """Return how many calls and minutes a statement has beyond the calls of its months, and how it differs otherwise.

    Each is "" if there is nothing; rows without blame may explain an excess.
    """
    records, statement = case.records, case.statement
    assert records is not None
    assert statement is not None
    unsure = sum(records.aside.counts[reason] for reason in NO_FAULT)
    totals = {line.month: line for line in statement.lines if line.period == "total"}
    missing = [month for month in records.grid.months if month not in totals or totals[month].minutes is None]
    over, under = list[str](), [f"{month} has no total" for month in missing]
    for month in (month for month in records.grid.months if month not in missing):
        line, due = totals[month], recount(records.calls, month, case.offer)
        for unit, stated, carried, more in (
            ("minute", line.minutes, (due.peak_us + due.off_peak_us) // MINUTE_US,
             unsure * case.offer.terms.records.longest_s // 60),
            ("call", line.calls, due.peak_calls + due.off_peak_calls, unsure),
        ):  # fmt: skip
            text = f"{month}: {stated} of {count(carried, unit)}"
            if stated is not None and stated > carried + more:
                over.append(text)
            elif stated is not None and stated < carried:
                under.append(text)
    return "; ".join(over), "; ".join(under)


def _rows(case: Case, reasons: tuple[str, ...], hangs_on: frozenset[str]) -> Verdict:
    """Judge rows set aside for these reasons; without any, rows without blame may leave the clause open."""
    records = case.records
    assert records is not None
    found = {reason: records.aside.counts[reason] for reason in reasons if records.aside.counts[reason]}
    if not found and (why := unplaced(records, hangs_on)):
        return Verdict("inconclusive", why, evidence=_aside(records, tuple(sorted(hangs_on)))[:MOST_EVIDENCE])
    words = (
        f"{count(records.rows, 'row')}, none set aside for this",
        f"of {count(records.rows, 'row')} set aside: {_amounts(found)}",
    )
    assumed = case.offer.assumed("records.longest_h") if "huge" in found else ()
    return verdict(_aside(records, reasons), words, measured=sum(found.values()), limit=0, assumed=assumed)


def unplaced(records: Records, reasons: frozenset[str] = NO_FAULT) -> str:
    """Return why rows without blame leave the contents of the records open; "" without such rows."""
    if not len(records.calls) and not records.aside.total:
        return "nothing was read: there is no call in it"
    counts = {reason: records.aside.counts[reason] for reason in sorted(reasons) if records.aside.counts[reason]}
    rows = count(records.rows, "row")
    return f"of {rows} set aside, without a fault of the provider: {_amounts(counts)}" if counts else ""


def _amounts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} × {REASONS[reason]}" for reason, number in counts.items())


def _aside(records: Records, reasons: Collection[str]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(f"line {row.line}: {REASONS[row.reason]}: {row.text}")
        for row in sorted(records.aside.rows, key=lambda row: row.line)
        if row.reason in reasons
    )


@RULES.rule("ports.ports", "An access server carries no more calls at once than it has ports",
            reads=("records", "ports"), unit="calls")  # fmt: skip
def no_more_than_ports(case: Case) -> Verdict:
    """Check the largest number of simultaneous calls by access server."""
    records, ports, wrong, worst = case.records, case.ports, list[Evidence](), (0, 0)
    assert records is not None
    calls = records.calls
    for code, name in enumerate((*calls.nas_names, "")):
        own = calls.take(calls.nas == (code if name else -1))
        limit = ports.get(name, ports.get("", 0))
        if limit and len(own):
            most, at = _peak(own, records.slack_us)
            worst = max(worst, (most, limit), key=lambda pair: pair[0] / max(pair[1], 1))
            if most > limit:
                wrong.append(Evidence(f"{most} calls at once on {name or 'all ports'}, which has {limit}", start=at))
    words = ("no more calls at once than ports", "more calls at once than ports")
    return verdict(wrong, words, measured=worst[0], limit=worst[1])


def _peak(calls: Calls, slack_us: int) -> tuple[int, int]:
    sound = calls.duration_us > 0
    ends = np.sort(released_us(calls, slack_us)[sound])
    starts = calls.start_us[sound]
    busy = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")
    if not len(busy):
        return 0, 0
    place = int(busy.argmax())
    return int(busy[place]), int(starts[place])
