"""The client's clock, measured from what it writes: the ends of validity periods show its time, alerts its waits.

A message requested with a validity of whole minutes carries its end as DDMMYYHHmm, so each one shows the minute on the
client's clock. Messages on both sides of a full minute narrow the offset down to the time between them.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from simbench.base.text import count
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.events import ClientCalibrated
from simbench.rules.requests import of_marketing, sends
from simbench.rules.rule import Case, Verdict, rule

EDGE_US = 10 * SECOND_US  # exercises step this near to an edge, so the offset must be known better
LEAST_VALIDITY_S = 600  # a client may round a shorter validity in another way
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


def prove(case: Case) -> Proof | None:
    """The offset of the client's clock; None without a usable message, or where no single offset explains them all."""
    shown = _shown(case)
    if not shown:
        return None
    # A client may truncate seconds or round them up: take whichever puts it nearer to the platform's clock.
    proofs = [proof for whole_minutes in (0, -1) if (proof := _offset(shown, whole_minutes * MINUTE_US)) is not None]
    return min(proofs, key=lambda proof: abs(proof.low_us + proof.high_us), default=None)


def _shown(case: Case) -> list[tuple[int, int, int]]:
    """For each such message: when it was requested, when it arrived, and the time its validity implies."""
    asked, shown = sends(case), []
    for row in case.trace.submits.rows():
        ask = asked.get(row.token)
        if ask is None or of_marketing(ask):
            continue
        validity_s, end = ask.validity_s, case.contract.calendar.parse_minute(row.validity)
        if validity_s >= LEAST_VALIDITY_S and validity_s % 60 == 0 and end is not None:
            shown.append((ask.at, row.at, end - validity_s * SECOND_US))
    return shown


def _offset(shown: list[tuple[int, int, int]], began: int) -> Proof | None:
    low = max(minute + began - came for _, came, minute in shown)
    high = min(minute + began + MINUTE_US - asked for asked, _, minute in shown)
    return Proof(low, high, len(shown)) if low <= high else None


def believed(proof: Proof | None, at: int) -> tuple[int, ...]:
    """The instants that the client's clock may have shown at `at`."""
    return (at,) if proof is None else (at, at + proof.low_us, at + proof.high_us)


def doubt(case: Case) -> str:
    """Why the client's clock is not proved, "" when it is."""
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
    """Times between two alerts of a session with no frame of the client between them (us)."""
    frames, gaps = case.trace.frames, []
    for session in sorted(set(frames.session.tolist())):
        rows = frames.where((frames.session == session) & (frames.direction == "in")).rows()
        gaps += [later.at - earlier.at for earlier, later in pairwise(rows) if (earlier.ot, later.ot) == ("31", "31")]
    return gaps
