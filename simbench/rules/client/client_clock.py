"""Measures the client's clock: ends of validity periods show its time, intervals between alerts show its rate.

A message requested with a validity of whole minutes carries its end as DDMMYYHHmm, so each message shows the minute on
the client's clock. Messages on both sides of a full minute narrow the offset down to the time between them. Offsets of
whole hours are not errors of the clock: the client uses another zone or season, which `validity.civil-time` reports.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from simbench.base.text import count
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.ledger.events import ClientCalibrated
from simbench.rules.evidence import framed
from simbench.rules.requests import of_marketing, sends
from simbench.rules.rule import Case, Verdict, rule
from simbench.trace.rows import Submit

EDGE_US = 10 * SECOND_US  # exercises move the clock this near to an edge, so the offset must be smaller
LEAST_VALIDITY_S = 600  # a client may round a shorter validity in another way
MOST_HOURS = 14  # civil times of the world differ from UTC by no more
WAIT_SHARE = 0.4  # tolerance of a timed wait: many clients read their clock once a second


class Proof(msgspec.Struct, frozen=True):
    """The client's clock is ahead of the platform's by `low_us` to `high_us`, according to `messages` messages."""

    low_us: int
    high_us: int
    messages: int

    @property
    def sure(self) -> bool:
        """Whether the offset is certainly smaller than an edge."""
        return -EDGE_US <= self.low_us <= self.high_us <= EDGE_US

    @property
    def open(self) -> bool:
        """Whether the clock may be right, but messages came too late to prove it."""
        return not self.sure and self.low_us <= 0 <= self.high_us


def prove(case: Case) -> Proof | None:
    """Return the offset of the client's clock; None without a usable message or a single offset that explains all."""
    shown = _shown(case)
    if not shown:
        return None
    # A client may truncate seconds or round them up: use the assumption with the smaller offset.
    proofs = [proof for whole_minutes in (0, -1) if (proof := _offset(shown, whole_minutes * MINUTE_US)) is not None]
    return min(proofs, key=lambda proof: abs(proof.low_us + proof.high_us), default=None)


def _shown(case: Case) -> list[tuple[int, int, int]]:
    """Return request, arrival, and the client's time without whole hours of offset for each message with a validity."""
    return [(one.asked_at, one.row.at, one.shown - one.hours * HOUR_US) for one in case.once(ends_written)]


class Written(msgspec.Struct, frozen=True):
    """A submit with the end of its validity: `shown` is the time on the client's clock that it implies (us).

    `hours` are the whole hours by which this differs from the platform's clock, 0 if no time zone explains them.
    """

    row: Submit
    asked_at: int
    validity_s: int
    shown: int
    hours: int


def ends_written(case: Case) -> list[Written]:
    """Return submits of ordinary messages requested with a validity of whole minutes, and the end in each."""
    asked, found = sends(case), []
    for row in case.trace.submits.rows():
        ask = asked.get(row.token)
        if ask is None or of_marketing(ask) or ask.validity_s < LEAST_VALIDITY_S or ask.validity_s % 60:
            continue
        end = case.contract.calendar.parse_minute(row.validity)
        if end is not None:
            shown = end - ask.validity_s * SECOND_US
            hours = round((shown - row.at) / HOUR_US)
            found.append(Written(row, ask.at, ask.validity_s, shown, hours if abs(hours) <= MOST_HOURS else 0))
    return found


def _offset(shown: list[tuple[int, int, int]], began: int) -> Proof | None:
    low = max(minute + began - came for _, came, minute in shown)
    high = min(minute + began + MINUTE_US - asked for asked, _, minute in shown)
    return Proof(low, high, len(shown)) if low <= high else None


def believed(proof: Proof | None, at: int) -> tuple[int, ...]:
    """Return the instants that the client's clock may have shown at `at`."""
    return (at,) if proof is None else (at, at + proof.low_us, at + proof.high_us)


def doubt(case: Case) -> str:
    """Return the reason why the client's clock is not proved, "" if it is."""
    proof = prove(case)
    if proof is None:
        return "the validity periods it writes show no time, or no constant offset"
    if not proof.sure:
        offset = f"{proof.low_us / SECOND_US:+.1f} to {proof.high_us / SECOND_US:+.1f} s"
        return f"its clock differs from the platform's by {offset}, from {count(proof.messages, 'message')}"
    return ""


@rule(
    "hours.clock",
    "The client runs on the platform's clock when the bench moves it: offset, rate and a timed wait",
    at_worst="unsupported",
)
def clock(case: Case) -> Verdict:
    """No clause requires a movable clock, but purposes on the time of day need one."""
    wait = next((event.keepalive_s for _, event in case.trace.events if isinstance(event, ClientCalibrated)), None)
    if wait is None:
        return Verdict("inconclusive", "the exercise requested no timed wait", blame="bench")
    why = doubt(case)
    if why:
        return Verdict("unsupported", f"the client's clock is not proved: {why}")
    proof = prove(case)
    assert proof is not None, "doubt() found an offset"
    gaps = _silences(case)
    if not gaps:
        return Verdict("unsupported", "the client's clock is not proved: it sent no two keepalives in a row")
    off = max(abs(gap / (wait * SECOND_US) - 1) for gap in gaps)
    summary = (
        f"offset {proof.low_us / SECOND_US:+.2f} to {proof.high_us / SECOND_US:+.2f} s, from "
        f"{count(proof.messages, 'message')}; "
        f"waits of {wait:g} s last {min(gaps) / SECOND_US:.2f} to {max(gaps) / SECOND_US:.2f} s"
    )
    outside = off > WAIT_SHARE
    return Verdict("unsupported" if outside else "pass", summary, round(off, 3), WAIT_SHARE, "share of a wait")


def _silences(case: Case) -> list[int]:
    """Return the times (us) between two consecutive alerts of a session."""
    frames, gaps = case.trace.frames, []
    for session in sorted(set(frames.session.tolist())):
        rows = frames.where((frames.session == session) & (frames.direction == "in")).rows()
        gaps += [later.at - earlier.at for earlier, later in pairwise(rows) if (earlier.ot, later.ot) == ("31", "31")]
    return gaps


@rule(
    "validity.civil-time",
    "The client writes the end of a validity in the contract's civil time, in winter, in summer and across the changes",
    catches=("vp-in-winter-time", "vp-in-summer-time", "vp-in-utc", "vp-by-the-wall-clock"),
)
def civil_time(case: Case) -> Verdict:
    """Compare the end in the submit with the requested one, in whole hours; UCP times have no zone."""
    written = case.once(ends_written)
    if not written:
        return Verdict(
            "inconclusive", "no submit carries the end of a validity requested in whole minutes", blame="client"
        )
    wrong = [one for one in written if one.hours]
    summary = f"{len(wrong):,} of {count(len(written), 'validity', 'validities')} off by whole hours"
    proof = prove(case)
    if proof is None or not -MINUTE_US <= proof.low_us <= proof.high_us <= MINUTE_US:
        return Verdict("unsupported", f"the client's clock is not proved: {doubt(case)}")
    if wrong:
        evidence = tuple(
            framed(f"{one.hours:+d} h: VP {one.row.validity}, {one.validity_s // 60} min requested", one.row)
            for one in wrong[:6]
        )
        return Verdict("fail", summary, len(wrong), 0, "submits", "client", (), evidence)
    offsets = {_utc_offset_us(case, one.row.at) for one in written}
    expected = {_utc_offset_us(case, at) for at in _half_years(case)}
    if offsets < expected:
        return Verdict("unsupported", f"{summary}; the client's clock cannot be moved to another season")
    return Verdict("pass", summary, 0, 0, "submits")


def _half_years(case: Case) -> list[int]:
    """Two instants half a year apart."""
    return [case.trace.span[0], case.trace.span[0] + 182 * 24 * HOUR_US]


def _utc_offset_us(case: Case, at: int) -> int:
    offset = case.contract.calendar.civil(at).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * SECOND_US)
