"""The client's clock, proved from what it writes: the ends of validity periods show its time, alerts how it waits.

Judges no duty. A message asked for with a validity of whole minutes carries its end as DDMMYYHHmm, so each one shows
the minute the client believed in; messages on both sides of a minute narrow that down to what lies between them.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from simbench.base.calendar import parse_minute
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.rules.requests import of_marketing, sends
from simbench.rules.rule import Case, Judged, rule

EDGE_US = 10 * SECOND_US  # how near an edge exercises step: a clock less sure than that tells nothing there
LEAST_VALIDITY_S = 600  # a shorter validity may be rounded in some way of its own
WAIT_SHARE = 0.4  # how far a timed wait may be off: many clients look at their clock once a second


class Proof(msgspec.Struct, frozen=True):
    """How far the client's clock is ahead of the platform's: between `low_us` and `high_us`, by so many messages."""

    low_us: int
    high_us: int
    messages: int

    @property
    def sure(self) -> bool:
        """Whether the clock can be told from one that is off by an edge or more."""
        return -EDGE_US <= self.low_us <= self.high_us <= EDGE_US


def prove(case: Case) -> Proof | None:
    """What the run shows of the client's clock; None where it shows nothing, or no one offset explains it all."""
    shown = _shown(case)
    if not shown:
        return None
    # Whether a client cuts seconds off or rounds up is not known; what brings it nearest to the platform is believed.
    proofs = [proof for whole_minutes in (0, -1) if (proof := _offset(shown, whole_minutes * MINUTE_US)) is not None]
    return min(proofs, key=lambda proof: abs(proof.low_us + proof.high_us), default=None)


def _shown(case: Case) -> list[tuple[int, int, int]]:
    """Of each such message: when it was asked for, when it came, and what time that was by its validity's end."""
    asked, shown = sends(case), []
    for row in case.reading.submits.rows():
        ask = asked.get(row.mark)
        if ask is None or of_marketing(ask):
            continue
        validity_s, end = int(ask.detail.get("validity_s") or 0), parse_minute(row.validity)
        if validity_s >= LEAST_VALIDITY_S and validity_s % 60 == 0 and end is not None:
            shown.append((ask.at, row.at, end - validity_s * SECOND_US))
    return shown


def _offset(shown: list[tuple[int, int, int]], began: int) -> Proof | None:
    low = max(minute + began - came for _, came, minute in shown)
    high = min(minute + began + MINUTE_US - asked for asked, _, minute in shown)
    return Proof(low, high, len(shown)) if low <= high else None


def believed(proof: Proof | None, at: int) -> tuple[int, ...]:
    """The instants the client may have taken `at` for."""
    return (at,) if proof is None else (at, at + proof.low_us, at + proof.high_us)


def doubt(case: Case) -> str:
    """Why the client's clock is not proved, "" when it is."""
    proof = prove(case)
    if proof is None:
        return "its clock shows nowhere, or nowhere steadily, in the validity periods it writes"
    if not proof.sure:
        told = f"{proof.low_us / SECOND_US:.1f} to {proof.high_us / SECOND_US:.1f} s"
        return f"its clock is {told} ahead of the platform's, by {proof.messages} messages"
    return ""


@rule(
    "OPS-PRO-03/clock",
    "The client's clock can be moved and then follows the platform's: its offset, its rate and a timed wait",
    at_worst="unsupported",
)
def clock(case: Case) -> Judged:
    """No clause binds a client to a clock that can be moved: without one, time-of-day purposes cannot be judged."""
    wait = next((row.detail.get("keepalive_s") for row in case.reading.story.rows() if row.kind == "calibration"), None)
    if wait is None:
        return Judged("inconclusive", "no timed wait was asked for", blame="bench")
    why = doubt(case)
    if why:
        return Judged("unsupported", f"the client's clock is not proved: {why}")
    proof = prove(case)
    assert proof is not None, "there is no doubt"
    gaps = _silences(case)
    if not gaps:
        return Judged("unsupported", "the client's clock is not proved: no two keepalives follow one another")
    off = max(abs(gap / (wait * SECOND_US) - 1) for gap in gaps)
    told = (
        f"{proof.low_us / SECOND_US:+.2f} to {proof.high_us / SECOND_US:+.2f} s ahead by {proof.messages} messages; "
        f"waits of {wait} s last {min(gaps) / SECOND_US:.2f} to {max(gaps) / SECOND_US:.2f} s"
    )
    outside = off > WAIT_SHARE
    return Judged("unsupported" if outside else "pass", told, round(off, 3), WAIT_SHARE, "share of a wait")


def _silences(case: Case) -> list[int]:
    """Times between alerts that follow one another on a session, nothing having been written between them (us)."""
    frames, gaps = case.reading.frames, []
    for session in sorted(set(frames.session.tolist())):
        rows = frames.where((frames.session == session) & (frames.direction == "in")).rows()
        gaps += [later.at - earlier.at for earlier, later in pairwise(rows) if (earlier.ot, later.ot) == ("31", "31")]
    return gaps
