"""Rules on growth and drift over a long run (OPS-PRE-03: a validated link must last), from the bench's samples.

The first tenth is warm-up; the rules compare the last fifth of the run with the fifth after the warm-up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.ledger.events import ClientSampled
from simbench.rules.rule import Case, Verdict, rule
from simbench.trace.trace import Trace
from simbench.trace.view import Ints, View

WARM: Final = 0.1  # share of the run that is not judged
BEFORE: Final = (0.1, 0.3)  # the reference level
AFTER: Final = (0.8, 1.0)
GROWTH: Final = 0.05
FEWEST: Final = 40
OURS: Final = "limits of endurance runs (docs/guides/test-your-client.md)"


class Sample(msgspec.Struct, gc=False):
    """A sample of the bench: memory of the client's processes (KiB, 0: not measurable), backlog, accepted."""

    at: int
    rss_kib: int
    backlog: int
    accepted: int


class Samples(View[Sample], row=Sample):
    """The samples of a run in order of time."""

    at: Ints
    rss_kib: Ints
    backlog: Ints
    accepted: Ints


def samples(trace: Trace) -> Samples:
    """Return the bench's samples."""
    return Samples(
        Sample(at, event.rss_kib, event.backlog, event.accepted)
        for at, event in trace.events
        if isinstance(event, ClientSampled)
    )


def _stretch(view: Samples, part: tuple[float, float]) -> Samples:
    start, end = int(view.at[0]), int(view.at[-1])
    first, last = (start + share * (end - start) for share in part)
    return view.where((view.at >= first) & (view.at <= last))


def _growth(view: Samples, column: Callable[[Samples], Ints]) -> tuple[float, float]:
    before, after = (float(np.median(column(_stretch(view, part)))) for part in (BEFORE, AFTER))
    return before, after


def _few(view: Samples) -> Verdict | None:
    if len(view) >= FEWEST:
        return None
    return Verdict("inconclusive", f"only {count(len(view), 'sample')}, {FEWEST} needed", blame="bench")


@rule(
    "soak.endures-memory",
    "The client's memory does not grow after the warm-up",
    catches=("grows-memory",),
    suites=("soak",),
)
def memory(case: Case) -> Verdict:
    """Compare medians of the resident memory of the whole process tree."""
    view = samples(case.trace)
    if few := _few(view):
        return few
    if not view.rss_kib.any():
        return Verdict("unsupported", "the client has no process whose memory the bench can measure")
    before, after = _growth(view, lambda part: part.rss_kib)
    share = after / before - 1 if before else float("inf")
    summary = f"memory: {before / 1024:.1f} MiB early, {after / 1024:.1f} MiB late ({share:+.1%})"
    return _judged(view, summary, share, GROWTH, "share")


@rule(
    "soak.endures-backlog",
    "The client's backlog does not grow, even with connections cut during the run",
    catches=("grows-backlog",),
    suites=("soak",),
)
def backlog(case: Case) -> Verdict:
    """Compare medians of messages requested and not yet answered; growth by one second of the codes' rates is noise."""
    view = samples(case.trace)
    if few := _few(view):
        return few
    before, after = _growth(view, lambda part: part.backlog)
    slack = max(GROWTH * before, sum(limits[-1].rate for limits in case.trace.limits.values()))
    summary = f"median backlog: {count(round(before), 'message')} early, {after:.0f} late"
    return _judged(view, summary, after - before, slack, "messages")


@rule(
    "soak.endures-rate",
    "The client is as fast in the second half of the run as in the first",
    catches=("slows-down",),
    suites=("soak",),
)
def rate(case: Case) -> Verdict:
    """Compare accepted messages per second in both halves of the run after the warm-up."""
    view = samples(case.trace)
    if few := _few(view):
        return few
    warm = _stretch(view, (WARM, 1.0))
    at, accepted = warm.at, warm.accepted
    middle = int(np.searchsorted(at, (int(at[0]) + int(at[-1])) // 2))
    halves = [
        (int(accepted[last]) - int(accepted[first])) * SECOND_US / max(1, int(at[last]) - int(at[first]))
        for first, last in ((0, middle), (middle, len(at) - 1))
    ]
    drift = halves[1] / halves[0] - 1 if halves[0] else float("inf")
    summary = f"{halves[0]:.2f}/s in the first half, {halves[1]:.2f}/s in the second ({drift:+.1%})"
    return _judged(view, summary, -drift if halves[0] else drift, GROWTH, "share")


def _judged(view: Samples, summary: str, worse: float, limit: float, unit: str) -> Verdict:
    """Return the verdict on the amount by which the end of a run is worse than its beginning."""
    measured = round(min(worse, 1e9), 4)
    if worse <= limit:
        return Verdict("pass", summary, measured, limit, unit, "", (OURS,))
    evidence = (Evidence(summary, int(_stretch(view, AFTER).at[0]), int(view.at[-1])),)
    return Verdict("fail", summary, measured, limit, unit, "client", (OURS,), evidence)
