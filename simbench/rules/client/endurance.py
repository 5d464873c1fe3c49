"""Rules on endurance: what grows or drifts over a long run. They read the samples that the bench recorded.

The first tenth is warm-up; the rules compare the last fifth of the run with the fifth after the warm-up. The clause is
OPS-PRE-03: a validated link must last.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.rules.rule import Case, Verdict, rule
from simbench.trace.trace import Trace
from simbench.trace.view import View, view_of

KIND: Final = "sample"
SAMPLES: Final = ("at", "rss_kib", "backlog", "accepted")
WARM: Final = 0.1  # share of the run that is not judged
BEFORE: Final = (0.1, 0.3)  # the reference level
AFTER: Final = (0.8, 1.0)
GROWTH: Final = 0.05
FEWEST: Final = 40
OURS: Final = "limits of endurance runs (docs/guides/audit.md)"


def samples(trace: Trace) -> View:
    """The bench's samples: instant, memory of the client's processes (KiB, 0: not measurable), backlog, accepted."""
    rows = [r for r in trace.event_rows.rows() if r.kind == KIND]
    return view_of(SAMPLES, [(r.at, *(r.detail[name] for name in SAMPLES[1:])) for r in rows])


def _stretch(view: View, part: tuple[float, float]) -> View:
    start, end = int(view.at[0]), int(view.at[-1])
    first, last = (start + part[0] * (end - start), start + part[1] * (end - start))
    return view.where((view.at >= first) & (view.at <= last))


def _growth(view: View, name: str) -> tuple[float, float]:
    before, after = (float(np.median(getattr(_stretch(view, part), name))) for part in (BEFORE, AFTER))
    return before, after


def _few(view: View) -> Verdict | None:
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
    """Resident memory of the whole process tree, medians of two stretches."""
    view = samples(case.trace)
    if few := _few(view):
        return few
    if not view.rss_kib.any():
        return Verdict("unsupported", "the client has no process whose memory the bench can measure")
    before, after = _growth(view, "rss_kib")
    share = after / before - 1 if before else float("inf")
    summary = f"memory: {before / 1024:.1f} MiB early, {after / 1024:.1f} MiB late ({share:+.1%})"
    return _judged(view, summary, share)


@rule(
    "soak.endures-backlog",
    "The client's backlog does not grow, even with connections cut during the run",
    catches=("grows-backlog",),
    suites=("soak",),
)
def backlog(case: Case) -> Verdict:
    """Messages requested and not yet answered; growth by one second's worth of its codes' rates is noise."""
    view = samples(case.trace)
    if few := _few(view):
        return few
    before, after = _growth(view, "backlog")
    slack = max(GROWTH * before, sum(limits[-1][1] for limits in case.trace.limits.values()))
    summary = f"median backlog: {count(round(before), 'message')} early, {after:.0f} late"
    if after <= before + slack:
        return Verdict("pass", summary, after - before, slack, "messages", "", (OURS,))
    evidence = (Evidence(summary, int(_stretch(view, AFTER).at[0]), int(view.at[-1])),)
    return Verdict("fail", summary, after - before, slack, "messages", "client", (OURS,), evidence)


@rule(
    "soak.endures-rate",
    "The client is as fast in the second half of the run as in the first",
    catches=("slows-down",),
    suites=("soak",),
)
def rate(case: Case) -> Verdict:
    """Accepted messages a second in each half of the run after the warm-up; both halves have as many cuts."""
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
    return _judged(view, summary, -drift if halves[0] else drift)


def _judged(view: View, summary: str, share: float) -> Verdict:
    """The verdict on a share by which the end of a run is worse than its beginning."""
    worse = round(min(share, 1e9), 4)
    if share < GROWTH:
        return Verdict("pass", summary, worse, GROWTH, "share", "", (OURS,))
    evidence = (Evidence(summary, int(_stretch(view, AFTER).at[0]), int(view.at[-1])),)
    return Verdict("fail", summary, worse, GROWTH, "share", "client", (OURS,), evidence)
