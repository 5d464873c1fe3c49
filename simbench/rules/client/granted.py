"""The rule on the rate that the platform grants (OPS-QOS-04). Granted means accepted.

The platform fails only if the client offered more: it refused or did not answer submits within the rate, or it
answered a client with a full window more slowly than rate and round trip explain.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec
import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.rules.arrays import FOREVER_US, slices, some_of, unanswered, within
from simbench.rules.client.admission import Objections, objections
from simbench.rules.client.limits import rate_periods, window_sizes, windows, without_outages
from simbench.rules.client.throughput import each_segment, sustained
from simbench.rules.kernels.metering import dues_of
from simbench.rules.meters import Form, form_of
from simbench.rules.rule import Case, Verdict, rule, worst
from simbench.trace.rows import Submits
from simbench.trace.view import Bools, Ints


class Offer(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The submits of a code in a period without outages.

    `sent`: every submit; `fair`: those accepted and those the platform should have accepted; `full`: which of `fair`
    filled the window of their session.
    """

    code: str
    rate: int
    window: int
    sent: Submits
    fair: Submits
    full: Bools

    @cached_property
    def accepted(self) -> Submits:
        """Accepted submits in order of their results."""
        taken = self.fair.where(self.fair.equal("ack", "A") & (self.fair.result_at >= 0))
        return taken.where(np.argsort(taken.result_at, kind="stable")) if len(taken) else taken

    @property
    def withheld(self) -> int:
        """The number of submits refused or never answered without an objection."""
        return int((~self.fair.equal("ack", "A")).sum())

    @property
    def round_trip_us(self) -> int:
        """The fastest answer (us), which the platform did not delay."""
        taken = self.accepted
        return int((taken.result_at - taken.at).min()) if len(taken) else 0


@rule(
    "rate.tier-granted",
    "The platform accepts each short code's traffic at its subscribed rate while the client offers it",
    usual_cause="The platform's meter has another rate or window than the contract.",
    binds="platform",
    catches=("slow-platform",),
    suites=("client", "audit"),
    reads=("codes",),
    absence="anywhere",
    by_duration=True,
)
def tier_granted(case: Case) -> Verdict:
    """Measure acceptances per second over the backlog, as far as the client offered the rate.

    The platform withheld submits that it refused without a reason or never answered, and those that a full window
    delayed longer than the round trip explains.
    """
    if not len(case.trace.submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    against = objections(case)
    judged = [_granted(case, offer) for offer in _offers(case, against)]
    return worst(judged, "no code with a known rate submitted anything")


def _offers(case: Case, against: Objections) -> Iterator[Offer]:
    submits, size = case.trace.submits, case.contract.terms.session.window.value
    timer_us = case.contract.terms.session.result_timer_max_s.value * SECOND_US
    known, ends = windows(case), _ends(case)
    full = _fills_its_window(case)
    sessions, session = submits.numbers("session")
    until = np.array([ends.get(number, 0) for number in sessions], np.int64)
    fair = submits.equal("ack", "A") | against.none
    for rows in slices(len(submits)):
        at, result_at = some_of(submits, rows, "at", "result_at")
        fair[rows] &= (result_at >= 0) | (until[session[rows]] - at >= timer_us)
    for code in case.trace.limits:
        for period in rate_periods(case, code):
            for start, end in without_outages(case, code, period):
                own = submits.equal("code", code) & within(submits, start, end)
                if own.any():
                    first = submits.values("account", np.array([own.argmax()]))[0]
                    window = known.get(first, size)
                    yield Offer(
                        code, period.rate, window, submits.where(own), submits.where(own & fair), full[own & fair]
                    )


def _ends(case: Case) -> dict[int, int]:
    """Return the end of each session or of the record; an operation unanswered at that time may be cut off."""
    last = case.trace.span[1]
    return {row.session: row.closed_at if row.closed_at >= 0 else last for row in case.trace.sessions.rows()}


def _fills_its_window(case: Case) -> Bools:
    """Return which submits filled the window of their session."""
    sizes, account = window_sizes(case)
    found: Bools = unanswered(case.trace.submits, FOREVER_US) + 1 >= sizes[account]
    return found


def _granted(case: Case, offer: Offer) -> Verdict:
    """Return the verdict on one code in one period."""
    terms, rate, code = case.contract.terms.throughput, offer.rate, offer.code
    if int(offer.sent.segments.sum()) <= 2 * rate:
        return Verdict("inconclusive", f"{code}: only {count(len(offer.sent), 'submit')}", blame="client")
    taken, fair, sent = offer.accepted, offer.fair, offer.sent
    granted = sustained(each_segment(taken.result_at, taken.segments), rate)
    offered = sustained(each_segment(sent.at, sent.segments), rate)
    floor = rate * (1 - terms.sustained_tolerance_share.value)
    summary = f"{code}: {granted:.2f}/s granted of {rate}/s ({offered:.2f}/s offered)"
    measured = round(granted, 4)
    if granted >= floor:
        return Verdict("pass", summary, measured, rate, "messages/s")
    start, end = int(sent.at[0]), int(sent.at[-1])
    late, unexcused = _late_answers(case, offer)
    if _refused_its_due(offer, offered >= floor) or (unexcused * 100 > len(fair) and _backlogged(case, offer, floor)):
        if offer.withheld:
            summary += f", {count(offer.withheld, 'valid submit')} refused or unanswered"
        evidence = (Evidence(f"{code}: less than the tier granted while the client offered more", start, end),)
        return Verdict("fail", summary, measured, rate, "messages/s", "platform", (), evidence)
    in_time = len(taken) > 0 and late * 100 <= len(fair) and not unexcused and not offer.withheld
    if in_time and offered >= rate * terms.use_share.value:
        summary += ", every submit within the rate accepted as soon as the tier allows"
        assumed = case.contract.assumed("throughput.use_share")
        return Verdict("pass", summary, measured, rate, "messages/s", "", assumed)
    late_us = case.trace.largest_timing_error(start, end)
    if late_us > terms.jitter_ms.value * 1000:
        summary += f", but the times of the record may be off by up to {late_us / 1000:.1f} ms"
        evidence = (Evidence(f"{code}: offered less while the bench was late", start, end),)
        return Verdict("inconclusive", summary, measured, rate, "messages/s", "bench", (), evidence)
    if unexcused:
        few = unexcused * 100 <= len(fair)
        why = "too few for a verdict" if few else "but no backlog shows that they held the client back"
        summary += f"; {count(unexcused, 'late answer')}, {why}"
    return Verdict("inconclusive", summary, measured, rate, "messages/s", "bench" if unexcused else "client")


def _refused_its_due(offer: Offer, more_offered: bool) -> bool:
    """Return whether the client offered the tier and the platform refused or did not answer part of it."""
    return more_offered and offer.withheld * 100 > len(offer.fair)


def _backlogged(case: Case, offer: Offer, floor: float) -> bool:
    """Return whether more submits waited than the rate allows in one second.

    Either submits arrived at the tier, or a full window moved more slowly than the tier. A window that is full only
    because of the round trip carries at most window / round trip.
    """
    fair = offer.fair
    if _per_s(fair.at, fair.segments, offer.rate) >= floor:
        last, slack = int(fair.at[-1]), _slack_us(case, offer)
        owed = int(fair.segments[_due(case, offer) + slack <= last].sum())
        return owed - _segments(fair, 0, last) > offer.rate
    if offer.round_trip_us * offer.rate >= offer.window * SECOND_US:
        return False
    lacking = 0.0
    for first, last in _stretches(offer.full):
        start, end = int(fair.at[first]), int(fair.at[last - 1])
        lacking += floor * (end - start) / SECOND_US - _segments(fair, start, end)
    return lacking > offer.rate


def _segments(fair: Submits, start: int, end: int) -> int:
    """Return the number of segments accepted after `start` and until `end`."""
    chosen = fair.equal("ack", "A") & (fair.result_at > start) & (fair.result_at <= end)
    return int(fair.segments[chosen].sum())


def _per_s(at: Ints, segments: Ints, rate: int) -> float:
    return sustained(each_segment(at, segments), rate)


def _stretches(full: Bools) -> list[tuple[int, int]]:
    """Return start and end (exclusive) of each sequence of operations that filled their window."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], full, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _due(case: Case, offer: Offer) -> Ints:
    """Return the instant at which the tier alone allows each fair operation."""
    return dues(form_of(case.contract, offer.rate), offer.fair.at, offer.fair.segments)


def dues(form: Form, at: Ints, segments: Ints) -> Ints:
    """Return the instant at which a meter that accepts all operations allows the last segment of each."""
    found, row = np.zeros(len(at), np.int64), np.array(form.row(int(segments.sum())), np.int64)
    dues_of.at_scale(len(at))(at, segments, row, found)
    return found


def _slack_us(case: Case, offer: Offer) -> int:
    return case.contract.terms.throughput.jitter_ms.value * 1000 + offer.round_trip_us


def _late_answers(case: Case, offer: Offer) -> tuple[int, int]:
    """Count results later than tier and round trip explain, and those that the bench's delay does not explain."""
    due, answered = _due(case, offer), offer.fair.result_at
    over = answered - due - _slack_us(case, offer)
    late = np.flatnonzero(over > 0)
    unexcused = over[late] > case.trace.largest_timing_errors(due[late], answered[late])
    return len(late), int(unexcused.sum())
