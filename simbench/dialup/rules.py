"""Rules of NetRevenu: call records, statement and tariff function judged clause by clause.

The rules calculate everything independently (`recount`) from the offer's data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from simbench.base.units import MINUTE_US
from simbench.dialup.calls import NO_FAULT, REASONS, SENT_AGAIN, Calls
from simbench.dialup.offer import Offer
from simbench.dialup.records import Records
from simbench.dialup.recount import Counted, is_rounded, recount, share_is, share_of, vat_of
from simbench.dialup.statement import AMOUNTS, PERIODS, Line, Statement
from simbench.dialup.validation import released_us
from simbench.finding import Evidence, Finding

MOST_EVIDENCE: Final = 20


class Case(NamedTuple):
    """What there is to judge: a tariff function always, records and a statement if given.

    `ports` says how many ports each access server has, by name; "" stands for all others, and none is not judged.
    """

    offer: Offer
    tariff: str
    records: Records | None = None
    statement: Statement | None = None
    ports: Mapping[str, int] = MappingProxyType({})


def judge(case: Case) -> tuple[Finding, ...]:
    """Judge everything there is to judge, in the order of the clauses."""
    findings = [*_offer(case)]
    if case.records is not None:
        findings += _records(case.records, case.offer)
        if case.ports:
            findings.append(_ports(case.records, case.ports))
    if case.statement is not None:
        findings += _statement(case, case.statement)
    return tuple(findings)


def _found(purpose: str, wrong: Sequence[Evidence], summary: tuple[str, str], **more: object) -> Finding:
    """A finding that fails if there is anything wrong: summary = (what passes, what fails)."""
    return Finding(
        purpose=purpose,
        clause=purpose.partition("/")[0],
        outcome="fail" if wrong else "pass",
        summary=summary[bool(wrong)],
        evidence=tuple(wrong[:MOST_EVIDENCE]),
        **more,  # type: ignore[arg-type]  # fields of the struct, by name
    )


# The offer --------------------------------------------------------------------------------------------------------


def _offer(case: Case) -> Iterator[Finding]:
    """The tariff function against the two published points, the first minute and progression."""
    offer, tariff, points = case.offer, case.tariff, case.offer.terms.points
    assumed = offer.assumed("NRV-AMB-01")
    first, second = (int(offer.share_ff(n.value, tariff)) for n in (points.first_minutes, points.second_minutes))
    wanted, over = points.first_share_ff.value, points.second_share_over_ff.value
    wrong = [] if offer.share_ff(points.first_minutes.value, tariff) == wanted else [Evidence(f"{first:,} FF")]
    words = (f"{tariff} gives the published share", f"{tariff} misses the published share")
    yield _found("NRV-REV-01/first-point", wrong, words, measured=first, limit=wanted, unit="FF", assumed=assumed)
    wrong = [] if offer.share_ff(points.second_minutes.value, tariff) > over else [Evidence(f"{second:,} FF")]
    words = (f"{tariff} gives more than the published share", f"{tariff} gives no more than the published share")
    yield _found("NRV-REV-02/second-point", wrong, words, measured=second, limit=over, unit="FF", assumed=assumed)
    shares = [(minutes, offer.share_ff(minutes, tariff)) for minutes in _ladder(case)]
    falls = [
        Evidence(f"{b:,} minutes bring {f:,} FF, {a:,} bring {e:,} FF") for (a, e), (b, f) in pairwise(shares) if f < e
    ]
    nothing = [Evidence(f"0 minutes bring {shares[0][1]} FF")] * (shares[0][1] != 0)
    words = (f"{tariff} never falls, from the first minute on", f"{tariff} falls, or does not begin at nothing")
    yield _found("NRV-REV-03/first-minute", [*nothing, *falls], words, assumed=assumed)
    half = Fraction(offer.terms.money.smallest.value) / 2
    slower = [
        Evidence(f"on average more at {a:,} minutes than at {b:,}")
        for (a, e), (b, f) in pairwise(shares[1:])
        if (Fraction(f) + half) / b < (Fraction(e) - half) / a
    ]
    words = (f"the average rate of {tariff} never falls", f"the average rate of {tariff} falls")
    yield _found("NRV-REV-04/progressive", slower, words, assumed=assumed)


def _ladder(case: Case) -> list[int]:
    """Minutes from none to twice the second point, and the minutes around every edge of a bracket."""
    most = 2 * case.offer.terms.points.second_minutes.value
    edges = [rate.from_minutes for rate in case.offer.functions[case.tariff].rates]
    steps = {0, 1, 100, *(most * step // 200 for step in range(1, 201))}
    return sorted(steps | {edge + more for edge in edges for more in (-1, 0, 1) if edge + more >= 0})


# Records ----------------------------------------------------------------------------------------------------------

OF_CLAUSE: Final = {
    "NRV-CDR-02/one-call-a-port": ("overlap",),
    "NRV-CDR-03/accounted-once": ("duplicate",),
    "NRV-CDR-04/within-the-month": ("outside-month",),
}
HANGS_ON: Final = {
    "NRV-CDR-03/accounted-once": frozenset({"undated", "ambiguous", "truncated"}),
    "NRV-CDR-04/within-the-month": frozenset({"undated", "truncated"}),
}
"""Reasons nobody is blamed for that leave a clause open, where not all do: an open call has a name and a day."""


def _records(records: Records, offer: Offer) -> Iterator[Finding]:
    """Rows that were set aside, by clause; those that no other clause speaks of are no calls that can be billed."""
    named = {reason for reasons in OF_CLAUSE.values() for reason in reasons} | NO_FAULT | {SENT_AGAIN}
    others = tuple(reason for reason in REASONS if reason not in named)
    for purpose, reasons in {"NRV-CDR-01/billable": others, **OF_CLAUSE}.items():
        found = {reason: records.aside.counts[reason] for reason in reasons if records.aside.counts[reason]}
        rows = sorted(row for row in _aside(records, reasons))
        wrong = [Evidence(f"line {line}: {REASONS[reason]}: {text}") for line, reason, text in rows]
        set_aside = "; ".join(f"{count:,} × {REASONS[reason]}" for reason, count in found.items())
        words = (f"{records.rows:,} rows, none set aside for this", f"of {records.rows:,} rows set aside: {set_aside}")
        assumed = offer.assumed("records.longest_h") if "huge" in found else ()
        count = sum(found.values())
        hangs_on = HANGS_ON.get(purpose, NO_FAULT)
        if not count and (unplaced := _unplaced(records, hangs_on)):
            yield _untold(purpose, unplaced, _aside(records, tuple(sorted(hangs_on))))
            continue
        yield _found(purpose, wrong, words, measured=count, limit=0, unit="rows", blame="client", assumed=assumed)


def _unplaced(records: Records, reasons: frozenset[str] = NO_FAULT) -> str:
    """Why rows that nobody is blamed for leave it open what the records hold; "" where they hold no such row."""
    if not len(records.calls) and not records.aside.total:
        return "nothing was read: there is no call in it"
    counts = {reason: records.aside.counts[reason] for reason in sorted(reasons) if records.aside.counts[reason]}
    set_aside = "; ".join(f"{count:,} × {REASONS[reason]}" for reason, count in counts.items())
    return f"of {records.rows:,} rows set aside, without a fault of the provider: {set_aside}" if counts else ""


def _untold(purpose: str, why: str, rows: Iterable[tuple[int, str, str]] = ()) -> Finding:
    """What remains unknown because of rows that were not read as calls."""
    notes = [Evidence(f"line {line}: {REASONS[reason]}: {text}") for line, reason, text in rows]
    return Finding(purpose, purpose.partition("/")[0], "inconclusive", why, evidence=tuple(notes[:MOST_EVIDENCE]))


def _aside(records: Records, reasons: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    yield from ((row.line, row.reason, row.text) for row in records.aside.rows if row.reason in reasons)


def _ports(records: Records, ports: Mapping[str, int]) -> Finding:
    """The most calls at one instant, by access server: one step up at each start, one down at each end."""
    calls, wrong, worst = records.calls, [], (0, 0)
    for code, name in enumerate((*calls.nas_names, "")):
        own = calls.take(calls.nas == (code if name else -1))
        limit = ports.get(name, ports.get("", 0))
        if limit and len(own):
            most, at = _peak(own, records.slack_us)
            worst = max(worst, (most, limit), key=lambda pair: pair[0] / max(pair[1], 1))
            if most > limit:
                wrong.append(Evidence(f"{most} calls at once on {name or 'all ports'}, which has {limit}", start=at))
    words = ("no more calls at once than ports", "more calls at once than ports")
    more = {"measured": worst[0], "limit": worst[1], "unit": "calls"}
    return _found("NRV-POR-01/ports", wrong, words, blame="client", **more)


def _peak(calls: Calls, slack_us: int) -> tuple[int, int]:
    sound = calls.duration_us > 0
    ends = np.sort(released_us(calls, slack_us)[sound])
    starts = calls.start_us[sound]
    busy = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, side="right")
    if not len(busy):
        return 0, 0
    place = int(busy.argmax())
    return int(busy[place]), int(starts[place])


# Statement --------------------------------------------------------------------------------------------------------


def _statement(case: Case, statement: Statement) -> Iterator[Finding]:
    if case.records is not None:
        yield _minutes(case, statement, case.records)
    totals = [line for line in statement.lines if line.period == "total"]
    checks: tuple[tuple[str, Callable[[Line, Case], Iterator[str]], tuple[str, str], tuple[str, ...]], ...] = (
        ("NRV-STA-02/share", _share, ("every share is that of its minutes", "a share is not that of its minutes"),
         ("NRV-AMB-01", "NRV-AMB-05", "money.smallest")),
        ("NRV-STA-03/vat", _vat, ("VAT and amounts with it agree", "VAT or an amount with it is wrong"),
         ("NRV-AMB-05", "money.smallest")),
        ("NRV-STA-04/euros", _euros, ("amounts in euros agree", "an amount in euros is wrong"), ("money.smallest",)),
    )  # fmt: skip
    for purpose, check, words, assumed in checks:
        wrong = [Evidence(f"line {line.number}, {line.month}: {note}") for line in totals for note in check(line, case)]
        yield _found(purpose, wrong, words, blame="client", assumed=case.offer.assumed(*assumed))
    wrong = [Evidence(note) for note in _whole(case, statement)]
    yield _found("NRV-STA-05/whole", wrong, ("the statement is whole", "the statement is not whole"), blame="client")


def _minutes(case: Case, statement: Statement, records: Records) -> Finding:
    """Minutes and calls of each line against the records."""
    counted = {month: recount(records.calls, month, case.offer) for month in records.grid.months}
    wrong, stated, due = [], 0, 0
    unplaced = sum(records.aside.counts[reason] for reason in NO_FAULT)
    more = unplaced * case.offer.terms.records.longest_s // 60  # minutes that rows nobody is blamed for may hold
    for line in statement.lines:
        if line.month not in counted:
            continue
        calls, us = _part(counted[line.month], line.period)
        minutes = us // MINUTE_US
        most = minutes + more + (line.period != "total") * _left_over(counted[line.month])
        if line.period == "total":
            stated, due = stated + (line.minutes or 0), due + minutes
        if line.minutes is None or not minutes <= line.minutes <= most:
            wrong.append(
                Evidence(f"line {line.number}, {line.month} {line.period}: {line.minutes} minutes, {minutes} carried")
            )
        if line.calls is not None and not calls <= line.calls <= calls + unplaced:
            wrong.append(Evidence(f"line {line.number}, {line.month} {line.period}: {line.calls} calls, {calls} begun"))
    why = _unplaced(records)
    if why and not wrong:
        return _untold("NRV-STA-01/minutes", f"{stated:,} minutes stated, {due:,} in the calls read; {why}")
    words = ("minutes and calls are those of the records", "minutes or calls are not those of the records")
    assumed = case.offer.assumed("NRV-AMB-02", "NRV-AMB-03", "NRV-AMB-04")
    sums = {"measured": stated, "limit": due, "unit": "min"}
    return _found("NRV-STA-01/minutes", wrong, words, blame="client", assumed=assumed, **sums)


def _left_over(counted: Counted) -> int:
    """The minute that is whole in the month's total alone: either part may have it, so that both add up."""
    parts = counted.peak_us // MINUTE_US + counted.off_peak_us // MINUTE_US
    return (counted.peak_us + counted.off_peak_us) // MINUTE_US - parts


def _part(counted: Counted, period: str) -> tuple[int, int]:
    return {
        "peak": (counted.peak_calls, counted.peak_us),
        "off-peak": (counted.off_peak_calls, counted.off_peak_us),
        "total": (counted.peak_calls + counted.off_peak_calls, counted.peak_us + counted.off_peak_us),
    }[period]


def _amount(line: Line, name: str) -> Fraction | None:
    return Fraction(line.amounts[name]) if name in line.amounts else None


def _share(line: Line, case: Case) -> Iterator[str]:
    with_vat = case.offer.reading("NRV-AMB-05") == "with"
    name = "share_ttc_ff" if with_vat else "share_ff"
    amount = _amount(line, name)
    if amount is None or line.minutes is None or line.minutes < 0:
        yield f"no {name}, or no minutes"
    elif not share_is(amount, line.minutes, case.offer, case.tariff):
        power = case.offer.functions[case.tariff].kind == "power"
        due = "" if power else f", {float(share_of(line.minutes, case.offer, case.tariff)):.2f} due"
        yield f"{name} {line.amounts[name]} for {line.minutes:,} minutes{due}"


def _vat(line: Line, case: Case) -> Iterator[str]:
    share, vat, both = (_amount(line, name) for name in AMOUNTS[:3])
    if share is None or vat is None or both is None:
        yield "an amount in francs is missing"
        return
    rate = vat_of(line.month, case.offer)
    if case.offer.reading("NRV-AMB-05") == "with":
        right = is_rounded(share, both / (1 + rate), case.offer)
    else:
        right = is_rounded(vat, share * rate, case.offer)
    if not right:
        yield f"VAT {line.amounts['vat_ff']} on {line.amounts['share_ff']} is not {float(rate):.1%}"
    if share + vat != both:
        yield f"{line.amounts['share_ff']} and {line.amounts['vat_ff']} are not {line.amounts['share_ttc_ff']}"


def _euros(line: Line, case: Case) -> Iterator[str]:
    rate = Fraction(case.offer.terms.money.ff_per_eur.value)
    for francs, euros in (("share_ff", "share_eur"), ("share_ttc_ff", "share_ttc_eur")):
        ff, eur = _amount(line, francs), _amount(line, euros)
        if ff is None or eur is None:
            yield f"no {francs} or {euros}"
        elif not is_rounded(eur, ff / rate, case.offer):
            yield f"{line.amounts[euros]} EUR for {line.amounts[francs]} FF"


def _whole(case: Case, statement: Statement) -> Iterator[str]:
    """Lines missing, doubled, foreign, unreadable; money where none belongs; totals that are not their parts."""
    yield from (f"line {number}: {problem}" for number, problem in statement.unreadable)
    lines: dict[tuple[str, str], Line] = {}
    for line in statement.lines:
        if (line.month, line.period) in lines:
            yield f"line {line.number}: {line.month} {line.period} for the second time"
        lines.setdefault((line.month, line.period), line)
        if line.amounts and line.period != "total":
            yield f"line {line.number}: an amount of money beside {line.period}"
    stated = {month for month, _ in lines}
    months = case.records.grid.months if case.records is not None else tuple(sorted(stated))
    yield from (f"{month} is not a month of these records" for month in sorted(stated - set(months)))
    if not stated:
        yield "there is no line in it"
    for month in months:
        parts = [lines.get((month, period)) for period in PERIODS]
        yield from (
            f"{month} has no line {period}" for period, part in zip(PERIODS, parts, strict=True) if part is None
        )
        peak, off_peak, total = parts
        if peak is None or off_peak is None or total is None:
            continue
        rest = (total.minutes or 0) - (peak.minutes or 0) - (off_peak.minutes or 0)
        if rest not in {0, 1}:  # each line is rounded down by itself
            yield f"{month}: {peak.minutes} and {off_peak.minutes} minutes are not {total.minutes}"
        if (total.calls or 0) != (peak.calls or 0) + (off_peak.calls or 0):
            yield f"{month}: {peak.calls} and {off_peak.calls} calls are not {total.calls}"
