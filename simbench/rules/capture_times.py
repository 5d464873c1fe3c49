"""What the stamps of a capture are worth to a rule: some that are missing, set back or coarse prove no breach.

A capture writes its remarks into the story (`simbench.capture.order`); nothing here looks at a packet.
"""

from __future__ import annotations

from typing import Final

import msgspec

from simbench.base.units import MINUTE_US
from simbench.finding import Finding
from simbench.rules.rule import Rule
from simbench.trace.trace import Reading

# What is given beside a capture and is laid against its times: a purpose that needs one of these hangs on them.
DATED: Final = frozenset({"requests", "classes", "consent", "outages"})


class Times(msgspec.Struct, frozen=True):
    """The remarks on a capture's clock: their sentences, whether stamps are missing, its steps (instant, us)."""

    remarks: tuple[str, ...] = ()
    untimed: bool = False
    steps: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        return "; ".join(self.remarks)


def times_of(reading: Reading) -> Times:
    """What the story of a capture says of its clock; nothing for a run of the bench."""
    clock = [row for row in reading.story.rows() if row.kind == "capture" and row.detail["what"] == "clock"]
    return Times(
        tuple(row.detail["sentence"] for row in clock),
        any(row.detail["kind"] == "untimed" for row in clock),
        tuple((row.at, row.detail["off_us"]) for row in clock if row.detail["kind"] == "step"),
    )


def hangs_on_missing_times(rule: Rule, times: Times) -> bool:
    """Whether a rule would measure what the capture does not say."""
    return times.untimed and (rule.by_duration or not DATED.isdisjoint(rule.reads))


def in_doubt(rule: Rule, found: Finding, times: Times) -> Finding:
    """The finding as a clock that was set back leaves it.

    How long the step took nobody knows, so no breach across it stands, and no time of day where it was a minute.
    """
    far = max((size for _, size in times.steps), default=0) >= MINUTE_US
    across = any(one.start <= at <= one.end for one in found.evidence for at, _ in times.steps)
    broken = found.outcome in {"fail", "weak"}
    by_duration = rule.by_duration and broken and across
    by_date = far and not DATED.isdisjoint(rule.reads) and found.outcome in {"fail", "weak", "pass"}
    if not (by_duration or by_date):
        return found
    summary = f"{found.summary}, but {times}"
    return msgspec.structs.replace(found, outcome="inconclusive", summary=summary, blame="bench")
