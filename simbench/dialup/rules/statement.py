"""Rules on the statement: minutes against the records, amounts against minutes, and completeness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from simbench.base.text import count
from simbench.base.units import MINUTE_US
from simbench.dialup.calls import NO_FAULT
from simbench.dialup.recount import Counted, is_rounded, recount, share_is, share_of, vat_of
from simbench.dialup.rules.case import RULES, Case, verdict
from simbench.dialup.rules.records import unplaced
from simbench.dialup.statement import AMOUNTS, PERIODS, Line, Statement
from simbench.finding import Evidence, prose
from simbench.rulebook import Verdict


@RULES.rule("statement.minutes", "The stated minutes and calls are the recorded ones", reads=("records", "statement"),
            unit="min")  # fmt: skip
def minutes_of_the_records(case: Case) -> Verdict:
    """Compare minutes and calls of each line with the records."""
    records, statement = case.records, case.statement
    assert records is not None
    assert statement is not None
    counted = {month: recount(records.calls, month, case.offer) for month in records.grid.months}
    wrong, stated, due = [], 0, 0
    rows = sum(records.aside.counts[reason] for reason in NO_FAULT)
    more = rows * case.offer.terms.records.longest_s // 60  # minutes that rows without blame may contain
    for line in statement.lines:
        if line.month not in counted:
            continue
        calls, us = _part(counted[line.month], line.period)
        minutes = us // MINUTE_US
        most = minutes + more + (line.period != "total") * _left_over(counted[line.month])
        if line.period == "total":
            stated, due = stated + (line.minutes or 0), due + minutes
        if line.minutes is None or not minutes <= line.minutes <= most:
            named = "no minutes" if line.minutes is None else count(line.minutes, "minute")
            wrong.append(Evidence(f"line {line.number}, {line.month} {line.period}: {named}, {minutes} carried"))
        if line.calls is not None and not calls <= line.calls <= calls + rows:
            wrong.append(
                Evidence(f"line {line.number}, {line.month} {line.period}: {count(line.calls, 'call')}, {calls} begun")
            )
    why = unplaced(records)
    if why and not wrong:
        parts = (f"{stated:,} minutes stated, {due:,} in the calls read", why)
        return Verdict("inconclusive", prose(parts), parts=parts)
    words = ("minutes and calls are those of the records", "minutes or calls are not those of the records")
    assumed = case.offer.assumed("minute-count", "month-of-call", "holiday-hours")
    return verdict(wrong, words, measured=stated, limit=due, assumed=assumed)


def _left_over(counted: Counted) -> int:
    """Return the minute that is complete only in the month's total: either part may have it, so that both add up."""
    parts = counted.peak_us // MINUTE_US + counted.off_peak_us // MINUTE_US
    return (counted.peak_us + counted.off_peak_us) // MINUTE_US - parts


def _part(counted: Counted, period: str) -> tuple[int, int]:
    return {
        "peak": (counted.peak_calls, counted.peak_us),
        "off-peak": (counted.off_peak_calls, counted.off_peak_us),
        "total": (counted.peak_calls + counted.off_peak_calls, counted.peak_us + counted.off_peak_us),
    }[period]


def _totals(case: Case, check: Callable[[Line, Case], Iterator[str]], words: tuple[str, str], *hangs: str) -> Verdict:
    """Check every total of the statement."""
    assert case.statement is not None
    totals = [line for line in case.statement.lines if line.period == "total"]
    wrong = [Evidence(f"line {line.number}, {line.month}: {note}") for line in totals for note in check(line, case)]
    return verdict(wrong, words, assumed=case.offer.assumed(*hangs))


@RULES.rule("statement.share", "The stated share is that of the stated minutes", reads=("statement",))
def share(case: Case) -> Verdict:
    """Compare shares with the tariff function of the offer, to the smallest amount."""
    words = ("every share is that of its minutes", "a share is not that of its minutes")
    return _totals(case, _share, words, "tariff-function", "share-vat", "money.smallest")


@RULES.rule("statement.vat", "VAT on the share has the rate of the month", reads=("statement",))
def vat(case: Case) -> Verdict:
    """Check VAT, and the amount with VAT."""
    words = ("VAT and amounts with it agree", "VAT or an amount with it is wrong")
    return _totals(case, _vat, words, "share-vat", "money.smallest")


@RULES.rule("statement.euros", "Amounts in euros are those in francs at the official rate", reads=("statement",))
def euros(case: Case) -> Verdict:
    """Check the euros of the share and of the amount with VAT."""
    return _totals(case, _euros, ("amounts in euros agree", "an amount in euros is wrong"), "money.smallest")


@RULES.rule("statement.whole", "The statement has every line of every month, and totals are the sums of their parts",
            reads=("statement",))  # fmt: skip
def whole(case: Case) -> Verdict:
    """Check for missing, repeated, foreign or unreadable lines."""
    assert case.statement is not None
    wrong = [Evidence(note) for note in _whole(case, case.statement)]
    return verdict(wrong, ("the statement is complete", "the statement is not complete"))


def _amount(line: Line, name: str) -> Fraction | None:
    return Fraction(line.amounts[name]) if name in line.amounts else None


def _share(line: Line, case: Case) -> Iterator[str]:
    with_vat = case.offer.reading("share-vat") == "with"
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
    if case.offer.reading("share-vat") == "with":
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
    """Yield missing, repeated, foreign and unreadable lines, misplaced amounts, and totals other than their parts."""
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
        if rest not in {0, 1}:  # each line is rounded down separately
            yield f"{month}: {peak.minutes} and {off_peak.minutes} minutes are not {total.minutes}"
        if (total.calls or 0) != (peak.calls or 0) + (off_peak.calls or 0):
            yield f"{month}: {peak.calls} and {off_peak.calls} calls are not {total.calls}"
