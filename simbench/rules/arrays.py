"""Facts about all submits of a run at once, as arrays: for records too long to look at one by one."""

from __future__ import annotations

import numpy as np

from simbench.trace.view import Bools, Ints


def unanswered(session: Ints, at: Ints, until: Ints) -> Ints:
    """How many earlier operations of its session are unanswered when each arrives.

    `at`: ascending instants of arrival; `until`: instants of the results. A result at the same instant is earlier.
    """
    found = np.zeros(len(at), np.int64)
    if not len(session):
        return found
    order = np.argsort(session, kind="stable")
    edges = np.flatnonzero(np.diff(session[order], prepend=session[order[0]] - 1))
    for start, end in zip(edges.tolist(), [*edges[1:].tolist(), len(order)], strict=True):
        places = order[start:end]
        mine, ends = at[places], until[places]
        answered = np.searchsorted(np.sort(ends), mine, "right")
        # Of those that arrive no earlier, one answered at once is counted in `answered`, and is not earlier.
        at_once = np.append(0, np.cumsum(ends == mine))
        answered -= at_once[np.searchsorted(mine, mine, "right")] - at_once[:-1]
        found[places] = np.arange(len(places)) - answered
    return found


def crowded(keys: Ints, at: Ints, most: int, within_us: int) -> Bools:
    """Which arrive when `most` others of the same key arrived less than `within_us` before."""
    found = np.zeros(len(at), np.bool_)
    order = np.argsort(keys, kind="stable")
    mine, instants = keys[order], at[order]
    if len(order) > most:
        late = (mine[most:] == mine[:-most]) & (instants[:-most] > instants[most:] - within_us)
        found[order[most:]] = late
    return found
