"""The rate granted to each short code while it has a backlog (OPS-QOS-04), over a ledger of any length.

Reads columns, never messages. A minute is below the tier only if that is certain: the operator accepted fewer messages
than the tier grants, fewer than waited at its beginning, and fewer than the client had handed over.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.text import count
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.finding import Evidence
from simbench.ledger.events import LimitSet, TierSet
from simbench.rules.rule import Case, Verdict, none_wrong, rule, worst
from simbench.sla.classification import Service, service_of
from simbench.sla.purposes import GRANTED_RATE
from simbench.sla.rolling_window import Instants
from simbench.sla.traffic_minutes import Minutes, answers, held_seconds, logouts, recorded_minutes

SHOWN = 5
NOT_NOW = 4  # EC 04: an operation that is not allowed at this time
NO_BACKLOG = "no short code had a backlog at the platform"


class Stretch(msgspec.Struct, frozen=True, eq=False):
    """Minutes of one code that began with a backlog: `granted` of `due` operations, int64 arrays."""

    code: str
    at: Instants
    granted: Instants
    due: Instants


@rule(
    GRANTED_RATE,
    "While messages of a short code wait, it gets at least its subscribed rate",
    binds="platform",
    catches=("slow-minutes",),
    suites=("sla",),
)
def rate_with_backlog(case: Case) -> Verdict:
    """Check every minute that began with a backlog, outside incidents, against the code's tier at the time.

    Without such a minute the rate was not tested, so the outcome is not a pass.
    """
    run = case.trace.run
    if recorded_minutes(run) is None and not answers(run):
        return Verdict("unsupported", "no traffic data")
    service = service_of(case)
    stretches = backlog_minutes(case, service)
    if not stretches and (refused := _refused_below(case, service)):
        why = f"{count(refused, 'message')} refused with EC 04 below the subscribed rate may have waited at the client"
        return Verdict("inconclusive", f"{NO_BACKLOG}, but {why}")
    if not stretches:
        return Verdict("unsupported", NO_BACKLOG)
    return worst(_judged(case, one) for one in stretches)


def backlog_minutes(case: Case, service: Service) -> list[Stretch]:
    """Return each code's minutes with a backlog, except those that an incident of the platform or code touches."""
    minutes = recorded_minutes(case.trace.run)
    known = minutes is not None and minutes.backlog is not None
    found = by_table(case, service, minutes) if known and minutes is not None else _by_second(case, service)
    return [kept for kept in (_outside(one, service) for one in found) if len(kept.at)]


def _refused_below(case: Case, service: Service) -> int:
    """Return the number of messages refused with EC 04, for now, although fewer than the tier were accepted before.

    The tier explains a refusal in a second that, with the one before, has as many acceptances as the tier has messages
    a second. Refusals within incidents do not count.
    """
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    refused = scan.among("kind", "refused") & scan.among("value", NOT_NOW)
    sums = {"accepted": scan.segments("accepted"), "refused": scan.where_else_0(refused)}
    by = {**scan.field("code"), "at": scan.floor("at", SECOND_US)}
    seconds = scan.sums_of(case.trace.run, "centre", by, sums, refused | scan.among("kind", "accepted"))
    total = 0
    for code, rows in _by_code(seconds["code"]):
        at, accepted = seconds["at"][rows], seconds["accepted"][rows]
        follows = np.diff(at, prepend=at[0]) == SECOND_US
        lately = accepted + np.where(follows, np.concatenate(([0], accepted[:-1])), 0)
        minute = at // MINUTE_US * MINUTE_US
        below = (lately < rates_at(case, code, minute)) & (seconds["refused"][rows] > 0)
        outside = _outside(Stretch(code, minute[below], accepted[below], seconds["refused"][rows][below]), service)
        total += int(outside.due.sum())
    return total


def rates_at(case: Case, code: str, at: Instants) -> Instants:
    """Return the lowest tier of a code within each of these minutes, in order (operations per second).

    Without a known tier it is the contract's floor.
    """
    floor = case.contract.terms.quality.rate_floor_per_s.value
    tiers = sorted(
        (at, event.rate_per_s)
        for at, event in case.trace.events
        if isinstance(event, LimitSet | TierSet) and event.code == code
    )
    if not tiers:
        return np.full(len(at), floor, dtype=np.int64)
    since, rates = (np.array(column, dtype=np.int64) for column in zip(*tiers, strict=True))
    lowest: Instants = rates[np.maximum(0, np.searchsorted(since, at, side="right") - 1)]
    for change, rate in tiers:
        within = slice(*np.searchsorted(at, [change - MINUTE_US + 1, change + 1]).tolist())  # minutes it falls into
        lowest[within] = np.minimum(lowest[within], rate)
    return lowest


def by_table(case: Case, service: Service, minutes: Minutes) -> list[Stretch]:
    """Read minutes with a backlog column: due are the waiting messages, limited to those submitted if known."""
    assert minutes.backlog is not None
    found = []
    resets = np.array(sorted(one.incident.start for one in service.counted), dtype=np.int64)
    for code, rows in _by_code(minutes.code):
        at, accepted = minutes.at[rows], minutes.accepted[rows].astype(np.int64)
        follows = np.diff(at, prepend=at[0]) == MINUTE_US
        waiting = np.where(follows, np.concatenate(([0], minutes.backlog[rows][:-1])), 0)
        due = np.minimum(rates_at(case, code, at) * 60, waiting)
        if minutes.submitted is not None:
            piece = np.cumsum(~follows) + np.searchsorted(resets, at + MINUTE_US, side="left")
            submitted = minutes.submitted[rows].astype(np.int64)
            before, _ = _waiting(submitted - accepted - minutes.refused[rows], piece)
            due = np.minimum(due, before + submitted)
        # A refused message no longer waits, and counts by minute do not show whether the refusal was right. Such a
        # minute is not counted; another rule judges refusals.
        chosen = (due > 0) & (minutes.refused[rows] == 0)
        found.append(Stretch(code, at[chosen], accepted[chosen], due[chosen]))
    return found


def _by_second(case: Case, service: Service) -> list[Stretch]:
    """Read the rows of an SMSC that delays its answers: the messages it holds are the backlog.

    Held messages are dropped when an outage begins or a connection ends. After a gap in the rows no message waits. A
    message begins to wait when it is held for longer than the shortest time to an answer: a round trip is no rate.
    """
    seconds = held_seconds(case.trace.run)
    found = []
    resets = np.unique([*(one.incident.start for one in service.counted), *logouts(case.trace.run).tolist()])
    for code, rows in _by_code(seconds["code"]):
        at, accepted, held = _without_round_trip(
            seconds["at"][rows], seconds["accepted"][rows], seconds["held"][rows], resets
        )
        gap = np.diff(at, append=at[-1] + SECOND_US) // SECOND_US
        torn = np.concatenate(([0], np.cumsum(gap[:-1] > 60)))
        piece = torn + np.searchsorted(resets, at + SECOND_US, side="left")
        before, after = _waiting(held - accepted, piece)
        minute = at // MINUTE_US * MINUTE_US
        rate = rates_at(case, code, minute)
        idle = np.where(np.diff(piece, append=-1) == 0, gap - 1, 0)  # seconds without any event
        due = np.minimum(rate, before) + np.minimum(rate * idle, after)
        names, place = np.unique(minute, return_inverse=True)
        owed = np.bincount(place, due, len(names)).astype(np.int64)
        given = np.bincount(place, np.where(due > 0, accepted, 0), len(names)).astype(np.int64)
        found.append(Stretch(code, names[owed > 0], given[owed > 0], owed[owed > 0]))
    return found


def _without_round_trip(
    at: Instants, accepted: Instants, held: Instants, resets: Instants
) -> tuple[Instants, Instants, Instants]:
    """Return the rows of a code with held messages dated later by the shortest time to an answer, in whole seconds.

    That time is zero if any message was answered at once, or none ever. Answers are in the order of the messages.
    """
    piece = np.searchsorted(resets, at + SECOND_US, side="left")
    times = (_shortest(at[a:b], accepted[a:b], held[a:b]) for a, b in _runs(piece))
    shortest = min((time for time in times if time is not None), default=0)
    if not shortest:
        return at, accepted, held
    later = at + shortest
    stays = np.searchsorted(resets, later + SECOND_US, side="left") == piece
    seconds, place = np.unique(np.concatenate((at, later[stays])), return_inverse=True)
    own, moved = place[: len(at)], place[len(at) :]
    return (
        seconds,
        np.bincount(own, accepted, len(seconds)).astype(np.int64),
        np.bincount(moved, held[stays], len(seconds)).astype(np.int64),
    )


def _shortest(at: Instants, accepted: Instants, held: Instants) -> int | None:
    """Return the shortest time (us) to an answer in rows without a reset; 0 if a message was not held, None without."""
    answered, asked = np.cumsum(accepted), np.cumsum(held)
    if (answered > asked).any():
        return 0
    rows = np.flatnonzero(accepted)
    if not len(rows):
        return None
    return int((at[rows] - at[np.searchsorted(asked, answered[rows])]).min())


def _waiting(change: Instants, piece: Instants) -> tuple[Instants, Instants]:
    """Return the number of messages that certainly wait before and after each row; none before a piece's first row."""
    before, after = np.zeros(len(change), dtype=np.int64), np.zeros(len(change), dtype=np.int64)
    for first, last in _runs(piece):
        level = np.cumsum(change[first:last])
        after[first:last] = level - np.minimum(np.minimum.accumulate(level), 0)
        before[first + 1 : last] = after[first : last - 1]
    return before, after


def _outside(one: Stretch, service: Service) -> Stretch:
    clear = np.ones(len(one.at), dtype=np.bool_)
    for counted in service.counted:
        incident = counted.incident
        if incident.scope == "total" or incident.subject == one.code or not incident.subject.isdigit():
            clear &= (one.at + MINUTE_US <= incident.start) | (one.at >= (incident.end or service.period.end))
    return Stretch(one.code, one.at[clear], one.granted[clear], one.due[clear])


def _judged(case: Case, one: Stretch) -> Verdict:
    terms = case.contract.terms.throughput
    rates = rates_at(case, one.code, one.at)
    slack = np.maximum(1, -(-rates * terms.jitter_ms.value // 1000))
    floor = np.floor(one.due * (1 - terms.sustained_tolerance_share.value)) - slack
    short = one.granted < floor
    share = float(one.granted.sum() / one.due.sum())
    summary = (
        f"{one.code}: {count(len(one.at), 'minute')} with a backlog, {_percent(share)} of the due messages granted"
    )
    evidence = tuple(
        Evidence(f"{one.code}: {one.granted[p]} of {one.due[p]} due", int(one.at[p]), int(one.at[p]) + MINUTE_US)
        for p in np.flatnonzero(short)[:SHOWN].tolist()
    )
    below = int(short.sum())
    summary += f", {count(below, 'minute')} below the tier" if below else ""
    return none_wrong(summary, below, "minutes below the tier", evidence, blame="platform")


def _by_code(codes: NDArray[Any]) -> list[tuple[str, slice]]:
    """Yield each code with its rows; the rows are sorted by code."""
    return [(str(codes[first]), slice(first, last)) for first, last in _runs(codes)]


def _runs(values: NDArray[Any]) -> list[tuple[int, int]]:
    """Return the first index and the last index plus one of each run of equal values."""
    if not len(values):
        return []
    cuts = (np.flatnonzero(values[1:] != values[:-1]) + 1).tolist()
    return list(zip([0, *cuts], [*cuts, len(values)], strict=True))


def _percent(share: float) -> str:
    """Write a share in percent, truncated."""
    return f"{int(share * 10**4 + 1e-9) / 10**2:.2f} %"
