"""Rules on endurance: what grows or drifts over a long run. They read samples the bench took and told in the story.

The first tenth warms up; what counts is how far the last stretch is above the one after it. The clause is OPS-PRE-03:
a link that was validated is one that lasts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.rules.rule import Case, Judged, rule
from simbench.trace.trace import Reading
from simbench.trace.view import View, view_of

KIND: Final = "sample"
SAMPLES: Final = ("at", "rss_kib", "backlog", "accepted")
WARM: Final = 0.1  # share of the run that is not judged
BEFORE: Final = (0.1, 0.3)  # where the level is taken from which growth counts
AFTER: Final = (0.8, 1.0)
GROWTH: Final = 0.05
FEWEST: Final = 40
OURS: Final = "limits of endurance runs (docs/guides/audit.md)"


def samples(reading: Reading) -> View:
    """What the bench sampled: instant, memory of the client's processes (KiB, 0: none to see), backlog, accepted."""
    rows = [r for r in reading.story.rows() if r.kind == KIND]
    return view_of(SAMPLES, [(r.at, *(r.detail[name] for name in SAMPLES[1:])) for r in rows])


def _stretch(view: View, part: tuple[float, float]) -> View:
    start, end = int(view.at[0]), int(view.at[-1])
    first, last = (start + part[0] * (end - start), start + part[1] * (end - start))
    return view.where((view.at >= first) & (view.at <= last))


def _growth(view: View, name: str) -> tuple[float, float]:
    before, after = (float(np.median(getattr(_stretch(view, part), name))) for part in (BEFORE, AFTER))
    return before, after


def _few(view: View) -> Judged | None:
    if len(view) >= FEWEST:
        return None
    return Judged("inconclusive", f"only {len(view)} samples", blame="bench")


@rule(
    "OPS-PRE-03/endures-memory",
    "The client's memory does not grow once it is warm",
    catches=("grows-memory",),
    suites=("soak",),
)
def memory(case: Case) -> Judged:
    """Resident memory of the whole process tree, medians of two stretches."""
    view = samples(case.reading)
    if few := _few(view):
        return few
    if not view.rss_kib.any():
        return Judged("unsupported", "the client has no process of its own to look at")
    before, after = _growth(view, "rss_kib")
    share = after / before - 1 if before else float("inf")
    told = f"{before / 1024:.1f} MiB early, {after / 1024:.1f} MiB late ({share:+.1%})"
    return _judged(view, told, share)


@rule(
    "OPS-PRE-03/endures-backlog",
    "What waits in the client does not grow, cuts and all",
    catches=("grows-backlog",),
    suites=("soak",),
)
def backlog(case: Case) -> Judged:
    """Asked for and not answered yet; a second of its codes' rates more is noise."""
    view = samples(case.reading)
    if few := _few(view):
        return few
    before, after = _growth(view, "backlog")
    slack = max(GROWTH * before, sum(limits[-1][1] for limits in case.reading.limits.values()))
    told = f"half of the time at most {before:.0f} messages waited early, {after:.0f} late"
    if after <= before + slack:
        return Judged("pass", told, after - before, slack, "messages", "", (OURS,))
    evidence = (Evidence(told, int(_stretch(view, AFTER).at[0]), int(view.at[-1])),)
    return Judged("fail", told, after - before, slack, "messages", "client", (OURS,), evidence)


@rule(
    "OPS-PRE-03/endures-rate",
    "The client works as fast at the end as at the beginning",
    catches=("slows-down",),
    suites=("soak",),
)
def rate(case: Case) -> Judged:
    """Accepted messages in each half of the run, both with as many cuts, after what it warmed up with."""
    view = samples(case.reading)
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
    told = f"{halves[0]:.2f}/s in the first half, {halves[1]:.2f}/s in the second ({drift:+.1%})"
    return _judged(view, told, -drift if halves[0] else drift)


def _judged(view: View, told: str, share: float) -> Judged:
    """A share by which something may be worse at the end."""
    worse = round(min(share, 1e9), 4)
    if share < GROWTH:
        return Judged("pass", told, worse, GROWTH, "share", "", (OURS,))
    evidence = (Evidence(told, int(_stretch(view, AFTER).at[0]), int(view.at[-1])),)
    return Judged("fail", told, worse, GROWTH, "share", "client", (OURS,), evidence)
