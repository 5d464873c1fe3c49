"""The reliability of a capture's timestamps: missing, set-back or coarse timestamps cannot prove a breach.

The capture reader records its remarks as events (`simbench.capture.order`).
"""

from __future__ import annotations

from typing import Final

import msgspec

from simbench.base.units import MINUTE_US
from simbench.finding import Finding, doubted
from simbench.ledger.capture_events import ClockDoubted
from simbench.rules.rule import Rule
from simbench.trace.trace import Trace

# Information compared with the times of a capture: purposes that need one of these depend on the timestamps.
DATED: Final = frozenset({"requests", "classes", "consent", "outages"})


class Times(msgspec.Struct, frozen=True):
    """Defects of a capture's clock: descriptions, whether timestamps are missing, and steps (instant, size in us)."""

    remarks: tuple[str, ...] = ()
    untimed: bool = False
    steps: tuple[tuple[int, int], ...] = ()


def times_of(trace: Trace) -> Times:
    """Return the defects that the events of a capture record; none for a run of the bench."""
    clock = [(at, event) for at, event in trace.events if isinstance(event, ClockDoubted)]
    return Times(
        tuple(event.sentence for _, event in clock),
        any(event.defect == "untimed" for _, event in clock),
        tuple((at, event.off_us) for at, event in clock if event.defect == "step"),
    )


def hangs_on_missing_times(rule: Rule, times: Times) -> bool:
    """Return whether a rule depends on timestamps that the capture lacks."""
    return times.untimed and (rule.by_duration or not DATED.isdisjoint(rule.reads))


def in_doubt(rule: Rule, found: Finding, times: Times) -> Finding:
    """Return the finding, inconclusive if a step of the capture's clock could change it.

    The size of a step is not known exactly, so a breach across it is unproved. After a step of a minute or more, times
    of day are unproved too.
    """
    far = max((size for _, size in times.steps), default=0) >= MINUTE_US
    across = any(one.start <= at <= one.end for one in found.evidence for at, _ in times.steps)
    broken = found.outcome in {"fail", "weak"}
    by_duration = rule.by_duration and broken and across
    by_date = far and not DATED.isdisjoint(rule.reads) and found.outcome in {"fail", "weak", "pass"}
    if not (by_duration or by_date):
        return found
    return doubted(found, times.remarks)
