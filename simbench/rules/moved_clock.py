"""Limits the blame on a client when a user moved the platform's clock."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from simbench.base.units import SECOND_US
from simbench.finding import Finding, doubted
from simbench.ledger.events import ClockStepped
from simbench.trace.trace import Trace


def steps(trace: Trace) -> list[tuple[int, int]]:
    """Return the intervals (us) of platform time that the clock stepped over."""
    return [
        (at - round(event.seconds * SECOND_US), at)
        for at, event in trace.events
        if isinstance(event, ClockStepped) and event.seconds is not msgspec.UNSET
    ]


def moved_spans(trace: Trace) -> list[tuple[int, int]]:
    """Return intervals (us) of platform time that the client did not experience: steps, and changed speed."""
    moved = steps(trace)
    begun: int | None = None
    for at, event in trace.events:
        if isinstance(event, ClockStepped) and event.seconds is msgspec.UNSET:
            if begun is not None:
                moved.append((begun, at))
            begun = at if event.speed != 1 else None
    return moved if begun is None else [*moved, (begun, max(begun, trace.span[1]) + 1)]


def in_moved_time(finding: Finding, moved: Sequence[tuple[int, int]]) -> Finding:
    """Return the finding, inconclusive if all evidence against the client spans time it did not experience."""
    if not moved or finding.outcome not in {"fail", "weak"}:
        return finding
    spans = [(evidence.start, evidence.end) for evidence in finding.evidence if evidence.start < evidence.end]
    if not spans or len(spans) < len(finding.evidence):
        return finding
    if not all(any(start < until and since < end for since, until in moved) for start, end in spans):
        return finding
    return doubted(finding, ["the platform's clock was moved meanwhile"])
