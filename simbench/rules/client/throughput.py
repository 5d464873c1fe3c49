"""Rules on the client's rate (OPS-ENG-01, OPS-ACH-04), computed independently of the SMSC's meter.

An operation conforms if it arrives no more than tau before the r-th operation before it is one second old. The ring
keeps conforming instants, so earliness does not accumulate. `simbench.rules.meters` has the other readings of AMB-05.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isinf

import msgspec
import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.rules.arrays import Places, slices, within
from simbench.rules.client.limits import Period, rate_periods, without_outages
from simbench.rules.kernels import metering
from simbench.rules.kernels.metering import SLIDING
from simbench.rules.meters import AMBIGUITY, Form, Operations, counted, form_of, said_of
from simbench.rules.rule import Case, Verdict, rule, worst
from simbench.trace.rows import Submits
from simbench.trace.view import Ints

SHOWN = 5  # frames shown as evidence of one code


class Policed(msgspec.Struct, frozen=True):
    """A comparison of a code's operations with its rate: positions of early ones, and the worst earliness (us)."""

    early: Places
    worst_us: int
    peak: int  # operations in the busiest sliding second
    sustained_per_s: float


def police(
    at: Ints,
    segments: Ints,
    rate: int,
    tolerance_us: int,
    late_us_at: Callable[[Ints], Ints] | None = None,
    form: Form | None = None,
) -> Policed:
    """Compare operations (instants in us, ascending; segments each) with a rate and list those that are too early.

    `late_us_at` returns the bench's delay (us) around instants. A conforming operation that was read late may have
    arrived that much earlier; the meter uses this earlier instant, so that the delay does not make the next operation
    look early. `form` is the reading of the rate, by default the sliding second.
    """
    early, worst_us = np.zeros(len(at), np.bool_), 0
    row = np.array([(form or Form(SLIDING, rate)).row(int(segments.sum()))], np.int64)
    ring, head, numbers = np.zeros(row[0, 1], np.int64), np.zeros(1, np.int64), np.zeros((1, 2), np.int64)
    metering.prepared(row, ring, head, numbers)
    for rows in slices(len(at)):
        late = np.zeros(0, np.int64) if late_us_at is None else late_us_at(at[rows])
        dues = np.zeros(int(segments[rows].max()) + 1, np.int64)
        run = metering.police.at_scale(len(at))
        worst = run(at[rows], segments[rows], row, tolerance_us, late, early[rows], ring, head, numbers, dues)
        worst_us = max(worst_us, int(worst))
    pace = sustained(each_segment(at, segments), rate)
    return Policed(Places(early), worst_us, peak_in_a_second(at, segments), pace)


def each_segment(instants: Ints, segments: Ints) -> Ints:
    """Return the instant of every segment, which is that of its operation."""
    return np.repeat(instants, segments) if len(instants) else instants


def peak_in_a_second(at: Ints, segments: Ints) -> int:
    """Return the most segments in any half-open second."""
    if not len(at):
        return 0
    total, most = np.concatenate(([0], np.cumsum(segments))), 0
    for rows in slices(len(at)):
        ends = np.searchsorted(at, at[rows] + SECOND_US, side="left")
        most = max(most, int((total[ends] - total[rows]).max()))
    return most


def sustained(at: Ints, rate: int) -> float:
    """Return segments per second over a backlog, without the first burst of r: (n - r) / (last - r-th instant)."""
    if len(at) <= rate:
        return 0.0
    elapsed = int(at[-1]) - int(at[rate - 1])
    return (len(at) - rate) * SECOND_US / elapsed if elapsed > 0 else float("inf")


def code_rates(case: Case) -> dict[str, int]:
    """Return each code's rate: the last limit set in the events of the run."""
    return {code: limits[-1].rate for code, limits in case.trace.limits.items()}


def held_against(case: Case, operations: Submits | Operations, rate: int) -> tuple[Policed, Policed]:
    """Compare operations with their rate: with tau alone, and with the bench's delay added."""
    at, segments = operations.at, operations.segments
    jitter_us = case.contract.terms.throughput.jitter_ms.value * 1000
    form = form_of(case.contract, rate)
    strict = police(at, segments, rate, jitter_us, form=form)
    if not strict.early:
        return strict, strict
    late_us = case.trace.largest_timing_errors
    return strict, police(at, segments, rate, jitter_us, lambda instants: late_us(instants - SECOND_US, instants), form)


def _within_tier(case: Case, code: str, period: Period, submits: Operations) -> Verdict:
    """Judge a code's submits: fail beyond tau and the bench's timing error, inconclusive between the two."""
    assumed, rate = case.contract.assumed("throughput.jitter_ms", AMBIGUITY), period.rate
    at = submits.at
    strict, lenient = held_against(case, submits, rate)
    pace = "all at once" if isinf(strict.sustained_per_s) else f"{strict.sustained_per_s:.2f}/s sustained"
    summary = (
        f"{code} at {rate}/s: {count(len(at), 'operation')}, {pace}, "
        f"{strict.peak} in the busiest second, at most {strict.worst_us / 1000:.1f} ms early"
        f"{said_of(case.contract, rate)}"
    )
    if not strict.early:
        summary += no_backlog(case, code, rate)
        return Verdict("pass", summary, 0, 0, "operations too early", "", assumed)
    evidence = tuple(
        Evidence(f"{code}: too early for {rate}/s", row.at - SECOND_US, row.at, row.session, row.frame.hex().upper())
        for row in submits.where((lenient.early or strict.early)[:SHOWN]).rows()
    )
    early, unit = len(lenient.early or strict.early), "operations too early"
    if not lenient.early:
        instants = at[strict.early.array]
        late_us = int(case.trace.largest_timing_errors(instants - SECOND_US, instants).max())
        summary += f", but the bench itself was {late_us / 1000:.1f} ms late there"
        return Verdict("inconclusive", summary, early, 0, unit, "bench", assumed, evidence)
    summary += f"; {early:,} too early"
    if period.before > rate and not held_against(case, submits, period.before)[1].early:
        summary += f", but within the former {period.before}/s; whether the client knew of the change is unknown"
        return Verdict("inconclusive", summary, early, 0, unit, "bench", assumed, evidence)
    return Verdict("fail", summary, early, 0, unit, "client", assumed, evidence)


def no_backlog(case: Case, code: str, rate: int) -> str:
    """Return a remark if the bench requested messages more slowly than the code's rate: then none waited. Else ""."""
    at = [one.at for one in case.trace.requests if one.code == code]
    if not at or unrequested(case, code):
        return ""
    took_us = at[-1] - at[0]
    if took_us <= len(at) * SECOND_US // rate:
        return ""
    return f"; no backlog, as messages were requested at {len(at) * SECOND_US / took_us:.1f}/s"


def unrequested(case: Case, code: str = "") -> int:
    """Return the number of messages of a code ("": any) on the wire without a known request."""
    return sum(code in {"", one.code} for one in case.trace.unrequested)


def if_waited(case: Case, code: str, rate: int, judged: Verdict) -> Verdict:
    """Return the verdict, inconclusive without a backlog: then the bench, not the client, determined the rate."""
    words = no_backlog(case, code, rate)
    if unrequested(case, code):
        words = "; only part of the requests is known"
    if judged.outcome not in {"pass", "weak"} or not words:
        return judged
    return msgspec.structs.replace(judged, outcome="inconclusive", summary=judged.summary + words, blame="bench")


def _every_code_within_tier(case: Case) -> Verdict:
    """Judge each code with a limit and with operations or requests, period by period."""
    operations, requested = counted(case.contract, case.trace), {one.code for one in case.trace.requests}
    judged = []
    for code in case.trace.limits:
        own = operations.where(operations.equal("code", code))
        if code in requested and not len(own):
            judged.append(Verdict("inconclusive", f"{code}: the client submitted nothing", blame="client"))
        for period in rate_periods(case, code) if len(own) else ():
            part = own.where(within(own, period.start, period.end))
            if len(part):
                judged.append(_within_tier(case, code, period, part))
    return worst(judged, "the client submitted nothing from a code with a known rate")


@rule(
    "rate.backlog-at-tier",
    "With a backlog and a platform that does not throttle, the client keeps each short code within its subscribed rate",
    catches=("no-pacing", "fast-1-percent", "burst"),
    capability="limits_rate",
    suites=("client", "watched", "audit", "soak"),
    reads=("codes",),
    counts_all=True,
    by_duration=True,
)
def backlog_at_tier(case: Case) -> Verdict:
    """Judge the tier while the SMSC only monitors, so that the client itself must keep it (AMB-18).

    A code without traffic is skipped. Inconclusive if no code had traffic, or if its rate was lowered during the run.
    """
    return _every_code_within_tier(case)


@rule(
    "rate.one-by-one",
    "The client keeps the tier when messages are requested one by one and faster",
    catches=("no-pacing", "fast-1-percent", "burst"),
    capability="limits_rate",
)
def one_by_one(case: Case) -> Verdict:
    """Judge as with a backlog; requests one by one defeat a limiter that only spaces batches."""
    return _every_code_within_tier(case)


@rule(
    "rate.uses-its-tier",
    "With a backlog, the client uses the subscribed rate of its codes",
    usual_cause="The client pauses after each result, or its window is smaller than rate times round trip.",
    catches=("uses-half-its-tier",),
    capability="limits_rate",
    at_worst="weak",
    suites=("client", "audit"),
    reads=("codes", "requests"),
    absence="anywhere",
    by_duration=True,
)
def uses_its_tier(case: Case) -> Verdict:
    """Measure the rate outside outages. No clause obliges a client to use its full rate, so less is weak."""
    share = case.contract.terms.throughput.use_share.value
    submits = case.trace.submits
    judged = []
    for code in case.trace.limits:
        own = submits.where(submits.equal("code", code))
        for period in rate_periods(case, code) if len(own) else ():
            found = _used(case, code, period, own, share)
            if found is not None:
                judged.append(if_waited(case, code, period.rate, found))
    return worst(judged, "the client submitted nothing")


def _used(case: Case, code: str, period: Period, own: Submits, share: float) -> Verdict | None:
    """Judge the share of its rate that a code used while the platform was up; None if it sent nothing in the period."""
    rate, sent, took_us, any_ = period.rate, 0, 0, False
    for start, end in without_outages(case, code, period):
        within = own.where((own.at >= start) & (own.at < end))
        at = each_segment(within.at, within.segments)
        any_ = any_ or bool(len(at))
        if len(at) > rate:  # each part counts without its first burst
            sent, took_us = sent + len(at) - rate, took_us + int(at[-1] - at[rate - 1])
    if not any_:
        return None
    reached = sent * SECOND_US / took_us if took_us else float("inf") if sent else 0.0
    summary = f"{code}: {reached:.2f}/s of {rate}/s ({reached / rate:.1%})"
    enough = reached >= share * rate
    return Verdict(
        "pass" if enough else "weak", summary, round(reached, 3), rate, "messages/s", "" if enough else "client"
    )
